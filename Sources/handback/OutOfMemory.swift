internal import CLibc
internal import HandbackCore

// Embedded Swift takes all its memory by `posix_memalign`, and where there is none it executes an
// illegal instruction. This one, found first, says why the program ends. Nothing is lost by that:
// it may be killed at any point.
#if hasFeature(Embedded)
  @c(posix_memalign)
  func allocateOrEnd(
    _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int
  ) -> CInt {
    // What malloc gives is aligned to two words (glibc's manual, "Aligned Memory Blocks").
    let block =
      unsafe alignment <= 2 * MemoryLayout<Int>.size
      ? malloc(size) : aligned_alloc(alignment, size)
    guard let block = unsafe block else {
      let message: Literal = "handback: error: out of memory\n"
      _ = unsafe write(2, message.start, message.byteCount)
      _exit(ExitCode.outOfMemory.rawValue)
    }
    unsafe result.pointee = block
    return 0
  }
#endif
