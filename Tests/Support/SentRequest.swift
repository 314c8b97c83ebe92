import Foundation
import HandbackCore

/// What an exchange put on the wire.
public struct SentRequest: Sendable {
  public enum Target: Equatable, Sendable {
    case deactivateLicense
    case tokenAddress
    case token(url: String)
  }

  public let target: Target
  public let date: String
  public let dateSeconds: Int64
  public let authorization: String
  public let body: String
  public let certificateSeconds: Int64
  public let sentAt: Moment

  public init(_ exchange: borrowing Exchange, at now: Moment) {
    switch exchange.target {
    case .deactivateLicense: target = .deactivateLicense
    case .tokenAddress: target = .tokenAddress
    case .token(let url): target = .token(url: url.string)
    }
    date = exchange.date.text
    dateSeconds = Self.seconds(date)
    authorization = exchange.authorization.copyBytes().text
    body = exchange.body.copyBytes().text
    certificateSeconds = exchange.certificateSeconds
    sentAt = now
  }

  /// A deactivation put together by hand.
  public init(body: String, dateSeconds: Int64 = 0, authorization: String = "") {
    target = .deactivateLicense
    date = IMFFixdate(epochSeconds: dateSeconds).text
    self.dateSeconds = dateSeconds
    self.authorization = authorization
    self.body = body
    certificateSeconds = dateSeconds
    sentAt = Moment(wallSeconds: dateSeconds, bootMilliseconds: 0, bootID: 0)
  }

  /// Own reading of `Thu, 17 Nov 2022 20:51:35 GMT`, by the days of each year and month.
  public static func seconds(_ text: String) -> Int64 {
    let parts = text.split(whereSeparator: { " ,:".contains($0) }).map(String.init)
    let names = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    guard parts.count == 8, let day = Int64(parts[1]), let month = names.firstIndex(of: parts[2]),
      let year = Int(parts[3]), let hour = Int64(parts[4]), let minute = Int64(parts[5]),
      let second = Int64(parts[6])
    else { preconditionFailure("a date that no server reads: \(text)") }
    func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
    var days = day - 1
    for past in 1970..<max(year, 1970) { days += isLeap(past) ? 366 : 365 }
    let lengths = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    for past in 0..<month { days += Int64(lengths[past]) }
    return ((days * 24 + hour) * 60 + minute) * 60 + second
  }

  /// A member of the body.
  public func field(_ name: String) -> String? {
    let object = try? JSONSerialization.jsonObject(with: Data(body.utf8))
    return (object as? [String: Any])?[name] as? String
  }
}
