/// The cases of an enum that is numbered from 0, in order: `for setting in Setting.allCases`.
///
/// What `CaseIterable` derives is an array, which brings 300 bytes of code for each enum.
public struct Cases<Case: RawRepresentable>: Sequence, IteratorProtocol where Case.RawValue == Int {
  private var number = 0

  public init() {}

  public mutating func next() -> Case? {
    defer { number += 1 }
    return Case(rawValue: number)
  }
}
