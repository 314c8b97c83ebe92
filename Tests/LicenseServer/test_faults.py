"""Each fault once: what the client sees, and whether the license was given back."""

import json
import ssl
import time
import unittest
import warnings

from faults import KINDS
from harness import (BODY, EPOCH, TOKEN, Emulator, read_answer, read_until_end, request,
                     wait_until)


class FaultsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator(tls=True)

    @classmethod
    def tearDownClass(cls):
        cls.emulator.close()

    def setUp(self):
        self.emulator.control("/reset", {})

    def fault(self, kind, **parameters):
        self.emulator.faults({"kind": kind, **parameters})

    def assert_acted(self, acted):
        """Whether the fault let the deactivation happen, and that the log says so."""
        counts = self.emulator.control("/counts")
        self.assertEqual(counts["successes"], int(acted))
        self.assertEqual(sum(counts["by_fault"].values()), 1)
        entry = [entry for entry in self.emulator.log() if entry["event"] == "request"][-1]
        self.assertEqual(entry["acted"], acted)
        self.assertEqual(entry["fault"], *counts["by_fault"])

    def assert_works(self):
        """The fault is over: another license can be given back."""
        answer = self.emulator.post({**BODY, "license_key": "KEY-2"})
        self.assertTrue(answer.is_success, answer)

    def read_all(self, raw=None):
        return read_until_end(self.emulator, raw or request())

    def test_every_kind_has_a_test(self):
        for kind in KINDS:
            self.assertTrue(hasattr(self, f"test_{kind}"), kind)

    # Before a request is read.

    def test_refuse(self):
        with self.emulator.connect() as sock:
            sock.sendall(request({**BODY, "license_key": "none"}))
            read_answer(sock)
            self.fault("refuse")
            with self.assertRaises(ConnectionRefusedError):
                self.emulator.connect()
            # The connection that was open is gone too.
            with self.assertRaises((OSError, EOFError)):
                sock.sendall(request())
                read_answer(sock)
        self.emulator.control("/faults/clear", {})
        self.assertEqual(self.emulator.control("/counts")["successes"], 0)
        self.assert_works()

    def test_refuse_for_seconds(self):
        self.fault("refuse", seconds=0.2)
        with self.assertRaises(ConnectionRefusedError):
            self.emulator.connect()
        wait_until(lambda: self.emulator.server.listener.socket is not None)
        self.assert_works()

    def test_close_on_accept(self):
        for reset in (False, True):
            self.fault("close_on_accept", reset=reset)
            # wrap_socket loses the socket of a connection that is gone before it begins.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)
                with self.assertRaises(OSError):
                    self.emulator.connect()
        self.assert_works()

    def test_stall_accept(self):
        self.fault("stall_accept")
        with self.assertRaises(TimeoutError):
            self.emulator.connect(timeout=0.2)
        self.assert_works()

    def test_tls_close(self):
        for reset in (False, True):
            self.fault("tls_close", reset=reset)
            with self.assertRaises(OSError):
                self.emulator.connect()
        self.assert_works()

    def test_http_on_https(self):
        self.fault("http_on_https")
        with self.assertRaisesRegex(ssl.SSLError, "WRONG_VERSION_NUMBER"):
            self.emulator.connect()
        self.assert_works()

    def test_early_response(self):
        self.fault("early_response", status=413)
        with self.emulator.connect() as sock:
            # The body never comes, and the answer doesn't wait for it.
            sock.sendall(request().partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
            answer = read_answer(sock)
        self.assertEqual((answer.status, answer.headers["Connection"]), (413, "close"))
        self.assert_acted(False)
        self.fault("early_response", linger=False, status=400)
        self.assertEqual(self.read_all(request(b" " * 200_000))[1], "reset")
        self.assert_works()

    # No answer.

    def test_stall_before(self):
        self.fault("stall_before")
        with self.assertRaises(TimeoutError):
            self.emulator.send(request(), timeout=0.2)
        self.assert_acted(False)
        self.assert_works()

    def test_stall_after(self):
        self.fault("stall_after")
        with self.emulator.connect(0.2) as sock:
            sock.sendall(request())
            with self.assertRaises(TimeoutError):
                sock.recv(1)
            self.assert_acted(True)
            # Clearing the faults ends a stall.
            self.emulator.control("/faults/clear", {})
            sock.settimeout(5)
            self.assertEqual(sock.recv(1), b"")
        self.assertEqual(self.emulator.post().code, "device_not_found")

    def test_reset_before(self):
        self.fault("reset_before")
        self.assertEqual(self.read_all(), (b"", "reset"))
        self.assert_acted(False)
        self.assertTrue(self.emulator.post().is_success)

    def test_reset_after(self):
        self.fault("reset_after")
        self.assertEqual(self.read_all(), (b"", "reset"))
        self.assert_acted(True)
        self.assertEqual(self.emulator.post().code, "device_not_found")

    def test_close_after(self):
        self.fault("close_after")
        self.assertEqual(self.read_all(), (b"", "fin"))
        self.assert_acted(True)
        self.fault("close_after", clean=False)
        self.assertEqual(self.read_all(), (b"", "cut"))

    def test_truncate(self):
        self.fault("truncate", at=-3)
        data, end = self.read_all()
        self.assertTrue(data.endswith(b'"license_deactivat') and end == "fin")
        self.assert_acted(True)
        self.fault("truncate", at=20, clean=False)
        data, end = self.read_all()
        self.assertEqual((len(data), end), (20, "cut"))

    def test_truncate_reset(self):
        self.fault("truncate_reset", at=15)
        self.assertEqual(self.read_all(), (b"HTTP/1.1 200 OK", "reset"))
        self.assert_acted(True)

    # Another answer.

    def test_status(self):
        self.fault("status", status=503, message="busy", headers=[["Retry-After", "7"]])
        answer = self.emulator.post()
        self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "7"))
        self.assertEqual(json.loads(answer.body), {"status": 503, "message": "busy"})
        self.assert_acted(False)
        self.fault("status", status=400, code="date_header_diff")
        self.assertEqual(self.emulator.post().code, "date_header_diff")
        self.fault("status", status=502, body="<html>", headers=[["Content-Type", "text/html"]])
        answer = self.emulator.post()
        self.assertEqual((answer.headers["Content-Type"], answer.body), ("text/html", b"<html>"))

    def test_status_after(self):
        self.fault("status_after", status=500, code="internal_error")
        self.assertEqual(self.emulator.post().code, "internal_error")
        self.assert_acted(True)

    def test_retry_after(self):
        self.fault("retry_after", seconds=30)
        answer = self.emulator.post()
        self.assertEqual((answer.status, answer.headers["Retry-After"]), (429, "30"))
        self.assertNotIn("code", json.loads(answer.body))
        self.assert_acted(False)
        self.fault("retry_after", seconds=30, form="date", status=503)
        answer = self.emulator.post()
        self.assertEqual((answer.status, answer.headers["Retry-After"]),
                         (503, "Thu, 17 Nov 2022 20:52:05 GMT"))
        self.fault("retry_after", form="none")
        self.assertNotIn("Retry-After", self.emulator.post().headers)
        self.fault("retry_after", value="soon")
        self.assertEqual(self.emulator.post().headers["Retry-After"], "soon")

    def test_redirect(self):
        for status in (301, 302, 303, 307, 308):
            self.setUp()
            self.fault("redirect", status=status)
            answer = self.emulator.post()
            self.assertEqual((answer.status, answer.headers["Location"]),
                             (status, "https://elsewhere.invalid/login"))
            self.assert_acted(False)

    def test_captive_portal(self):
        for status in (200, 511):
            self.setUp()
            self.fault("captive_portal", status=status)
            answer = self.emulator.post()
            self.assertEqual(answer.status, status)
            self.assertIn(b"<form", answer.body)
            self.assertTrue(answer.headers["Content-Type"].startswith("text/html"))
            self.assert_acted(False)

    def test_garbage(self):
        self.fault("garbage", bytes=100)
        data, end = self.read_all()
        self.assertEqual((len(data), end, data[:1]), (100, "fin", b"\x00"))
        self.assert_acted(False)

    def test_raw(self):
        answer = "ICY 200 \xff\x00\r\n"
        for end in ("fin", "reset"):
            self.setUp()
            self.fault("raw", answer=answer, end=end)
            self.assertEqual(self.read_all(), (answer.encode("latin-1"), end))
            self.assert_acted(False)
        self.setUp()
        self.fault("raw", answer="HTTP/1.1 204 No Content\r\n\r\n", end="keep", act=True)
        with self.emulator.connect() as sock:
            sock.sendall(request())
            self.assertEqual(sock.recv(100), b"HTTP/1.1 204 No Content\r\n\r\n")
            sock.sendall(request({**BODY, "license_key": "KEY-2"}))
            self.assertTrue(read_answer(sock).is_success)

    def test_raw_stalls(self):
        self.fault("raw", answer="HTTP/1.1 ", end="stall")
        with self.emulator.connect() as sock:
            sock.sendall(request())
            self.assertEqual(sock.recv(100), b"HTTP/1.1 ")
            sock.settimeout(0.2)
            with self.assertRaises(TimeoutError):
                sock.recv(100)

    def test_wrong_success(self):
        self.fault("wrong_success")
        answer = self.emulator.post()
        self.assertEqual((answer.status, answer.body), (200, b'"license_activated"'))
        self.assert_acted(False)

    def test_huge_body(self):
        self.fault("huge_body", bytes=3_000_000)
        self.assertEqual(len(self.emulator.post().body), 3_000_000)
        self.assert_acted(False)

    def test_huge_headers(self):
        self.fault("huge_headers", bytes=300_000)
        answer = self.emulator.post()
        self.assertGreater(len(answer.raw), 300_000)
        self.assertTrue(answer.is_success)
        self.assert_acted(False)

    def test_endless_body(self):
        self.fault("endless_body")
        with self.emulator.connect() as sock:
            sock.sendall(request())
            data = b""
            while len(data) < 1_000_000:
                data += sock.recv(65536)
        self.assertNotIn(b"Content-Length", data)
        self.assertEqual(data.partition(b"\r\n\r\n")[2].strip(), b'"license_deactivated"')
        self.assert_acted(False)

    def test_proxy_407(self):
        self.fault("proxy_407")
        answer = self.emulator.post()
        self.assertEqual(answer.status, 407)
        self.assertIn("Proxy-Authenticate", answer.headers)
        self.assert_acted(False)

    def test_oauth_error(self):
        self.fault("oauth_error", error="unauthorized_client", status=400)
        self.assertTrue(self.emulator.post().is_success)  # Not the token endpoint.
        answer = self.emulator.post(b"", path=TOKEN)
        self.assertEqual((answer.status, json.loads(answer.body)["error"]),
                         (400, "unauthorized_client"))

    # The right answer, oddly sent.

    def test_bad_content_length(self):
        self.fault("bad_content_length", by=10)
        with self.assertRaises(EOFError):
            self.emulator.post()
        self.assert_acted(True)
        self.setUp()
        self.fault("bad_content_length", by=-2)
        data, end = self.read_all()
        self.assertIn(b"Content-Length: 19\r\n", data)
        self.assertTrue(data.endswith(b'"license_deactivated"') and end == "fin")

    def test_chunked(self):
        self.fault("chunked", size=4)
        with self.emulator.connect() as sock:
            sock.sendall(request())
            answer = read_answer(sock)
            self.assertTrue(answer.is_success and b"4\r\n" in answer.raw)
            sock.sendall(request({**BODY, "license_key": "KEY-2"}))
            self.assertTrue(read_answer(sock).is_success)

    def test_bad_chunk(self):
        self.fault("bad_chunk")
        data, end = self.read_all()
        self.assertTrue(data.endswith(b"zz\r\n") and end == "fin")
        self.assert_acted(True)

    def test_flip(self):
        self.fault("flip", at=-2, xor=1)
        answer = self.emulator.post()
        self.assertEqual(answer.body, b'"license_deactivatee"')
        self.assert_acted(True)

    def test_drop_header(self):
        self.fault("drop_header")
        answer = self.emulator.post()
        self.assertTrue(answer.is_success)
        self.assertNotIn("Date", answer.headers)
        self.assert_acted(True)

    def test_set_header(self):
        self.fault("set_header", name="Date", value="yesterday")
        answer = self.emulator.post()
        self.assertTrue(answer.is_success)
        self.assertEqual(answer.raw.count(b"Date:"), 1)
        self.assertEqual(answer.headers["Date"], "yesterday")
        self.assert_acted(True)

    def test_skew(self):
        self.fault("skew", seconds=3600, count=2)
        answer = self.emulator.post()
        self.assertEqual((answer.code, answer.headers["Date"]),
                         ("date_header_diff", "Thu, 17 Nov 2022 21:51:35 GMT"))
        # With the date corrected the same server accepts.
        self.assertTrue(self.emulator.post(epoch=EPOCH + 3600).is_success)
        self.assert_works()

    def test_slow_bytes(self):
        self.fault("slow_bytes", bytes_per_second=1000, delay_first=0.1)
        begin = time.monotonic()
        answer = self.emulator.post()
        self.assertTrue(answer.is_success)
        self.assertGreater(time.monotonic() - begin, 0.2)
        self.assert_acted(True)

    def test_one_hundred(self):
        self.fault("one_hundred")
        answer = self.emulator.post()
        self.assertEqual(answer.interim, [100, 102, 103])
        self.assertTrue(answer.is_success)
        self.assert_acted(True)

    def test_connection_close(self):
        self.fault("connection_close")
        data, end = self.read_all()
        self.assertTrue(b"Connection: close\r\n" in data and end == "fin")
        self.assert_acted(True)


if __name__ == "__main__":
    unittest.main()
