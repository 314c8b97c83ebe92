"""The program, its certificates, HTTP and the control API."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from harness import BODY, EPOCH, Emulator, read_answer, request, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = [sys.executable, os.path.join(HERE, "license_server.py")]


def run(*arguments):
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=20)


class ProgramTest(unittest.TestCase):
    def start(self, *arguments):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        process = subprocess.Popen([*PROGRAM, "--port", "0", "--directory", folder.name,
                                    *arguments], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        path = os.path.join(folder.name, "ready.json")
        wait_until(lambda: os.path.exists(path))
        with open(path) as file:
            return process, json.load(file), path

    def test_ready_and_ended_by_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process, ready, path = self.start()
            self.assertEqual(ready["base_url"], f"https://127.0.0.1:{ready['port']}")
            self.assertEqual(ready["pid"], process.pid)
            folder = os.path.dirname(path)
            for name in ("ca.key", "server.key"):
                self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o777, 0o600)
            # A connection in the middle of a request doesn't hold it up.
            with socket.create_connection(("127.0.0.1", ready["port"])):
                begin = time.monotonic()
                process.send_signal(number)
                self.assertEqual(process.wait(5), 0)
                self.assertLess(time.monotonic() - begin, 1)
            self.assertRegex(process.stdout.read(),
                             r"\Aemulator: serving https://\S+, control http://\S+, trust \S+\n\Z")
            self.assertFalse(os.path.exists(path))

    def test_the_authority_outlives_the_emulator(self):
        with tempfile.TemporaryDirectory() as folder:
            kept = []
            for kind in ("good", "wrong-name"):
                process = subprocess.Popen([*PROGRAM, "--port", "0", "--directory", folder,
                                            "--quiet", "--certificate", kind])
                wait_until(lambda: os.path.exists(os.path.join(folder, "ready.json")))
                with open(os.path.join(folder, "ca.pem")) as file:
                    kept.append(file.read())
                process.terminate()
                process.wait()
            self.assertEqual(kept[0], kept[1])

    def test_demo_state(self):
        printed = run("--print-state")
        self.assertEqual(printed.returncode, 0)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(printed.stdout)
            file.flush()
            self.start("--state", file.name, "--plain", "--quiet")

    def test_help_and_faults(self):
        self.assertIn("--print-state", run("--help").stdout)
        listed = run("--list-faults").stdout
        with open(os.path.join(HERE, "README.md"), encoding="utf-8") as file:
            self.assertIn(listed, file.read(), "README.md: paste `--list-faults` again")

    def test_mistakes(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('{"licenses": [{"id": 1, "product": "XY", "enabeld": false}]}')
            file.flush()
            for arguments, status, message in (
                    (("--bind", "0.0.0.0"), 64, "would be reachable from other machines"),
                    (("--bind", "localhost"), 64, "is not an address"),
                    (("--port", "x"), 64, "invalid int value"),
                    (("--unknown",), 64, "unrecognized arguments"),
                    (("--state", "none.json"), 66, "cannot read the state none.json"),
                    (("--state", file.name), 65, "unknown field 'enabeld'"),
                    (("--log", "/"), 73, "cannot write the log /"),
                    (("--license-signature", "?"), 64, "is not Base64")):
                with self.subTest(arguments):
                    done = run(*arguments)
                    self.assertEqual(done.returncode, status, done.stderr)
                    self.assertRegex(done.stderr, r"\Aemulator: error: ")
                    self.assertIn(message, done.stderr)
                    self.assertEqual(done.stdout, "")

    def test_a_ready_file_left_behind_is_removed(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "ready.json"), "w") as file:
                file.write("old")
            done = run("--directory", folder, "--state", os.path.join(folder, "none"))
            self.assertEqual(done.returncode, 66)
            self.assertEqual(os.listdir(folder), ["ready.json"])  # Nothing was started yet.
            done = run("--directory", folder, "--port", "99999")
            self.assertEqual(done.returncode, 69)
            self.assertNotIn("ready.json", os.listdir(folder))

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = run("--port", str(taken.getsockname()[1]))
        self.assertEqual(done.returncode, 69)
        self.assertIn("Address already in use", done.stderr)


class CertificatesTest(unittest.TestCase):
    def test_certificate_that_ends(self):
        now = int(time.time())
        self.assertEqual(self.end_of_certificate(now + 86400), now + 86400)
        # After 2050 a certificate writes its dates in another form (RFC 5280 4.1.2.5).
        self.assertEqual(self.end_of_certificate(2_600_000_000), 2_600_000_000)

    def end_of_certificate(self, until):
        emulator = Emulator("--certificate-until", str(until), tls=True)
        self.addCleanup(emulator.close)
        with emulator.connect() as sock:
            return ssl.cert_time_to_seconds(sock.getpeercert()["notAfter"])

    def test_only_tls_1_1(self):
        emulator = Emulator("--tls-max", "1.1", tls=True)
        self.addCleanup(emulator.close)
        with self.assertRaises(ssl.SSLError) as caught:
            emulator.connect()
        self.assertIn("PROTOCOL_VERSION", caught.exception.reason)

    def test_proxy(self):
        server, proxy = Emulator(tls=True), Emulator()
        self.addCleanup(server.close)
        self.addCleanup(proxy.close)
        context = ssl.create_default_context(cafile=server.ready["ca_file"])

        def connect(target, status):
            sock = proxy.connect()
            self.addCleanup(sock.close)
            sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            self.assertEqual(sock.recv(4096).split()[1], status)
            return sock

        target = f"127.0.0.1:{server.ready['port']}"
        with context.wrap_socket(connect(target, b"200"), server_hostname="localhost") as sock:
            for number in (1, 2):
                sock.sendall(request({**BODY, "license_key": f"KEY-{number}"}))
                self.assertTrue(read_answer(sock).is_success)
        self.assertEqual(proxy.log()[0]["method"], "CONNECT")
        connect("192.0.2.1:443", b"502")
        connect("elsewhere.invalid:443", b"502")
        proxy.faults({"kind": "proxy_407", "match": {"method": "CONNECT"}})
        connect(target, b"407")
        self.assertEqual(len(server.log()), 2)

    def problem(self, kind):
        emulator = Emulator("--certificate", kind, tls=True)
        self.addCleanup(emulator.close)
        with self.assertRaises(ssl.SSLCertVerificationError) as caught:
            emulator.connect()
        wait_until(lambda: any(entry.get("what") == "tls_failed" for entry in emulator.log()))
        return caught.exception.verify_message

    def test_bad_ones(self):
        self.assertEqual(self.problem("expired"), "certificate has expired")
        self.assertEqual(self.problem("not-yet-valid"), "certificate is not yet valid")
        self.assertIn("localhost", self.problem("wrong-name"))
        self.assertIn("self-signed", self.problem("self-signed").replace("self signed",
                                                                         "self-signed"))

    def test_good_and_tls_versions(self):
        for newest, version in (("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")):
            emulator = Emulator("--tls-max", newest, tls=True)
            self.addCleanup(emulator.close)
            self.assertTrue(emulator.post().is_success)
            self.assertEqual(emulator.log()[-1]["tls"], version)

    def test_ipv6(self):
        emulator = Emulator("--bind", "::1", tls=True)
        self.addCleanup(emulator.close)
        self.assertTrue(emulator.ready["base_url"].startswith("https://[::1]:"))
        self.assertTrue(emulator.post().is_success)
        self.assertIn("requests", emulator.control("/counts"))


class WireTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator()

    @classmethod
    def tearDownClass(cls):
        cls.emulator.close()

    def setUp(self):
        self.emulator.control("/reset", {})

    def test_keep_alive_and_pipelining(self):
        with self.emulator.connect() as sock:
            sock.sendall(request({**BODY, "license_key": "KEY-2"}) + request())
            data = b""
            while data.count(b'"license_deactivated"') < 2:
                data += sock.recv(65536)
        entries = self.emulator.log()
        self.assertEqual([entry["request_on_connection"] for entry in entries], [1, 2])
        self.assertEqual(entries[0]["connection"], entries[1]["connection"])

    def test_connection_close_and_http_1_0(self):
        for raw in (request(headers={"Connection": "close"}),
                    request({**BODY, "license_key": "KEY-2"}).replace(b"HTTP/1.1", b"HTTP/1.0")):
            with self.emulator.connect() as sock:
                sock.sendall(raw)
                answer = read_answer(sock)
                self.assertTrue(answer.is_success)
                self.assertEqual(answer.headers["Connection"], "close")
                self.assertEqual(sock.recv(1), b"")

    def test_expect_100_continue(self):
        head, _, body = request(headers={"Expect": "100-continue"}).partition(b"\r\n\r\n")
        with self.emulator.connect() as sock:
            sock.sendall(head + b"\r\n\r\n")
            self.assertEqual(sock.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            sock.sendall(body)
            self.assertTrue(read_answer(sock).is_success)

    def test_chunked_request(self):
        body = json.dumps(BODY).encode()
        chunks = b"".join(b"%x\r\n%s\r\n" % (1, body[i:i + 1]) for i in range(len(body)))
        raw = request(b"", headers={"Content-Length": None, "Transfer-Encoding": "chunked"})
        self.assertTrue(self.emulator.send(raw + chunks + b"0\r\n\r\n").is_success)

    def test_byte_by_byte(self):
        with self.emulator.connect() as sock:
            for byte in request():
                sock.sendall(bytes([byte]))
            self.assertTrue(read_answer(sock).is_success)

    def test_what_is_no_request(self):
        cases = {
            b"GARBAGE\r\n\r\n": 400, b"GET / HTTP/2.0\r\n\r\n": 400,
            request().replace(b"Host: localhost\r\n", b""): 400,
            request().replace(b"Host:", b"Host :"): 400,
            request().replace(b"Accept:", b" folded:"): 400,
            request(headers={"Content-Length": "-1"}): 400,
            request(headers={"Content-Length": "1, 1"}): 400,
            request(headers={"Transfer-Encoding": "chunked"}): 400,
            request(headers={"Content-Length": None, "Transfer-Encoding": "gzip"}): 501,
            request(headers={"Content-Length": str((1 << 20) + 1)}): 413,
            request(headers={"Expect": "cake"}): 417,
            request(headers={"X-Long": "x" * 70_000}): 431,
            request(b"zz\r\n", headers={"Content-Length": None,
                                        "Transfer-Encoding": "chunked"}): 400,
        }
        for raw, status in cases.items():
            with self.subTest(raw[:60]):
                self.assertEqual(self.emulator.send(raw).status, status)
                self.assertEqual(self.emulator.log()[-1]["what"], "malformed")

    def test_a_body_at_the_limit(self):
        body = json.dumps(BODY).encode()
        self.assertTrue(self.emulator.post(body + b" " * ((1 << 20) - len(body))).is_success)

    def test_a_repeated_date_is_no_date(self):
        raw = request().replace(b"Accept:", b"Date: Thu, 17 Nov 2022 20:51:35 GMT\r\nAccept:")
        self.assertEqual(self.emulator.send(raw).code, "date_header_diff")


class OptionsTest(unittest.TestCase):
    def emulator(self, *arguments, **options):
        emulator = Emulator(*arguments, **options)
        self.addCleanup(emulator.close)
        return emulator

    def test_success_form_and_license_signature(self):
        answer = self.emulator("--success-form", "bare", "--license-signature").post()
        self.assertEqual(answer.body, b"license_deactivated")
        self.assertEqual(len(answer.headers["LicenseSignature"]), 684)  # Base64 of 512 bytes

    def test_future_tolerance(self):
        emulator = self.emulator("--future-tolerance", "5")
        self.assertEqual(emulator.post(epoch=EPOCH + 6).code, "date_header_diff")
        self.assertTrue(emulator.post(epoch=EPOCH + 5).is_success)

    def test_rate_limit(self):
        emulator = self.emulator("--rate-limit", "3")
        statuses = [emulator.post({**BODY, "license_key": "none"}).status for _ in range(8)]
        self.assertIn(429, statuses)
        self.assertLess(statuses.count(429), 6)

    def test_log_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log")
            emulator = self.emulator("--log", path)
            emulator.post()
            emulator.post(b"\xff")
            with open(path, encoding="utf-8") as file:
                entries = [json.loads(line) for line in file]
            self.assertEqual(entries, emulator.log())
            self.assertEqual(json.loads(entries[0]["body"]), BODY)
            self.assertEqual(entries[0]["answer"]["code"], "license_deactivated")
            self.assertEqual(entries[1]["body_base64"], "/w==")

    def test_faults_from_the_start(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump([{"kind": "status", "status": 503}], file)
            file.flush()
            emulator = self.emulator("--faults", file.name)
        self.assertEqual(emulator.post().status, 503)

    def test_control(self):
        emulator = self.emulator()
        self.assertIn("GET /log", emulator.control("/"))
        self.assertEqual(emulator.control("/none", expect=404)["error"], "no GET /none")
        emulator.control("/licenses", [{"id": 3, "product": "XY", "license_key": "K",
                                        "devices": ["device-1"]}])
        self.assertTrue(emulator.post({**BODY, "license_key": "K"}).is_success)
        emulator.control("/licenses", [{"id": 4, "product": "XY"}], expect=400)
        emulator.control("/licenses", [{"id": 4, "product": "XY", "license_key": "A",
                                        "refuse_with": "no_such_code"}], expect=400)
        emulator.control("/log?after=x", expect=400)
        last = emulator.control("/log")["last"]
        emulator.post()
        newer = emulator.control(f"/log?after={last}&wait=5")["entries"]
        self.assertEqual([entry["n"] for entry in newer], [last + 1])
        licenses = emulator.control("/licenses")["licenses"]
        self.assertEqual([license["devices"][0]["active"] for license in licenses],
                         [False, True, False])
        self.assertEqual(emulator.control("/clock", {"epoch": 0, "offset": 5})["date"],
                         "Thu, 01 Jan 1970 00:00:05 GMT")
        emulator.control("/clock", {"epoch": "x"}, expect=400)
        emulator.control("/reset", {})
        self.assertEqual(emulator.control("/counts")["requests"], 0)
        self.assertEqual(emulator.control("/clock")["now"], EPOCH)
        self.assertEqual(len(emulator.control("/licenses")["licenses"]), 2)

    def test_threads_do_not_deactivate_twice(self):
        """The same device from many connections at once: one success."""
        emulator = self.emulator()
        socks = [emulator.connect() for _ in range(16)]
        for sock in socks:
            sock.sendall(request())
        successes = sum(read_answer(sock).is_success for sock in socks)
        for sock in socks:
            sock.close()
        self.assertEqual(successes, 1)
        self.assertEqual(emulator.control("/counts")["double_successes"], 0)


if __name__ == "__main__":
    unittest.main()
