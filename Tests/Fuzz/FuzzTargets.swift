internal import CLibc
internal import Foundation

@testable internal import HandbackCore
@testable internal import HandbackLinux

/// The targets, by the name that `HANDBACK_FUZZ` gives.
enum FuzzTarget: String {
  case answer, date, json, settings, secret, row, hardware, arguments

  func run(_ input: FuzzInput) {
    switch self {
    case .answer: FuzzAnswer.run(input)
    case .date: FuzzAnswer.runDate(input)
    case .json: FuzzAnswer.runJSON(input)
    case .settings: FuzzText.runSettings(input)
    case .secret: FuzzText.runSecret(input)
    case .row: FuzzRow.run(input)
    case .hardware: FuzzHardware.run(input)
    case .arguments: FuzzText.runArguments(input)
    }
  }
}

private let target: FuzzTarget = {
  guard let name = getenv("HANDBACK_FUZZ"), let target = FuzzTarget(rawValue: String(cString: name))
  else { fatalError("HANDBACK_FUZZ names no target") }
  return target
}()

/// libFuzzer's entry: one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  target.run(FuzzInput(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
