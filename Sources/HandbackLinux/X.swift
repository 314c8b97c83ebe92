internal import CCurl
internal import CLibc
internal import CSQLite
internal import CUdev
internal import HandbackCore

public func sqliteVersion() -> Int32 {
  let u = unsafe udev_new()
  unsafe udev_unref(u)
  return sqlite3_libversion_number()
}
