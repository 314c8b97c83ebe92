internal import CLibc
internal import HandbackCore
internal import HandbackLinux

/// Prints what the survey of a device makes of it, for tests that need a process: under
/// umockdev, as another user, with a system call that fails.
///
///     hardware-id-probe              the running system
///     hardware-id-probe DIR          the tree below DIR
///     hardware-id-probe DIR DIR      a record made in the first tree, checked in the second
@c(HardwareIDProbe_main)
func probeMain(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
  var roots: [Text] = []
  for index in 1..<max(Int(count), 1) {
    var bytes: [UInt8] = []
    if let argument = unsafe arguments[index] {
      while unsafe argument[bytes.count] != 0 {
        bytes.append(UInt8(bitPattern: unsafe argument[bytes.count]))
      }
    }
    roots.append(Text(bytes))
  }
  do throws(HardwareSurvey.Failure) {
    let first = try HardwareSurvey.take(root: roots.first, settleDeadlineMilliseconds: 200)
    if roots.count < 2 {
      show(first)
    } else {
      check(first, try HardwareSurvey.take(root: roots[1], settleDeadlineMilliseconds: 200))
    }
  } catch {
    print("error: the root can't be opened")
    return 1
  }
  return 0
}
