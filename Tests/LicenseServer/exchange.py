"""One request and its answer, with or without a fault: what the fault actions work on."""

import time

from authorization import is_exact
from http_wire import Response, encode_head, imf_fixdate
from request_log import text_fields


class Exchange:
    def __init__(self, server, session, request, now):
        self.server = server
        self.session = session
        self.wire = session.wire
        self.request = request
        self.now = now
        self.fault = None
        self.outcome = None
        self.dropped_header = None
        self.added_headers = []
        # Of the faults in force now; set when they are replaced, which ends a stall.
        self.cleared = server.faults.cleared

    def act(self):
        """Lets the API act, at `now`; returns its answer."""
        self.outcome = self.server.api.handle(self.request, self.now)
        return self.outcome.response

    def pretended_success(self):
        return Response(200, self.server.api.success_body, code="license_deactivated")

    def headers(self, response, length=True):
        headers = [("Date", imf_fixdate(self.now)), ("Server", "license-server-emulator"),
                   *response.headers]
        if length:
            headers.append(("Content-Length", str(len(response.body))))
        headers = [header for header in headers if header[0].lower() != self.dropped_header]
        return headers + self.added_headers

    def encode(self, response, close=False):
        headers = self.headers(response)
        if close:
            headers.append(("Connection", "close"))
        return encode_head(response.status, headers) + response.body

    def send(self, data):
        self.wire.sock.sendall(data)

    def reply(self, response, close=False):
        """Logs and sends; returns whether the connection may be used again."""
        close = close or not self.request.keeps_alive
        self.log(response)
        self.send(self.encode(response, close))
        if close:
            self.wire.close()
        return not close

    def wait(self, seconds):
        """True if the peer left or the faults were replaced before the time had passed."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self.wire.peer_left(min(left, 0.1)) or self.cleared.is_set():
                return True
        return False

    def log(self, response=None):
        request, outcome, server = self.request, self.outcome, self.server
        authorization = request.get("authorization")
        answer = None
        if response is not None:
            answer = {"status": response.status, "code": response.code,
                      "headers": [list(header) for header in self.headers(response)][:64],
                      **text_fields("body", response.body[:4096])}
        counts = server.state.counts
        fault = self.fault.kind if self.fault else None
        with server.state.lock:
            counts.requests += 1
            code = outcome.response.code if outcome else None
            if code:
                counts.by_code[code] = counts.by_code.get(code, 0) + 1
            status = response.status if response else "none"
            counts.by_status[status] = counts.by_status.get(status, 0) + 1
            if fault:
                counts.by_fault[fault] = counts.by_fault.get(fault, 0) + 1
        server.log.add({
            "event": "request",
            "time": int(self.now), "wall_time": round(time.time(), 3),
            "connection": self.session.number,
            "request_on_connection": self.session.requests,
            "tls": self.session.tls_version,
            "method": request.method, "path": request.path, "target": request.target,
            "headers": [list(header) for header in request.headers],
            **text_fields("body", request.body),
            "authorization_exact": is_exact(authorization),
            "notes": outcome.notes if outcome else [],
            "fault": fault,
            "acted": outcome is not None,
            "changed": outcome.changed if outcome else None,
            "outcome": {"status": outcome.response.status, "code": code} if outcome else None,
            "answer": answer,
        })
