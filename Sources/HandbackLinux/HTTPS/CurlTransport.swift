internal import CCurl
internal import CLibc
public import HandbackCore

/// HTTPS by libcurl's multi interface: one `poll` waits for the transfer and for a signal.
///
/// TLS 1.2 or newer, peer and host name verified, no redirects (custom header fields would
/// follow to another host), HTTP/1.1, one connection kept for as long as the transport lives.
/// Proxies are what the environment says to libcurl. A class, like `SQLiteJournal`.
@safe
public final class CurlTransport {
  private let library: CurlLibrary
  private let options: TransportOptions
  private let receiver = CurlReceiver()
  private let multi: UnsafeMutableRawPointer
  private let easy: UnsafeMutableRawPointer
  /// Whether certificates are judged by our time, and not by the wall clock.
  private let judgesCertificateTime: Bool
  /// The last one whose transfer was stopped while a thread of this libcurl resolved a name: to
  /// free it is to wait for that thread.
  nonisolated(unsafe) private static var abandoned: CurlTransport?
  /// The one before.
  private var abandonedBefore: CurlTransport?
  /// When its thread has ended, on the boot-time clock.
  private var resolvesUntilBootMilliseconds: Int64 = 0
  /// Two tries of five seconds at each of three name servers (resolv.conf(5)), for two names.
  private static let resolvingMillisecondsMax: Int64 = 60_000

  public init(_ options: TransportOptions) throws(TransportError) {
    Self.freeAbandoned()
    let library = try CurlLibrary()
    let api = unsafe library.api.pointee
    guard let multi = api.multi_init() else { throw .libraryFailed }
    guard let easy = api.easy_init() else {
      _ = unsafe api.multi_cleanup(multi)
      throw .libraryFailed
    }
    self.library = library
    self.options = options
    unsafe self.multi = multi
    unsafe self.easy = easy
    judgesCertificateTime = unsafe CertificateTime.install(self.library.api, easy)
    setFixedOptions()
  }

  deinit {
    unsafe library.api.pointee.easy_cleanup(easy)
    _ = unsafe library.api.pointee.multi_cleanup(multi)
  }

  private static func freeAbandoned() {
    let now = SystemClock.now().bootMilliseconds
    var last: CurlTransport?
    var next = unsafe abandoned
    while let transport = next, transport.resolvesUntilBootMilliseconds > now {
      last = transport
      next = transport.abandonedBefore
    }
    if let last { last.abandonedBefore = nil } else { unsafe abandoned = nil }
  }

