"""What the tests share: an emulator in this process, and a client that works on raw bytes.

The client signs with its own few lines, so that a mistake in authorization.py can't hide itself.
"""

import base64
import hashlib
import hmac
import json
import os
import socket
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from email.utils import formatdate

import license_server

API_KEY = "00000000-1111-2222-3333-444444444444"
SHARED_KEY = "kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja"
PATH = "/api/v4/deactivate_license"
TOKEN = "/realms/user-portal/protocol/openid-connect/token"
# The captures' date: Thu, 17 Nov 2022 20:51:35 GMT.
EPOCH = 1668718295

STATE = {
    "api_keys": {API_KEY: {"shared_key": SHARED_KEY}},
    "products": {"XY": {}},
    "licenses": [{"id": 1, "product": "XY", "license_key": "KEY-1", "devices": ["device-1"]},
                 {"id": 2, "product": "XY", "license_key": "KEY-2", "devices": ["device-1"]}],
}
BODY = {"hardware_id": "device-1", "product": "XY", "license_key": "KEY-1"}


class Emulator:
    """Without TLS unless `tls`; `control` speaks to the real control port."""

    def __init__(self, *arguments, state=STATE, tls=False):
        self.folder = tempfile.TemporaryDirectory(prefix="license-server-test-")
        more = [] if tls else ["--plain"]
        self.options = license_server.parser().parse_args(
            ["--port", "0", "--epoch", str(EPOCH), *more, *arguments])
        self.server = license_server.build(self.options, state)
        self.ready = license_server.start(self.options, self.server, self.folder.name)
        self.tls = tls

    def close(self):
        self.server.faults.set([])
        self.server.listener.close()
        if self.server.log.file:
            self.server.log.file.close()
        self.folder.cleanup()

    def control(self, path, body=None, expect=200):
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(self.ready["control_url"] + path, data,
                                        timeout=10) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as problem:
            status, text = problem.code, problem.read()
        assert status == expect, (status, text)
        return json.loads(text)

    def faults(self, *faults):
        return self.control("/faults", list(faults))

    def log(self):
        return self.control("/log")["entries"]

    def connect(self, timeout=10):
        sock = socket.create_connection((self.options.bind, self.ready["port"]), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.tls:
            return sock
        context = ssl.create_default_context(cafile=self.ready["ca_file"])
        # The handshake by itself, so that the socket can be closed when it fails.
        wrapped = context.wrap_socket(sock, server_hostname="localhost",
                                      do_handshake_on_connect=False)
        try:
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped

    def send(self, raw, timeout=10):
        """One request on a connection of its own: the Answer."""
        with self.connect(timeout) as sock:
            sock.sendall(raw)
            return read_answer(sock)

    def post(self, body=BODY, **options):
        return self.send(request(body, **options))


class Answer:
    def __init__(self, raw, status, headers, body, interim):
        self.raw, self.status, self.headers, self.body = raw, status, headers, body
        self.interim = interim

    @property
    def code(self):
        return json.loads(self.body)["code"]

    @property
    def is_success(self):
        return self.status == 200 and self.body == b'"license_deactivated"'

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


def read_answer(sock):
    """Reads one answer as a careful client does: EOFError when it ends too early."""
    raw = b""

    def more():
        nonlocal raw
        data = sock.recv(65536)
        if not data:
            raise EOFError(raw)
        raw += data

    start, interim = 0, []
    while True:
        while (end := raw.find(b"\r\n\r\n", start)) < 0:
            more()
        lines = raw[start:end].decode("latin-1").split("\r\n")
        assert lines[0].startswith("HTTP/1.1 "), lines[0]
        status = int(lines[0].split(" ")[1])
        start = end + 4
        if status >= 200:
            break
        interim.append(status)
    headers = dict(line.split(": ", 1) for line in lines[1:])
    if headers.get("Transfer-Encoding") == "chunked":
        body = b""
        while True:
            while (line := raw.find(b"\r\n", start)) < 0:
                more()
            size = int(raw[start:line], 16)
            while len(raw) < line + 4 + size:
                more()
            body += raw[line + 2:line + 2 + size]
            start = line + 4 + size
            if size == 0:
                return Answer(raw, status, headers, body, interim)
    if "Content-Length" in headers:
        while len(raw) < start + int(headers["Content-Length"]):
            more()
    else:
        try:
            while True:
                more()
        except EOFError:
            pass
    return Answer(raw, status, headers, raw[start:], interim)


def read_until_end(emulator, raw, timeout=10):
    """Everything that comes until the end, and how it ends: "fin", "cut" or "reset".

    TLS over a socket of our own, since Python's SSLSocket reports RST and FIN alike.
    """
    data, end = b"", "fin"
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=emulator.ready["ca_file"])
    # Some builds of Python take an end without close_notify for a clean one.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0x80)
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    address = ("127.0.0.1", emulator.ready["port"])
    with socket.create_connection(address, timeout) as sock:
        def step(action, *arguments):
            while True:
                try:
                    return action(*arguments)
                except ssl.SSLWantReadError:
                    sock.sendall(outgoing.read())
                    block = sock.recv(65536)
                    incoming.write(block) if block else incoming.write_eof()
        step(tls.do_handshake)
        step(tls.write, raw)
        try:
            while block := step(tls.read, 65536):
                data += block
        except ssl.SSLZeroReturnError:
            pass
        except ssl.SSLError as problem:
            # An SSLEOFError in newer builds of Python, a plain SSLError in Debian's.
            assert problem.reason == "UNEXPECTED_EOF_WHILE_READING" or \
                isinstance(problem, ssl.SSLEOFError), problem
            end = "cut"
        except (ConnectionResetError, BrokenPipeError):
            end = "reset"
    return data, end


def signature(text, key=SHARED_KEY):
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def authorization(date, key=SHARED_KEY, api_key=API_KEY):
    signed = signature(f"licenseSpring\ndate: {date}", key)
    return f'algorithm="hmac-sha256",headers="date",signature="{signed}",apiKey="{api_key}"'


def request(body=BODY, epoch=EPOCH, path=PATH, method="POST", headers=None, key=SHARED_KEY,
            api_key=API_KEY):
    """The raw bytes of a signed request; `headers` replace the usual ones, None removes."""
    date = formatdate(epoch, usegmt=True)
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    fields = {"Host": "localhost", "User-Agent": "test/1", "Accept": "application/json",
              "Content-Type": "application/json", "Date": date,
              "Authorization": authorization(date, key, api_key),
              "Content-Length": str(len(body)), **(headers or {})}
    lines = [f"{name}: {value}\r\n" for name, value in fields.items() if value is not None]
    return f"{method} {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body


def wait_until(condition, seconds=5):
    """For what another thread does: polls, since there is nothing to wait on."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def captures():
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.join(here, "..", "Vectors", "captures")
