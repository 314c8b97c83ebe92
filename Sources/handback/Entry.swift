internal import CLibc
internal import HandbackCore
internal import HandbackLinux

@c(handback_main)
func handbackMain(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
  print("hello \(count) x \(Version.text)")
  return ExitCode.ok.rawValue
}
