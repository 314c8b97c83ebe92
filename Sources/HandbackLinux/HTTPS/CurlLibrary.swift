internal import CCurl
public import HandbackCore

/// The system's libcurl, opened at the first send; owns the table of its functions.
@safe
struct CurlLibrary: ~Copyable {
  let api: UnsafeMutablePointer<ccurl_api>

  /// 7.68.0, in the form of `CURLVERSION`'s number: the oldest that has all that is used.
  static let versionMin: UInt32 = 0x074400

  init() throws(TransportError) {
    unsafe api = .allocate(capacity: 1)
    unsafe api.initialize(to: ccurl_api())
    guard unsafe ccurl_load(api) == 1 else { throw .libraryMissing }
    guard unsafe ccurl_version(api).pointee.version_num >= Self.versionMin else {
      throw .libraryTooOld(unsafe Text(cString: ccurl_version(api).pointee.version))
    }
    guard unsafe ccurl_global_init(api) == 1 else { throw .libraryFailed }
  }

  deinit {
    unsafe api.deallocate()
  }
}

/// Why nothing can be sent at all.
public enum TransportError: Error, Sendable {
  case libraryMissing
  case libraryTooOld(Text)
  case libraryFailed
}