  private func setFixedOptions() {
    set(CURLOPT_NOSIGNAL, 1)
    unsafe ccurl_set_quick_exit(library.api, easy)
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_PROTOCOLS, ccurl_protocols(options.allowsPlainHTTP ? 1 : 0))
    set(CURLOPT_SSLVERSION, ccurl_tls_1_2())
    set(CURLOPT_SSL_VERIFYPEER, 1)
    set(CURLOPT_SSL_VERIFYHOST, 2)
    set(CURLOPT_HTTP_VERSION, ccurl_http_1_1())
    set(CURLOPT_CONNECTTIMEOUT_MS, options.connectTimeoutMilliseconds)
    set(CURLOPT_TIMEOUT_MS, options.timeoutMilliseconds)
    unsafe ccurl_set_offset(
      library.api, easy, CURLOPT_MAXFILESIZE_LARGE, Int64(Answer.bodyByteCountMax))
    // Only counted, to tell how often a request was written; nothing is printed.
    set(CURLOPT_VERBOSE, 1)
    unsafe ccurl_set_debug(library.api, easy, CurlReceiver.debugCallback)
    unsafe ccurl_set_receive(
      library.api, easy, CURLOPT_HEADERFUNCTION, CurlReceiver.fieldCallback)
    unsafe ccurl_set_receive(library.api, easy, CURLOPT_WRITEFUNCTION, CurlReceiver.bodyCallback)
    let target = unsafe Unmanaged.passUnretained(receiver).toOpaque()
    unsafe ccurl_set_pointer(library.api, easy, CURLOPT_HEADERDATA, target)
    unsafe ccurl_set_pointer(library.api, easy, CURLOPT_WRITEDATA, target)
    unsafe ccurl_set_pointer(library.api, easy, CURLOPT_DEBUGDATA, target)
    set(CURLOPT_USERAGENT, Text(Version.userAgent))
    if let authorityFile = options.authorityFile {
      set(CURLOPT_CAINFO, authorityFile)
      // The system's folder of authorities is searched beside the file, unless it is taken away.
      unsafe ccurl_set_pointer(library.api, easy, CURLOPT_CAPATH, nil)
    }
  }

  /// Performs one exchange and waits for its end, or until `isInterrupted` says so: asked at least
  /// once a second, and as soon as one of the descriptors can be read. It is told whether the
  /// request may have been sent.
  public func perform(
    _ exchange: borrowing Exchange, watching descriptors: [Int32],
    isInterrupted: (_ hasSent: Bool) -> Bool
  ) -> ExchangeResult {
    receiver.begin()
    unsafe CertificateTime.seconds = exchange.certificateSeconds
    var code: Int32 = -1
    let isForm = setTarget(exchange)
    // libcurl reads body and fields in place: both live until the transfer is over.
    unsafe exchange.body.withCString { body in
      unsafe exchange.authorization.withCString { authorization in
        let length = Int64(exchange.body.byteCount)
        unsafe ccurl_set_offset(
          library.api, easy, CURLOPT_POSTFIELDSIZE_LARGE, length)
        unsafe ccurl_set_pointer(library.api, easy, CURLOPT_POSTFIELDS, length > 0 ? body : nil)
        if length == 0 { set(CURLOPT_HTTPGET, 1) }
        var fields = CurlFields()
        fields.append(
          isForm
            ? "Content-Type: application/x-www-form-urlencoded" : "Content-Type: application/json")
        fields.append("Accept: application/json")
        // Without this, libcurl asks before it sends a body of 1 MiB or more, older ones 1 KiB.
        fields.append("Expect:")
        fields.append(date: exchange.date)
        if exchange.authorization.byteCount > 0 { unsafe fields.append(inPlace: authorization) }
        unsafe fields.withList { list in
          unsafe ccurl_set_pointer(library.api, easy, CURLOPT_HTTPHEADER, list)
          code = run(descriptors, isInterrupted)
          unsafe ccurl_set_pointer(library.api, easy, CURLOPT_HTTPHEADER, nil)
        }
        unsafe ccurl_set_pointer(library.api, easy, CURLOPT_POSTFIELDS, nil)
      }
    }
    return result(code, exchange.certificateSeconds)
  }

  /// `true` if the body is a form.
  private func setTarget(_ exchange: borrowing Exchange) -> Bool {
    // libcurl exempts the loopback interface from $http_proxy only where $no_proxy says so.
    var isDirect = options.isDirect
    if case .token = exchange.target { isDirect = options.isTokenDirect }
    if isDirect {
      set(CURLOPT_PROXY, "")
    } else {
      unsafe ccurl_set_pointer(library.api, easy, CURLOPT_PROXY, nil)
    }
    switch exchange.target {
    case .deactivateLicense:
      set(CURLOPT_URL, options.baseURL + "/api/v4/deactivate_license")
      return false
    case .tokenAddress:
      set(CURLOPT_URL, options.baseURL + "/api/v4/oauth_url?login_type=client_credentials")
      return false
    case .token(let url):
      set(CURLOPT_URL, url)
      return true
    }
  }

  private func run(_ descriptors: [Int32], _ isInterrupted: (Bool) -> Bool) -> Int32 {
    let api = unsafe library.api.pointee
    guard unsafe api.multi_add_handle(multi, easy) == CURLM_OK else { return -1 }
    var isAbandoned = false
    defer { if !isAbandoned { _ = unsafe api.multi_remove_handle(multi, easy) } }
    var waits: [curl_waitfd] = []
    for descriptor in descriptors {
      waits.append(curl_waitfd(fd: descriptor, events: Int16(CURL_WAIT_POLLIN), revents: 0))
    }
    while true {
      var running: Int32 = 0
      guard unsafe api.multi_perform(multi, &running) == CURLM_OK else { return -1 }
      let code = unsafe ccurl_result(library.api, multi)
      if code >= 0 { return code }
      if isInterrupted(receiver.sendCount > 0) {
        isAbandoned = unsafe ccurl_waits_for_resolver(library.api, easy) == 1
        if isAbandoned { abandon() }
        return Int32(CURLE_ABORTED_BY_CALLBACK.rawValue)
      }
      var ready: Int32 = 0
      _ = unsafe api.multi_poll(multi, &waits, UInt32(waits.count), 1000, &ready)
    }
  }

  private func abandon() {
    resolvesUntilBootMilliseconds =
      SystemClock.now().bootMilliseconds + Self.resolvingMillisecondsMax
    abandonedBefore = unsafe Self.abandoned
    unsafe Self.abandoned = self
  }

  private func set(_ option: CURLoption, _ value: Int) {
    unsafe ccurl_set_long(library.api, easy, option, value)
  }

  private func set(_ option: CURLoption, _ value: Text) {
    // libcurl copies strings.
    _ = unsafe ccurl_set_pointer(library.api, easy, option, value.cString)
  }
}

