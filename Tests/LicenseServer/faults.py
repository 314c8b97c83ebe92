"""Faults on demand: which there are, which is next, and which request it meets.

A fault is {"kind": …, "count": N, "match": {…}, parameters}. What a kind does at the byte level
is in fault_actions.py and, for those that strike before a request is read, in server.py.
"""

import threading

from api import TOKEN

NUMBER = (int, float)
TEXT = (str, type(None))

# Where a kind strikes.
LISTENER, ACCEPT, HEAD, REQUEST = "listener", "accept", "head", "request"


class Kind:
    """`parameters`: name -> (types, default). `act`: whether the API acts, or None if fixed."""

    def __init__(self, phase, text, act=None, **parameters):
        self.phase = phase
        self.text = text
        self.parameters = dict(parameters)
        if act is not None:
            self.parameters["act"] = (bool, act)


KINDS = {
    # Before a request is read.
    "refuse": Kind(LISTENER, "the port is closed for `seconds` (0: until the faults are cleared); "
                   "`drop_connections` resets those that are open",
                   seconds=(NUMBER, 0), drop_connections=(bool, True)),
    "close_on_accept": Kind(ACCEPT, "accepts and closes; `reset` with RST", reset=(bool, False)),
    "stall_accept": Kind(ACCEPT, "accepts, then says nothing: no TLS handshake",
                         seconds=(NUMBER, 3600)),
    "tls_close": Kind(ACCEPT, "closes after the ClientHello; `reset` with RST",
                      reset=(bool, False)),
    "http_on_https": Kind(ACCEPT, "answers the ClientHello with plain HTTP 400"),
    "early_response": Kind(HEAD, "answers `status` before the body is read, without acting; with "
                           "`linger` false the unread body makes the kernel reset",
                           status=(int, 413), code=(TEXT, None), message=(str, "early response"),
                           linger=(bool, True)),
    # No answer.
    "stall_before": Kind(REQUEST, "reads the request, doesn't act, never answers",
                         seconds=(NUMBER, 3600)),
    "stall_after": Kind(REQUEST, "acts, never answers", seconds=(NUMBER, 3600)),
    "reset_before": Kind(REQUEST, "RST instead of acting"),
    "reset_after": Kind(REQUEST, "acts, then RST"),
    "close_after": Kind(REQUEST, "acts, then FIN without an answer; `clean` with TLS close_notify",
                        act=True, clean=(bool, True)),
    "truncate": Kind(REQUEST, "only the first `at` bytes of the answer (negative: all but so "
                     "many), then FIN", act=True, at=(int, 40), clean=(bool, True)),
    "truncate_reset": Kind(REQUEST, "the same, then RST", act=True, at=(int, 40)),
    # Another answer.
    "status": Kind(REQUEST, "answers `status` with `code` and `message`, or with `body` as it is",
                   act=False, status=(int, 500), code=(TEXT, None), message=(str, "a fault"),
                   headers=(list, []), body=(TEXT, None)),
    "status_after": Kind(REQUEST, "acts, then answers the same way", act=True, status=(int, 500),
                         code=(TEXT, None), message=(str, "a fault"), headers=(list, []),
                         body=(TEXT, None)),
    "retry_after": Kind(REQUEST, "`status` with Retry-After in `seconds`; `form`: seconds, date, "
                        "none; or `value` as it is", act=False, status=(int, 429),
                        seconds=(int, 1), form=(str, "seconds"), value=(TEXT, None),
                        code=(TEXT, None), body=(TEXT, None)),
    "redirect": Kind(REQUEST, "`status` 301, 302, 303, 307 or 308 to `location`", act=False,
                     status=(int, 302), location=(str, "https://elsewhere.invalid/login")),
    "captive_portal": Kind(REQUEST, "a log-in page as HTML, `status` 200 or 511", act=False,
                           status=(int, 200)),
    "garbage": Kind(REQUEST, "`bytes` bytes that are no HTTP, then FIN", act=False,
                    bytes=(int, 512)),
    "raw": Kind(REQUEST, "answers `answer` as it is, one byte for each of its characters (Latin-1), "
                "then `end`: fin, reset, stall, or keep for a connection that goes on", act=False,
                answer=(str, ""), end=(str, "fin")),
    "wrong_success": Kind(REQUEST, "200 with another `body`", act=False,
                          body=(str, '"license_activated"')),
    "huge_body": Kind(REQUEST, "200 with a body of `bytes` bytes", act=False,
                      bytes=(int, 8 << 20), status=(int, 200)),
    "huge_headers": Kind(REQUEST, "`bytes` bytes of headers before the answer", act=False,
                         bytes=(int, 1 << 20)),
    "endless_body": Kind(REQUEST, "200 and the right word, then spaces without end (`bytes` at "
                         "most)", act=False, bytes=(int, 1 << 30)),
    "proxy_407": Kind(REQUEST, "407 of a proxy that wants to be logged in to", act=False),
    "oauth_error": Kind(REQUEST, "an RFC 6749 error from the token endpoint (only requests to it "
                        "match)", status=(int, 401), error=(str, "invalid_client"),
                        description=(str, "Invalid client or Invalid client credentials")),
    # The right answer, oddly sent.
    "bad_content_length": Kind(REQUEST, "Content-Length is off by `by` (positive: too long, then "
                               "FIN)", act=True, by=(int, 10)),
    "chunked": Kind(REQUEST, "the answer in valid chunks of `size` bytes", act=True,
                    size=(int, 7)),
    "bad_chunk": Kind(REQUEST, "a chunk size that is no number, then FIN", act=True),
    "flip": Kind(REQUEST, "byte `at` of the answer XOR `xor`", act=True, at=(int, -1),
                 xor=(int, 1)),
    "drop_header": Kind(REQUEST, "the answer without the header `name`", act=True,
                        name=(str, "Date")),
    "set_header": Kind(REQUEST, "the answer with the header `name` set to `value`", act=True,
                       name=(str, ...), value=(str, ...)),
    "skew": Kind(REQUEST, "the server's clock is `seconds` off (checks and Date)",
                 seconds=(int, 3600)),
    "slow_bytes": Kind(REQUEST, "`bytes_per_second` after `delay_first` seconds", act=True,
                       bytes_per_second=(NUMBER, 100), delay_first=(NUMBER, 0)),
    "one_hundred": Kind(REQUEST, "interim answers with these `statuses` come first", act=True,
                        statuses=(list, [100, 102, 103])),
    "connection_close": Kind(REQUEST, "the right answer with `Connection: close`", act=True),
}

