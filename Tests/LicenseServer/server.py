"""Listening, connections and threads: the part between the sockets and the API."""

import ipaddress
import json
import select
import socket
import ssl
import threading
import time

from exchange import Exchange
from fault_actions import ACTIONS, error_body
from faults import ACCEPT, BODY_MATCHES, HEAD, LISTENER, REQUEST
from http_wire import Response, Wire, WireError, encode_head, imf_fixdate, parse_head

HANDSHAKE_SECONDS = 10
IDLE_SECONDS = 300


class Clock:
    """The server's time: the real one or a fixed one, and an offset."""

    def __init__(self, epoch=None, offset=0):
        self.start = (epoch, offset)
        self.epoch, self.offset = epoch, offset

    def now(self):
        return (time.time() if self.epoch is None else self.epoch) + self.offset

    def reset(self):
        self.epoch, self.offset = self.start

    def view(self):
        return {"epoch": self.epoch, "offset": self.offset, "now": int(self.now()),
                "date": imf_fixdate(self.now())}


class Listener:
    """A listening socket that can be closed for a while without losing its port."""

    def __init__(self, address, port, serve):
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.address = address
        self.serve = serve
        self.lock = threading.Lock()
        self.generation = 0
        # While refusing: bound and not listening, so that nobody else gets the port.
        self.held = None
        self.socket = self._bound(port)
        self.port = self.socket.getsockname()[1]
        self._listen()

    def _bound(self, port):
        sock = socket.socket(self.family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.address, port))
        return sock

    def _listen(self):
        self.socket.listen(512)
        threading.Thread(target=self._accept, args=(self.socket,), daemon=True).start()

    def _accept(self, sock):
        while True:
            try:
                connection, _ = sock.accept()
            except OSError:
                # Ends when `refuse` has shut the socket down; any other failure (too many open
                # files) passes, and must not end the server.
                if sock is not self.socket or sock.fileno() < 0:
                    return
                time.sleep(0.01)
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def refuse(self, seconds):
        with self.lock:
            self.generation += 1
            generation = self.generation
            listening, self.socket = self.socket, None
            if listening is not None:
                try:
                    listening.shutdown(socket.SHUT_RDWR)  # wakes accept()
                except OSError:
                    pass
                listening.close()
                self.held = self._bound(self.port)
        if seconds > 0:
            timer = threading.Timer(seconds, self.accept_again, (generation,))
            timer.daemon = True
            timer.start()

    def accept_again(self, generation=None):
        """`generation` of the refusal that ends; None ends whichever there is."""
        with self.lock:
            if self.socket is None and generation in (None, self.generation):
                self.socket, self.held = self.held, None
                self._listen()

    def close(self):
        self.refuse(0)
        self.held.close()


class Session:
    """One connection: its number, its socket, how many requests came over it."""

    def __init__(self, server, wire, number):
        self.server = server
        self.wire = wire
        self.number = number
        self.requests = 0
        self.tls_version = None


