/// Overwrites memory that held key material.
///
/// The C function would be `explicit_bzero`; the core imports none. A function that the
/// optimizer must not look into is not known to be a dead store, so the writes stay. That they
/// do is tested on the shipped binary, by reading its memory back.
@inline(never)
@_optimize(none)
public func erase(_ bytes: UnsafeMutableRawBufferPointer) {
  var index = 0
  while index < bytes.count {
    unsafe bytes[index] = 0
    index += 1
  }
}
