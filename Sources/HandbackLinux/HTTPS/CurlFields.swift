internal import CCurl
internal import HandbackCore

/// The request's header fields as libcurl's list, without the copies that `curl_slist_append`
/// would leave in memory nobody wipes: nodes and texts are ours.
@safe
struct CurlFields: ~Copyable {
  private static let capacity = 5
  private let nodes: UnsafeMutablePointer<curl_slist>
  private let date: UnsafeMutablePointer<CChar>
  private var count = 0

  init() {
    unsafe nodes = .allocate(capacity: Self.capacity)
    unsafe date = .allocate(capacity: 6 + IMFFixdate.byteCount + 1)
  }

  deinit {
    unsafe nodes.deallocate()
    unsafe date.deallocate()
  }

  mutating func append(_ text: Literal) {
    unsafe append(inPlace: text.cString)
  }

  mutating func append(date value: IMFFixdate) {
    let name: Literal = "Date: "
    for index in 0..<6 { unsafe date[index] = CChar(bitPattern: name.start[index]) }
    for index in 0..<IMFFixdate.byteCount {
      unsafe date[6 + index] = CChar(bitPattern: value.bytes[index])
    }
    unsafe date[6 + IMFFixdate.byteCount] = 0
    unsafe append(inPlace: date)
  }

  /// The text must live as long as the list is used; libcurl does not write to it.
  mutating func append(inPlace text: UnsafePointer<CChar>) {
    precondition(count < Self.capacity, "more header fields than there is room for")
    unsafe (nodes + count).initialize(
      to: curl_slist(data: UnsafeMutablePointer(mutating: text), next: nil))
    if count > 0 { unsafe nodes[count - 1].next = nodes + count }
    count += 1
  }

  borrowing func withList(_ body: (UnsafeMutablePointer<curl_slist>) -> Void) {
    unsafe body(nodes)
  }
}