// MARK: - Results

extension CurlTransport {
  private func result(_ code: Int32, _ certificateSeconds: Int64) -> ExchangeResult {
    if code == Int32(CURLE_OK.rawValue) {
      var answer = receiver.answer
      answer.status = unsafe ccurl_get_long(library.api, easy, CURLINFO_RESPONSE_CODE)
      answer.wasResent = receiver.sendCount > 1
      return .answer(answer)
    }
    // What a callback of ours refused, a status line or too much of an answer.
    let code =
      code == Int32(CURLE_WRITE_ERROR.rawValue) ? Int32(CURLE_WEIRD_SERVER_REPLY.rawValue) : code
    var kind = Self.kind(code)
    if receiver.isTooLarge { kind = .tooLarge }
    if unsafe ccurl_get_long(library.api, easy, CURLINFO_HTTP_CONNECTCODE) >= 300 { kind = .proxy }
    if code == Int32(CURLE_PEER_FAILED_VERIFICATION.rawValue) {
      kind = verificationFault(certificateSeconds)
    }
    return .fault(
      TransportFault(
        kind: kind, code: code, message: words(code),
        mayHaveReachedServer: receiver.sendCount > 0))
  }

  /// Tells a clock that is wrong from a server that is.
  private func verificationFault(_ certificateSeconds: Int64) -> TransportFault.Kind {
    let result = unsafe ccurl_get_long(library.api, easy, CURLINFO_SSL_VERIFYRESULT)
    if judgesCertificateTime {
      return result == Int(CertificateTime.expired) ? .tlsExpired : .tls
    }
    // Not every TLS library says what is wrong. With a clock that is before all that is known to
    // be past, it is the clock until that is set.
    if SystemClock.now().wallSeconds < certificateSeconds { return .tlsNotYetValid }
    // GNUTLS_CERT_NOT_ACTIVATED and GNUTLS_CERT_EXPIRED; OpenSSL's numbers end below them.
    if result & 1 << 9 != 0 || result == Int(CertificateTime.notYetValid) { return .tlsNotYetValid }
    if result & 1 << 10 != 0 || result == Int(CertificateTime.expired) { return .tlsExpired }
    return .tls
  }

  private func words(_ code: Int32) -> Text {
    if code == Int32(CURLE_ABORTED_BY_CALLBACK.rawValue) { return "stopped before the answer" }
    guard code >= 0, let text = unsafe library.api.pointee.easy_strerror(CURLcode(UInt32(code)))
    else { return "libcurl failed" }
    return unsafe Text(cString: text)
  }

  private static func kind(_ code: Int32) -> TransportFault.Kind {
    guard code >= 0 else { return .other }
    switch CURLcode(UInt32(code)) {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: return .resolve
    case CURLE_COULDNT_CONNECT: return .connect
    case CURLE_OPERATION_TIMEDOUT: return .timeout
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR:
      return .tls
    case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE: return .cut
    case CURLE_FILESIZE_EXCEEDED: return .tooLarge
    case CURLE_ABORTED_BY_CALLBACK: return .interrupted
    case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING:
      return .malformed
    default: return .other
    }
  }
}

// MARK: - The library

extension CurlTransport {
  /// libcurl's version and its TLS library, `7.88.1 (OpenSSL/3.0.19)`; `nil` without a usable one.
  public static func libraryVersion() -> Text? {
    guard let library = try? CurlLibrary() else { return nil }
    let facts = unsafe ccurl_version(library.api).pointee
    guard let version = unsafe facts.version else { return nil }
    let tls = unsafe facts.ssl_version.map { unsafe Text(cString: $0) } ?? "no TLS"
    return unsafe Text(cString: version) + " (" + tls + ")"
  }
}
