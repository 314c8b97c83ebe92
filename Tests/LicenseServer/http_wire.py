"""HTTP/1.1 at the byte level: reading requests strictly, writing answers, ending connections.

Python's http.server hides the bytes; the faults need them. Requests are read strictly, since
the emulator is an oracle: what a lenient server would forgive is reported as a mistake here.
"""

import re
import select
import socket
import ssl
import struct
import time
from email.utils import formatdate
from urllib.parse import parse_qsl

HEADER_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 1024 * 1024

REASONS = {
    100: "Continue", 102: "Processing", 103: "Early Hints", 200: "OK", 204: "No Content",
    301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
    307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 407:
    "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict", 411:
    "Length Required", 413: "Content Too Large", 417: "Expectation Failed", 425: "Too Early",
    429: "Too Many Requests", 431: "Request Header Fields Too Large", 500:
    "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503:
    "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
    511: "Network Authentication Required",
}

REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/1\.([01])")
# A field name, no space before the colon; the value is visible text, spaces and obs-text.
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*")


class WireError(Exception):
    """The bytes are no request that this server takes."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Request:
    """One request as it came."""

    __slots__ = ("method", "target", "path", "query", "minor", "headers", "fields", "body")

    def __init__(self, method, target, minor, headers):
        self.method = method
        self.target = target
        path, _, query = target.partition("?")
        self.path = path
        self.query = dict(parse_qsl(query, keep_blank_values=True))
        self.minor = minor
        self.headers = headers
        self.fields = {}
        for name, value in headers:
            key = name.lower()
            # RFC 9110 5.3: a repeated field means its values joined. For Date and Authorization
            # that makes a value which no check accepts, which is what a repetition deserves.
            self.fields[key] = self.fields[key] + ", " + value if key in self.fields else value
        self.body = b""

    def get(self, name):
        return self.fields.get(name)

    @property
    def keeps_alive(self):
        words = [word.strip().lower() for word in self.fields.get("connection", "").split(",")]
        return "close" not in words if self.minor == 1 else "keep-alive" in words


class Response:
    """What is to be answered. `code` is the API's word for it, kept for the log."""

    __slots__ = ("status", "headers", "body", "code")

    def __init__(self, status, body=b"", headers=(), code=None, content_type="application/json"):
        self.status = status
        self.body = body
        self.headers = ([("Content-Type", content_type)] if content_type else []) + list(headers)
        self.code = code


def imf_fixdate(epoch):
    """RFC 9110 5.6.7; `email.utils` writes English names whatever the locale is."""
    return formatdate(epoch, usegmt=True)


def status_line(status):
    return f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\n"


def encode_head(status, headers):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return (status_line(status) + lines + "\r\n").encode("latin-1")


def parse_head(head):
    """`head` ends with the empty line. Returns a Request without its body."""
    lines = head[:-4].split(b"\r\n")
    match = REQUEST_LINE.fullmatch(lines[0])
    if not match:
        raise WireError(400, "malformed request line")
    headers = []
    for line in lines[1:]:
        field = FIELD.fullmatch(line)
        if not field:
            raise WireError(400, "malformed header line")
        headers.append((field[1].decode("ascii"), field[2].decode("latin-1")))
    request = Request(match[1].decode("ascii"), match[2].decode("ascii"), int(match[3]), headers)
    if request.minor == 1 and sum(name.lower() == "host" for name, _ in headers) != 1:
        raise WireError(400, "HTTP/1.1 needs exactly one Host header")
    return request


