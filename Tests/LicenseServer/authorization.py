"""Who asks: the Date and Authorization headers, written down from the documentation.

String to sign: `licenseSpring` LF `date: ` + the value of Date, no final newline. Signature:
Base64 of HMAC-SHA256 keyed with the shared key's UTF-8 bytes. Method, path and body are not
signed, which is why the date must be fresh.
"""

import base64
import calendar
import hashlib
import hmac
import re
import secrets

from errors import Refusal

FRESH_SECONDS = 15 * 60

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FIXDATE = re.compile(
    r"([A-Z][a-z]{2}), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT")
# name="value" or name=value; white space round the comma is forgiven, see `parameters`.
PARAMETER = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^",\s]*))\s*')
BEARER = re.compile(r"[Bb]earer +(\S+)")
EXACT = re.compile(r'algorithm="hmac-sha256",headers="date",signature="[A-Za-z0-9+/]{43}=",'
                   r'apiKey="[^"]+"|Bearer [^\s"]+')


def parse_fixdate(text):
    """RFC 9110 5.6.7 IMF-fixdate, strictly, to seconds since 1970; None if it isn't one."""
    match = FIXDATE.fullmatch(text)
    if not match or match[1] not in DAYS or match[3] not in MONTHS:
        return None
    day, year = int(match[2]), int(match[4])
    hour, minute, second = int(match[5]), int(match[6]), int(match[7])
    month = MONTHS.index(match[3]) + 1
    if not (year >= 1 and 1 <= day <= calendar.monthrange(year, month)[1] and hour < 24
            and minute < 60 and second < 60):
        return None
    if DAYS[calendar.weekday(year, month, day)] != match[1]:
        return None
    return calendar.timegm((year, month, day, hour, minute, second))


def sign(key, text):
    mac = hmac.new(key.encode("utf-8"), text.encode("utf-8"), hashlib.sha256)
    return base64.b64encode(mac.digest()).decode("ascii")


def signing_string(date, *more):
    return "\n".join(("licenseSpring", f"date: {date}", *more))


def is_exact(authorization):
    """Whether the value is in the official client's form byte for byte, be it right or wrong."""
    return bool(authorization and EXACT.fullmatch(authorization))


def parameters(text):
    """The pairs of an Authorization value, names in lower case, or None if it isn't such a list.

    The documentation writes `apikey` and puts spaces after the commas, its client `apiKey`
    without: a server that serves both is lenient here [inferred], and so is this one.
    """
    pairs, position = {}, 0
    while True:
        match = PARAMETER.match(text, position)
        if not match:
            return None
        name = match[1].lower()
        if name in pairs:
            return None
        pairs[name] = match[2] if match[2] is not None else match[3]
        position = match.end()
        if position == len(text):
            return pairs
        if text[position] != ",":
            return None
        position += 1


class Caller:
    """Who was let in."""

    __slots__ = ("api_key", "client_id")

    def __init__(self, api_key=None, client_id=None):
        self.api_key = api_key
        self.client_id = client_id


def authorize(request, state, now, future_tolerance, notes):
    """The checks in the order: headers there, date's form, authorization, freshness."""
    date, authorization = request.get("date"), request.get("authorization")
    if not date or not authorization:
        missing = [name for name, value in (("Date", date), ("Authorization", authorization))
                   if not value]
        raise Refusal("missing_headers", ", ".join(missing))
    time = parse_fixdate(date)
    if time is None:
        # No document says what a malformed date gets. The only code about the value of Date is
        # this one; the log's note tells the mistake from a clock that is merely wrong.
        notes.append("Date is not an IMF-fixdate")
        raise Refusal("date_header_diff", "Date is not an IMF-fixdate")
    bearer = BEARER.fullmatch(authorization)
    if bearer:
        caller = check_bearer(bearer[1], state, now)
    else:
        caller = check_signature(date, authorization, state)
    if not is_exact(authorization):
        notes.append("Authorization is not in the official client's form")
    # After the signature, as the brief orders them: a stranger isn't told the server's tolerance.
    if time < now - FRESH_SECONDS:
        raise Refusal("date_header_diff", f"Date is {int(now - time)} seconds old")
    if time > now + future_tolerance:
        raise Refusal("date_header_diff", f"Date is {int(time - now)} seconds in the future")
    return caller


def check_signature(date, authorization, state):
    try:
        # A key beyond ASCII goes over the wire as UTF-8; the header was read as Latin-1.
        authorization = authorization.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        pass
    pairs = parameters(authorization)
    if pairs is None:
        raise Refusal("authorization_invalid_headers", "Authorization is malformed")
    missing = [name for name in ("algorithm", "headers", "signature", "apikey")
               if not pairs.get(name)]
    if missing:
        raise Refusal("authorization_missing_params", ", ".join(missing))
    if pairs["algorithm"] != "hmac-sha256":
        # The documentation's words for this code are "hmac is required algorithm".
        raise Refusal("hmac_required")
    if pairs["headers"] != "date":
        raise Refusal("authorization_invalid_headers", 'headers must be "date"')
    with state.lock:
        key = state.api_keys.get(pairs["apikey"])
    if key is None:
        raise Refusal("invalid_api_key")
    if key["revoked"]:
        raise Refusal("revoked_api_key")
    expected = sign(key["shared_key"], signing_string(date))
    # Compared as bytes: compare_digest refuses text that isn't ASCII.
    if not hmac.compare_digest(expected.encode(), pairs["signature"].encode("utf-8")):
        raise Refusal("signature_mismatch")
    if key["read_only"]:
        # Only who proved to have the key learns what the key may do.
        raise Refusal("read_only_api_key")
    return Caller(api_key=pairs["apikey"])


def check_bearer(token, state, now):
    with state.lock:
        if state.settings["hmac_required"]:
            raise Refusal("hmac_required")
        known = state.tokens.get(token)
    if known is None:
        raise Refusal("oauth_token_malformed")
    if now >= known["expires"]:
        raise Refusal("oauth_token_expired")
    return Caller(client_id=known["client_id"])


def issue_token(state, client_id, now):
    """A new access token: opaque, and not to be guessed from the one before."""
    with state.lock:
        lifetime = state.oauth_clients[client_id]["token_lifetime_seconds"]
        token = f"emulator.{secrets.token_urlsafe(24)}"
        state.tokens[token] = {"client_id": client_id, "expires": int(now) + lifetime}
    return token, lifetime
