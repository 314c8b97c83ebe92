internal import CLibc
internal import HandbackCore
internal import HandbackLinux

/// Prints what the survey of a device makes of it, for tests that need a process: under
/// umockdev, under strace, in a container.
///
///     hardware-id-probe                  the running system
///     hardware-id-probe DIR              the tree below DIR
@c(HardwareIDProbe_main)
func probeMain(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
  var root: [UInt8]?
  if count > 1, let argument = unsafe arguments[1] {
    var bytes: [UInt8] = []
    var index = 0
    while unsafe argument[index] != 0 {
      bytes.append(UInt8(bitPattern: unsafe argument[index]))
      index += 1
    }
    root = bytes
  }
  do throws(HardwareSurvey.Failure) {
    show(try HardwareSurvey.take(root: root, settleDeadlineMilliseconds: 1000))
  } catch {
    print("error: the root can't be opened")
    return 1
  }
  return 0
}
