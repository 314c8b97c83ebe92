import TestSupport
import Testing

@testable import HandbackCore

struct LiteralsTests {
  @Test func `are taken by their number`() {
    let list: Literals = "one\0\0three"
    #expect((0..<3).map { list[$0].description } == ["one", "", "three"])
    #expect(list.count == 3)
  }

  @Test func `end where the list ends`() async {
    await #expect(processExitsWith: .failure) {
      let list: Literals = "one\0two"
      print(list[2])
    }
  }

  /// The names are paired with the cases by their place alone.
  @Test func `give each case its own name`() {
    #expect(APICode.names.count == Array(APICode.allCases).count)
    #expect(APICode.internalError.name.description == "internal_error")
    #expect(TransportFault.Kind.names.count == Array(TransportFault.Kind.allCases).count)
    #expect(TransportFault.Kind.other.name.description == "transport_failed")
    #expect(HardwareIDSource.names.count == HardwareIDSource.allCases.count)
    #expect(HardwareIDSource.vmGeneration.name.description == "vm-generation")
    #expect(HardwareIDClass.names.count == HardwareIDClass.allCases.count)
    #expect(HardwareIDClass.whatChanges.count == HardwareIDClass.allCases.count)
    #expect(HardwareIDClass.given.changesWith.description == "nothing: it was given")
    #expect(JunkReason.names.count == JunkReason.allCases.count)
    #expect(JunkReason.virtual.name.description == "virtual")
    #expect(Field.sdkVersion.name.description == "sdk_ver")
  }
}