class Wire:
    """A connected socket, TLS or not, with a buffer for what was read beyond a request."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    @property
    def is_tls(self):
        return isinstance(self.sock, ssl.SSLSocket)

    def _more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def read_head(self):
        """The bytes up to and with the empty line, or None if the peer closed before any."""
        while True:
            # A client may send an empty line before a request (RFC 9112 2.2).
            while self.buffer.startswith(b"\r\n"):
                self.buffer = self.buffer[2:]
            end = self.buffer.find(b"\r\n\r\n")
            if 0 <= end <= HEADER_BYTES_MAX:
                head, self.buffer = self.buffer[:end + 4], self.buffer[end + 4:]
                return head
            if len(self.buffer) > HEADER_BYTES_MAX:
                raise WireError(431, "the header is longer than 64 KiB")
            try:
                self._more()
            except EOFError:
                if self.buffer:
                    raise WireError(400, "the connection ended inside the header") from None
                return None

    def _exactly(self, count):
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def _line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            if len(self.buffer) > 4096:
                raise WireError(400, "a chunk line is too long")
            self._more()
        line, self.buffer = self.buffer[:end], self.buffer[end + 2:]
        return line

    def body_plan(self, request):
        """How the body is framed: ("none", 0), ("length", n) or ("chunked", 0)."""
        length, coding = request.get("content-length"), request.get("transfer-encoding")
        if coding is not None:
            if length is not None:
                raise WireError(400, "Content-Length together with Transfer-Encoding")
            if coding.lower() != "chunked":
                raise WireError(501, "only the chunked coding is known")
            return "chunked", 0
        if length is None:
            return "none", 0
        if not re.fullmatch(r"[0-9]{1,15}", length):
            raise WireError(400, "malformed Content-Length")
        if int(length) > BODY_BYTES_MAX:
            raise WireError(413, "the body is longer than 1 MiB")
        return "length", int(length)

    def read_body(self, request):
        """Reads the body that the header announced; answers `Expect: 100-continue` first."""
        how, length = self.body_plan(request)
        expect = request.get("expect")
        if expect is not None and how != "none":
            if expect.lower() != "100-continue":
                raise WireError(417, "an expectation that is not 100-continue")
            if not self.buffer:
                self.sock.sendall(status_line(100).encode() + b"\r\n")
        try:
            if how == "length":
                return self._exactly(length)
            return self._chunked() if how == "chunked" else b""
        except EOFError:
            raise WireError(400, "the connection ended inside the body") from None

    def _chunked(self):
        parts, total = [], 0
        while True:
            size = self._line().partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
                raise WireError(400, "malformed chunk size")
            count = int(size, 16)
            total += count
            if total > BODY_BYTES_MAX:
                raise WireError(413, "the body is longer than 1 MiB")
            if count == 0:
                while self._line():
                    pass
                return b"".join(parts)
            parts.append(self._exactly(count))
            if self._exactly(2) != b"\r\n":
                raise WireError(400, "a chunk does not end with CR LF")

    # How a connection ends is a fault of its own, so the three ways are told apart.

    def close(self, clean=True):
        """FIN. With `clean` TLS says good-bye first (close_notify); without, it looks cut off."""
        if clean:
            self._say_close_notify()
        try:
            # With unread input the kernel would send RST and the client could lose the answer:
            # end our direction first, then take in what is still coming, for a moment.
            self.sock.shutdown(socket.SHUT_WR)
            self.sock.settimeout(0.2)
            deadline = time.monotonic() + 2
            while self.sock.recv(65536) and time.monotonic() < deadline:
                pass
        except OSError:
            pass
        self.sock.close()

    def reset(self):
        """RST: SO_LINGER with zero seconds throws away what is unsent and says so."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.sock.close()

    def drop(self):
        """Ends the connection from another thread, as if the server had died."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Not SSLSocket's own shutdown: that takes the TLS state away from the reading thread.
        socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def _say_close_notify(self):
        if not self.is_tls:
            return
        try:
            # Not blocking: the peer's own close_notify isn't waited for.
            self.sock.setblocking(False)
            self.sock.unwrap()
        except (OSError, ValueError):
            pass

    def peer_left(self, seconds):
        """Waits; true as soon as the peer has closed, false when the time has passed."""
        poll = select.poll()
        poll.register(self.sock, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        return bool(poll.poll(max(0, seconds) * 1000))
