extension Flusher {
  /// The `Authorization` field for a request with this date.
  borrowing func authorization(for date: IMFFixdate) -> Secret {
    switch authorizer {
    case .signature(let signer):
      signer.sign(date)
      return signer.copyField()
    case .bearer(let field):
      return field.copy()
    case .clientCredentials(let keeper):
      return keeper.copyField()
    }
  }

  /// The body of the deactivation in hand.
  borrowing func body() -> Secret {
    guard case .deactivation(let deactivation) = current?.content else {
      preconditionFailure("a deactivation is in hand here")
    }
    return deactivation.body()
  }

  /// What must be fetched before anything can be sent, if anything.
  mutating func tokenExchange(at now: Moment) -> Exchange? {
    guard let keeper = tokenKeeper, !keeper.hasToken(at: now), let clock = server?.clock else {
      return nil
    }
    let date = IMFFixdate(epochSeconds: clock.seconds(at: now))
    let certificateSeconds = clock.certificateSeconds(at: now)
    let nothing = [UInt8]()
    guard let url = keeper.tokenURL else {
      stage = .awaitingTokenAddress
      return Exchange(
        target: .tokenAddress, date: date, certificateSeconds: certificateSeconds,
        authorization: Secret(copying: nothing.span), body: Secret(copying: nothing.span))
    }
    stage = .awaitingToken
    return Exchange(
      target: .token(url: url), date: date, certificateSeconds: certificateSeconds,
      authorization: Secret(copying: nothing.span), body: keeper.requestBody())
  }

  /// Where a signature authorizes, a refused token is the license's user's.
  var bearsToken: Bool {
    borrowing get {
      switch authorizer {
      case .signature: return false
      case .bearer: return true
      case .clientCredentials: return true
      }
    }
  }

  var tokenKeeper: TokenKeeper? {
    borrowing get {
      switch authorizer {
      case .clientCredentials(let keeper): return keeper
      case .signature: return nil
      case .bearer: return nil
      }
    }
  }
}
