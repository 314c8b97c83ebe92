internal import CCurl
internal import HandbackCore

/// Has OpenSSL compare a certificate's end with the best time known, and not with the wall clock.
///
/// Chain and name are verified as ever, and a certificate that has ended is refused. One that
/// isn't valid yet is taken: devices' clocks lag (no battery, months in a drawer), so our time is
/// only a lower bound of the right one and proves nothing about a beginning. Nor does a thief gain
/// by it: authorities date certificates to the day they are issued, and what makes a stolen key
/// worthless is the end.
///
/// OpenSSL's own reading of the clock is not used at all: on 32-bit boards it ends in 2038.
@safe
enum CertificateTime {
  /// Seconds since 1970-01-01 UTC that the certificates of the next handshake must outlive.
  nonisolated(unsafe) static var seconds: Int64 = 0
  nonisolated(unsafe) private static var openSSL: UnsafeMutablePointer<ccurl_openssl>?

  /// `false` if libcurl uses another TLS library, or an OpenSSL whose functions can't be reached:
  /// that one goes by the wall clock.
  static func install(_ api: UnsafeMutablePointer<ccurl_api>, _ easy: UnsafeMutableRawPointer)
    -> Bool
  {
    if unsafe openSSL == nil {
      let table = UnsafeMutablePointer<ccurl_openssl>.allocate(capacity: 1)
      unsafe table.initialize(to: ccurl_openssl())
      guard unsafe ccurl_load_openssl(api, table) == 1 else {
        unsafe table.deallocate()
        return false
      }
      unsafe openSSL = table
    }
    return unsafe ccurl_set_context(api, easy, prepare) == CURLE_OK
  }

  /// Called by libcurl for each new connection, when it has set up all of TLS.
  private static let prepare: ccurl_context = { _, context, _ in
    // 1 is SSL_VERIFY_PEER, which libcurl has set: with it, a refusal ends the handshake.
    unsafe openSSL?.pointee.set_verify(context, 1, check)
    return CURLE_OK
  }

  /// Called by OpenSSL for each certificate of the chain: once when it was found good, and before
  /// that for each error, which this may overrule.
  private static let check: ccurl_verify = { isGood, chain in
    guard let openSSL = unsafe openSSL?.pointee else { return 0 }
    if isGood == 0 {
      let error = unsafe openSSL.get_error(chain)
      guard error == notYetValid || error == expired else { return 0 }
    }
    guard let certificate = unsafe openSSL.certificate(chain) else { return isGood }
    var date = unsafe tm()
    guard unsafe openSSL.to_calendar(openSSL.end(certificate), &date) == 1,
      let end = unsafe seconds(of: date), unsafe end >= seconds
    else {
      unsafe openSSL.set_error(chain, expired)
      return 0
    }
    if isGood == 0 { unsafe openSSL.set_error(chain, 0) }
    return 1
  }

  private static func seconds(of date: tm) -> Int64? {
    unsafe HTTPDate.seconds(
      year: Int(date.tm_year) + 1900, month: Int(date.tm_mon) + 1, day: Int(date.tm_mday),
      secondOfDay: Int(date.tm_hour) * 3600 + Int(date.tm_min) * 60 + Int(date.tm_sec))
  }

  /// X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL's x509_vfy.h.
  static let notYetValid: Int32 = 9
  static let expired: Int32 = 10
}