MATCHES = {"path": str, "method": str, "license_key": str, "username": str, "hardware_id": str,
           "product": str, "license_id": int, "nth": int}
BODY_MATCHES = ("license_key", "username", "hardware_id", "product", "license_id")


class FaultError(Exception):
    """The JSON isn't a fault: says why."""


class Fault:
    def __init__(self, value, number):
        if not isinstance(value, dict) or value.get("kind") not in KINDS:
            kind = value.get("kind") if isinstance(value, dict) else value
            raise FaultError(f"fault {number}: unknown kind {kind!r}; kinds: {', '.join(KINDS)}")
        self.kind = value["kind"]
        self.number = number
        spec = KINDS[self.kind]
        self.phase = spec.phase
        where = f"fault {number} ({self.kind})"
        self.count = value.get("count", 1)
        if type(self.count) is not int or self.count < -1 or self.count == 0:
            raise FaultError(f"{where}: count must be positive, or -1 for ever")
        self.match = value.get("match", {})
        if not isinstance(self.match, dict):
            raise FaultError(f"{where}: match must be an object")
        if self.kind == "oauth_error":
            self.match = {"path": TOKEN, **self.match}
        for name, wanted in self.match.items():
            if name not in MATCHES:
                raise FaultError(f"{where}: match has an unknown field {name!r}")
            if type(wanted) is not MATCHES[name]:
                raise FaultError(f"{where}: match {name!r} has the wrong type")
            if spec.phase == LISTENER or spec.phase == ACCEPT and name != "nth" or \
                    spec.phase == HEAD and name in BODY_MATCHES:
                raise FaultError(f"{where}: strikes before {name!r} is known")
        for name in value:
            if name not in spec.parameters and name not in ("kind", "count", "match"):
                raise FaultError(f"{where}: unknown parameter {name!r}")
        self.parameters = {}
        for name, (types, default) in spec.parameters.items():
            if name not in value and default is ...:
                raise FaultError(f"{where}: lacks {name!r}")
            given = value.get(name, default)
            types = types if isinstance(types, tuple) else (types,)
            if not isinstance(given, types) or isinstance(given, bool) and bool not in types:
                raise FaultError(f"{where}: {name!r} has the wrong type")
            self.parameters[name] = given
        for header in self.parameters.get("headers", []):
            if not (isinstance(header, list) and len(header) == 2
                    and all(isinstance(part, str) for part in header)):
                raise FaultError(f"{where}: headers must be a list of [name, value]")
        self.seen = 0
        self.hits = 0

    @property
    def is_used_up(self):
        return self.count != -1 and self.hits >= self.count

    def meets(self, facts):
        """Counts the match; with `nth` the first ones go by."""
        for name, wanted in self.match.items():
            if name != "nth" and facts(name) != wanted:
                return False
        self.seen += 1
        return self.seen >= self.match.get("nth", 1)

    def view(self):
        return {"kind": self.kind, "count": self.count, "match": self.match, "hits": self.hits,
                "seen": self.seen, **self.parameters}


class FaultList:
    """The faults in order; the first that matches and isn't used up strikes."""

    def __init__(self):
        self.lock = threading.Lock()
        self.faults = []
        # Replaced when the faults are, which ends every stall of the old ones.
        self.cleared = threading.Event()

    def set(self, values, append=False):
        if isinstance(values, dict):
            values = values["faults"] if isinstance(values.get("faults"), list) else [values]
        if not isinstance(values, list):
            raise FaultError("faults must be a list")
        new = [Fault(value, number) for number, value in enumerate(values, 1)]
        with self.lock:
            if append:
                self.faults = self.faults + new
                return
            self.faults = new
            self.cleared.set()
            self.cleared = threading.Event()

    def take(self, phase, facts):
        if not self.faults:
            return None
        with self.lock:
            for fault in self.faults:
                if fault.phase == phase and not fault.is_used_up and fault.meets(facts):
                    fault.hits += 1
                    return fault
        return None

    def view(self):
        with self.lock:
            return [fault.view() for fault in self.faults]


def table():
    """The kinds as a Markdown table, for README.md and --list-faults."""
    lines = ["| kind | what happens | parameters and defaults |", "| --- | --- | --- |"]
    for name, kind in KINDS.items():
        shown = ", ".join(f"`{parameter}` {_default(default)}"
                          for parameter, (_, default) in kind.parameters.items())
        lines.append(f"| `{name}` | {kind.text} | {shown or '–'} |")
    return "\n".join(lines)


def _default(value):
    if value is ...:
        return "(needed)"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    return f"`{value}`" if isinstance(value, (str, list)) else str(value)
