"""The control API: plain HTTP with JSON, for tests and for people with curl.

It reads and changes the emulator from outside; no part of it exists in the real License API.
"""

import json
from urllib.parse import parse_qs

from faults import FaultError
from http_wire import Wire, WireError, encode_head, parse_head
from state import StateError

HELP = {
    "GET /licenses": "products, licenses and devices as they are now",
    "POST /licenses": "add or replace: a list of licenses, or an object with any part of a state",
    "GET /log": "what was received; ?after=N only newer entries, ?wait=SECONDS waits for one",
    "GET /counts": "requests, successes, double successes, per device, per code, per fault",
    "POST /reset": "the state, clock, faults, counts and log of the start",
    "GET /clock": "the server's clock",
    "POST /clock": '{"epoch": seconds or null, "offset": seconds}',
    "GET /faults": "the faults in force and how often each struck",
    "POST /faults": "replace the faults: a list, or one",
    "POST /faults/add": "add to the faults",
    "POST /faults/clear": "no more faults; ends those that stall",
}


class ControlError(Exception):
    """The request can't be done: says why."""


class Control:
    def __init__(self, server):
        self.server = server
        self.routes = {
            ("GET", "/"): lambda query, body: HELP,
            ("GET", "/licenses"): lambda query, body: server.state.view(),
            ("POST", "/licenses"): self.add_licenses,
            ("GET", "/log"): self.get_log,
            ("GET", "/counts"): self.get_counts,
            ("POST", "/reset"): self.reset,
            ("GET", "/clock"): lambda query, body: server.clock.view(),
            ("POST", "/clock"): self.set_clock,
            ("GET", "/faults"): lambda query, body: {"faults": server.faults.view()},
            ("POST", "/faults"): lambda query, body: self.set_faults(body),
            ("POST", "/faults/add"): lambda query, body: self.set_faults(body, append=True),
            ("POST", "/faults/clear"): lambda query, body: self.set_faults([]),
        }

    def get_counts(self, query, body):
        with self.server.state.lock:
            return self.server.state.counts.view()

    def get_log(self, query, body):
        try:
            after = int(query.get("after", ["0"])[0])
            wait = float(query.get("wait", ["0"])[0])
        except ValueError:
            raise ControlError("after and wait must be numbers") from None
        entries = self.server.log.after(after, wait)
        return {"entries": entries, "last": self.server.log.last}

    def add_licenses(self, query, body):
        self.server.state.merge({"licenses": body} if isinstance(body, list) else body)
        return self.server.state.view()

    def reset(self, query, body):
        server = self.server
        self.set_faults([])
        server.clock.reset()
        server.state.reset()
        server.log.clear()
        return {"reset": True}

    def set_clock(self, query, body):
        clock = self.server.clock
        if not isinstance(body, dict) or not set(body) <= {"epoch", "offset"}:
            raise ControlError('the body must be {"epoch": …, "offset": …}')
        for name, value in body.items():
            if type(value) not in (int, float) and not (name == "epoch" and value is None):
                raise ControlError(f"{name} must be a number")
        if "epoch" in body:
            clock.epoch = body["epoch"]
        if "offset" in body:
            clock.offset = body["offset"]
        return clock.view()

    def set_faults(self, body, append=False):
        self.server.faults.set(body, append)
        self.server.faults_changed(append)
        return {"faults": self.server.faults.view()}

    # One connection, in its own thread.

    def serve(self, sock):
        wire = Wire(sock)
        sock.settimeout(600)
        try:
            while True:
                head = wire.read_head()
                if head is None:
                    break
                request = parse_head(head)
                request.body = wire.read_body(request)
                status, value = self.answer(request)
                body = json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"
                keep = request.keeps_alive
                sock.sendall(encode_head(status, [
                    ("Content-Type", "application/json"), ("Content-Length", str(len(body))),
                    *([] if keep else [("Connection", "close")])]) + body)
                if not keep:
                    break
        except WireError as problem:
            body = json.dumps({"error": str(problem)}).encode()
            try:
                sock.sendall(encode_head(problem.status, [
                    ("Content-Length", str(len(body))), ("Connection", "close")]) + body)
            except OSError:
                pass
        except (OSError, ValueError):
            sock.close()
            return
        wire.close()

    def answer(self, request):
        route = self.routes.get((request.method, request.path))
        if route is None:
            return 404, {"error": f"no {request.method} {request.path}", "routes": HELP}
        try:
            body = json.loads(request.body) if request.body.strip() else {}
        except ValueError as problem:
            return 400, {"error": f"the body is not JSON: {problem}"}
        query = parse_qs(request.target.partition("?")[2])
        try:
            return 200, route(query, body)
        except (ControlError, FaultError, StateError) as problem:
            return 400, {"error": str(problem)}