class Server:
    def __init__(self, api, state, clock, log, faults, context=None):
        self.api = api
        self.state = state
        self.clock = clock
        self.log = log
        self.faults = faults
        self.context = context
        self.listener = None
        self.sessions = {}
        self.sessions_lock = threading.Lock()
        self.next_number = 0

    def listen(self, address, port):
        self.listener = Listener(address, port, self.serve)
        return self.listener.port

    # Faults of the listener, when the list of faults is set.

    def faults_changed(self, append=False):
        """Closes or opens the port as the new list says; added faults don't end a refusal."""
        refusal = next((fault for fault in self.faults.faults
                        if fault.phase == LISTENER and not fault.is_used_up), None)
        if refusal is None:
            if not append:
                self.listener.accept_again()
            return
        refusal.hits += 1
        self._count_fault(refusal.kind)
        self.listener.refuse(refusal.parameters["seconds"])
        if refusal.parameters["drop_connections"]:
            with self.sessions_lock:
                wires = [session.wire for session in self.sessions.values()]
            for wire in wires:
                try:
                    # The thread that reads from it sees the end and closes its socket.
                    wire.drop()
                except OSError:
                    pass

    # One connection, in its own thread.

    def serve(self, sock):
        with self.sessions_lock:
            self.next_number += 1
            session = Session(self, Wire(sock), self.next_number)
            self.sessions[session.number] = session
            self.state.counts.connections += 1
        try:
            if self._begin(session):
                while self._one_request(session):
                    pass
        except (OSError, ValueError):
            # The client left, or a fault closed the socket under us.
            session.wire.sock.close()
        finally:
            with self.sessions_lock:
                del self.sessions[session.number]

    def _begin(self, session):
        """Faults at accept, then the TLS handshake; false when the connection is over."""
        wire = session.wire
        wire.sock.settimeout(HANDSHAKE_SECONDS)
        fault = self.faults.take(ACCEPT, lambda name: None)
        if fault is not None and not self._accept_fault(session, fault):
            return False
        if self.context is not None:
            try:
                wire.sock = self.context.wrap_socket(wire.sock, server_side=True)
            except (ssl.SSLError, OSError) as problem:
                reason = getattr(problem, "reason", None) or str(problem) or "closed"
                self._log_connection(session, "tls_failed", reason)
                with self.state.lock:
                    self.state.counts.tls_failures += 1
                wire.sock.close()
                return False
            session.tls_version = wire.sock.version()
        wire.sock.settimeout(IDLE_SECONDS)
        return True

    def _accept_fault(self, session, fault):
        self._log_connection(session, fault.kind, None)
        self._count_fault(fault.kind)
        wire, parameters = session.wire, fault.parameters
        if fault.kind == "stall_accept":
            deadline = time.monotonic() + parameters["seconds"]
            cleared = self.faults.cleared
            while time.monotonic() < deadline and not cleared.is_set():
                if wire.peer_left(0.1):
                    break
            wire.reset()
            return False
        if fault.kind in ("tls_close", "http_on_https"):
            wire.sock.recv(65536)
        if fault.kind == "http_on_https":
            body = b"<html><body>400 The plain HTTP request was sent to HTTPS port</body></html>"
            wire.sock.sendall(encode_head(400, [("Content-Type", "text/html"),
                                                ("Content-Length", str(len(body))),
                                                ("Connection", "close")]) + body)
        if parameters.get("reset"):
            wire.reset()
        else:
            wire.close()
        return False

    def _count_fault(self, kind):
        with self.state.lock:
            counts = self.state.counts
            counts.by_fault[kind] = counts.by_fault.get(kind, 0) + 1

    def _log_connection(self, session, event, reason):
        self.log.add({"event": "connection", "time": int(self.clock.now()),
                      "wall_time": round(time.time(), 3), "connection": session.number,
                      "what": event, "reason": reason})

    def _one_request(self, session):
        """Reads a request and answers it; false when the connection is over."""
        wire = session.wire
        try:
            head = wire.read_head()
            if head is None:
                wire.close()
                return False
            session.requests += 1
            request = parse_head(head)
            if self.faults.faults:
                fault = self.faults.take(HEAD, lambda name: getattr(request, name, None))
                if fault is not None:
                    return self._early_response(session, request, fault)
            request.body = wire.read_body(request)
        except TimeoutError:
            wire.close()
            return False
        except WireError as problem:
            return self._malformed(session, problem)
        exchange = Exchange(self, session, request, self.clock.now())
        if self.faults.faults:
            exchange.fault = self.faults.take(REQUEST, facts_of(request))
        if exchange.fault is not None:
            return ACTIONS[exchange.fault.kind](exchange, exchange.fault.parameters)
        if request.method == "CONNECT" and self.context is None:
            return tunnel(exchange)
        return exchange.reply(exchange.act())

    def _early_response(self, session, request, fault):
        exchange = Exchange(self, session, request, self.clock.now())
        exchange.fault = fault
        parameters = fault.parameters
        response = Response(parameters["status"], error_body(parameters), code=parameters["code"])
        exchange.log(response)
        exchange.send(exchange.encode(response, close=True))
        if parameters["linger"]:
            session.wire.close()
        else:
            # No draining: the kernel resets a connection that is closed with unread input.
            session.wire.sock.close()
        return False

    def _malformed(self, session, problem):
        self._log_connection(session, "malformed", str(problem))
        counts = self.state.counts
        with self.state.lock:
            counts.requests += 1
            counts.by_status[problem.status] = counts.by_status.get(problem.status, 0) + 1
        body = json.dumps({"detail": str(problem)}).encode()
        session.wire.sock.sendall(encode_head(problem.status, [
            ("Date", imf_fixdate(self.clock.now())), ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))), ("Connection", "close")]) + body)
        session.wire.close()
        return False


def tunnel(exchange):
    """What a proxy does for CONNECT (RFC 9110 9.3.6), to this machine only; always the end."""
    host, _, port = exchange.request.target.rpartition(":")
    sock = exchange.wire.sock
    try:
        if not ipaddress.ip_address(host.strip("[]")).is_loopback:
            raise ValueError
        target = socket.create_connection((host.strip("[]"), int(port)), HANDSHAKE_SECONDS)
    except (OSError, ValueError):
        exchange.reply(Response(502, b"no way there", content_type="text/plain"), close=True)
        return False
    exchange.log()
    with target:
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        ways = {sock: target, target: sock}
        while True:
            ready, _, _ = select.select(list(ways), [], [], IDLE_SECONDS)
            for source in ready:
                data = source.recv(65536)
                if data:
                    ways[source].sendall(data)
            if not ready or not data:
                break
    exchange.wire.close()
    return False


def facts_of(request):
    """What a fault may match: the request line, and fields of the body, read when asked for."""
    parsed = []

    def fact(name):
        if name not in BODY_MATCHES:
            return getattr(request, name, None)
        if not parsed:
            try:
                value = json.loads(request.body)
            except ValueError:
                value = None
            parsed.append(value if isinstance(value, dict) else {})
        return parsed[0].get(name)
    return fact
