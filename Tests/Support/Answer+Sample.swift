import HandbackCore

extension Answer {
  /// An answer put together from text, with the fields given as lines.
  public init(_ status: Int, _ body: String = "", fields: [String] = []) {
    self.init(status: status)
    for field in fields { addField(Array(field.utf8).span) }
    precondition(appendBody(Array(body.utf8).span), "a sample's body is over the limit")
  }

  /// The License API's error object.
  public static func error(
    _ status: Int, _ code: String, message: String = "no", fields: [String] = []
  ) -> Answer {
    Answer(
      status, "{\"status\": \(status), \"code\": \"\(code)\", \"message\": \"\(message)\"}",
      fields: ["Content-Type: application/json"] + fields)
  }
}
