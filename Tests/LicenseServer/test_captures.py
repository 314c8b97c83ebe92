"""The emulator against what it didn't make: recorded requests of the official client.

Each is replayed byte for byte (`Host: 127.0.0.1:PORT` as it is in the file), then with single
bytes changed; what must come back is what protocol.md says.
"""

import base64
import json
import os
import unittest
from datetime import datetime

import harness
from authorization import sign, signing_string
from harness import API_KEY, EPOCH, SHARED_KEY, Emulator, captures, read_answer

DEVICE = "a82c16df291f6bdb1dbb9dc0cd2171462dbbf2bdeef8f4a4b3d89ad98bb46eaf"
LICENSE_ID = 1723642193958949
BASE = {
    "api_keys": {API_KEY: {"shared_key": SHARED_KEY}},
    "oauth_clients": {"client-id-example": {"client_secret": "client-secret-example"}},
    "tokens": {"ACCESS_TOKEN_EXAMPLE": {"client_id": "client-id-example", "expires": EPOCH + 480}},
}
KEY_STATE = {**BASE, "products": {"XY": {}}, "licenses": [
    {"id": LICENSE_ID, "product": "XY", "license_key": "AAAA-BBBB-CCCC-DDDD",
     "bundle_code": "BUN", "devices": [DEVICE, "some-unique-id"]}]}
USER_STATE = {**BASE, "products": {"XY": {"authorization": "user"}}, "licenses": [
    {"id": LICENSE_ID, "product": "XY", "devices": [DEVICE],
     "user": {"username": "user@example.com", "password": 'p@ss "w" \\ ž'},
     "sso": {"customer_account_code": "CAC", "id_tokens": ["ACCESS.TOKEN.VALUE"],
             "codes": ["AUTHCODE"]}}]}

# file: (state, status, code)
EXPECTED = {
    "deactivate_key.1.http": (KEY_STATE, 200, "license_deactivated"),
    "deactivate_key_all.1.http": (KEY_STATE, 200, "license_deactivated"),
    "deactivate_none.1.http": (KEY_STATE, 400, "missing_parameters"),
    "deactivate_oauth_key.1.http": (KEY_STATE, 200, None),
    "deactivate_oauth_key.2.http": (KEY_STATE, 200, None),
    "deactivate_oauth_key.3.http": (KEY_STATE, 200, "license_deactivated"),
    "deactivate_user.1.http": (USER_STATE, 200, "license_deactivated"),
    "offline_key.post.http": (KEY_STATE, 200, "license_deactivated"),
    "offline_user.post.http": (USER_STATE, 200, "license_deactivated"),
    "synthetic_sso_both.1.http": (USER_STATE, 200, "license_deactivated"),
    "synthetic_sso_idtoken.1.http": (USER_STATE, 200, "license_deactivated"),
    "synthetic_user_password.1.http": (USER_STATE, 200, "license_deactivated"),
}
SIGNED = [name for name in EXPECTED if not name.startswith("deactivate_oauth")]


def capture(name):
    with open(os.path.join(captures(), name), "rb") as file:
        return file.read()


def changed(raw, position, byte):
    return raw[:position] + bytes([byte]) + raw[position + 1:]


def other_base64(byte):
    return ord("A") if byte != ord("A") else ord("B")


class CapturesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.key = Emulator(state=KEY_STATE)
        cls.user = Emulator(state=USER_STATE)

    @classmethod
    def tearDownClass(cls):
        cls.key.close()
        cls.user.close()

    def setUp(self):
        for emulator in (self.key, self.user):
            emulator.control("/reset", {})

    def emulator(self, name):
        return self.key if EXPECTED[name][0] is KEY_STATE else self.user

    def refusals(self, name, positions, change):
        """Sends the capture with each position changed, on one connection: [(position, code)]."""
        emulator, raw, results = self.emulator(name), capture(name), []
        sock = emulator.connect()
        for position in positions:
            sock.sendall(changed(raw, position, change(raw[position])))
            answer = read_answer(sock)
            self.assertNotEqual(answer.status, 200, (name, position))
            results.append((position, answer.code))
        sock.close()
        self.assertEqual(emulator.server.state.counts.successes, 0)
        return results

    def span(self, name, before, after):
        raw = capture(name)
        start = raw.index(before) + len(before)
        return range(start, raw.index(after, start))

    def test_published_signature_vector(self):
        self.assertEqual(
            sign("kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja",
                 signing_string("Tue, 07 Jun 2011 20:51:35 GMT")),
            "UDysfR6MndUZReo07Y9r+vErn8vSxrnQ5ulit18iJ/Q=")

    def test_every_capture_is_expected(self):
        found = {name for name in os.listdir(captures()) if name.endswith(".http")}
        self.assertEqual(found, set(EXPECTED))

    def test_replayed_byte_for_byte(self):
        for name, (_, status, code) in EXPECTED.items():
            with self.subTest(name):
                self.setUp()
                emulator = self.emulator(name)
                answer = emulator.send(capture(name))
                self.assertEqual(answer.status, status, answer)
                entry = emulator.log()[-1]
                self.assertEqual(entry["outcome"]["code"], code)
                self.assertEqual(entry["authorization_exact"], name in SIGNED
                                 or name == "deactivate_oauth_key.3.http")
                if code == "license_deactivated":
                    self.assertEqual(answer.body, b'"license_deactivated"')
                    self.assertEqual(answer.headers["Date"], "Thu, 17 Nov 2022 20:51:35 GMT")
                    self.assertEqual(entry["changed"]["license_id"], LICENSE_ID)
                    again = emulator.send(capture(name))
                    self.assertEqual((again.status, again.code), (400, "device_not_found"))

    def test_oauth_answers(self):
        answer = self.key.send(capture("deactivate_oauth_key.1.http"))
        self.assertEqual(json.loads(answer.body)["url"], self.key.ready["base_url"]
                         + "/realms/user-portal/protocol/openid-connect/token")
        answer = json.loads(self.key.send(capture("deactivate_oauth_key.2.http")).body)
        self.assertEqual(answer["expires_in"], 480)
        self.assertEqual(answer["token_type"], "Bearer")
        # The recorded deactivation with the token that was just issued.
        raw = capture("deactivate_oauth_key.3.http").replace(
            b"ACCESS_TOKEN_EXAMPLE", answer["access_token"].encode())
        self.assertTrue(self.key.send(raw).is_success)

    def test_date_window(self):
        raw = capture("deactivate_key.1.http")
        for offset, fresh in ((0, True), (900, True), (901, False), (-900, True), (-901, False)):
            with self.subTest(offset):
                self.key.control("/reset", {})
                self.key.control("/clock", {"offset": offset})
                answer = self.key.send(raw)
                if fresh:
                    self.assertTrue(answer.is_success, answer)
                else:
                    self.assertEqual(answer.code, "date_header_diff")

    def test_date_with_one_byte_changed(self):
        for name in SIGNED:
            span = self.span(name, b"Date: ", b"\r\n")
            for difference in (1, 2, 4):
                for position, code in self.refusals(name, span, lambda byte: byte ^ difference):
                    text = changed(capture(name), position, capture(name)[position]
                                   ^ difference)[span.start:span.stop].decode("latin-1")
                    # A date that is still one is refused by its signature.
                    try:
                        time = datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT")
                        # Written again, since strptime takes any day of the week; %Y doesn't pad.
                        is_date = time.strftime(f"%a, %d %b {time.year:04} %H:%M:%S GMT") == text
                    except ValueError:
                        is_date = False
                    self.assertEqual(code, "signature_mismatch" if is_date else "date_header_diff",
                                     text)

    def test_signature_with_one_byte_changed(self):
        for name in SIGNED:
            span = self.span(name, b'signature="', b'"')
            for _, code in self.refusals(name, span, other_base64):
                self.assertEqual(code, "signature_mismatch")

    def test_key_with_one_byte_changed(self):
        for name in SIGNED:
            span = self.span(name, b'apiKey="', b'"')
            for _, code in self.refusals(name, span, lambda byte: byte ^ 1):
                self.assertEqual(code, "invalid_api_key")

    def test_token_with_one_byte_changed(self):
        span = self.span("deactivate_oauth_key.3.http", b"Bearer ", b"\r\n")
        for _, code in self.refusals("deactivate_oauth_key.3.http", span, lambda byte: byte ^ 1):
            self.assertEqual(code, "oauth_token_malformed")

    def test_client_secret_with_one_byte_changed(self):
        raw = capture("deactivate_oauth_key.2.http")
        for position in range(raw.index(b"client_id=") + 10, len(raw)):
            answer = self.key.send(changed(raw, position, raw[position] ^ 1))
            self.assertIn(answer.status, (400, 401))
            self.assertIn("error_description", json.loads(answer.body))

    def body_codes(self, name):
        raw = capture(name)
        start = raw.index(b"\r\n\r\n") + 4
        return {position - start: code for position, code in
                self.refusals(name, range(start, len(raw)), lambda byte: byte ^ 1)}

    def test_body_with_one_byte_changed(self):
        values = {"product": "unknown_product", "hardware_id": "device_not_found",
                  "license_key": "license_not_found", "username": "license_not_found",
                  "license_id": "license_not_found", "password": "license_not_found",
                  "code": "license_not_found", "id_token": "license_not_found",
                  "customer_account_code": "license_not_found"}
        for name in ("deactivate_key.1.http", "deactivate_user.1.http",
                     "synthetic_sso_both.1.http", "synthetic_sso_idtoken.1.http"):
            body = capture(name).partition(b"\r\n\r\n")[2]
            codes = self.body_codes(name)
            for field, value in json.loads(body).items():
                text = json.dumps(value).strip('"').encode()
                # The field's name is followed by its value; the value may occur elsewhere.
                start = body.index(text, body.index(f'"{field}": '.encode()) + len(field) + 4)
                for position in range(start, start + len(text)):
                    expected = values[field]
                    if field == "license_id" and position == start:
                        expected = "invalid_json"  # 1 becomes 0, and JSON has no leading zeros
                    self.assertEqual(codes[position], expected, (name, field, position))
            for code in codes.values():
                self.assertIn(code, {"invalid_json", "validation_error", "missing_parameters",
                                     *values.values()})

    def test_offline_body_with_one_byte_changed(self):
        for name in ("offline_key.post.http", "offline_user.post.http"):
            raw = capture(name)
            start = raw.index(b"\r\n\r\n") + 4
            self.refusals(name, range(start, len(raw)), other_base64)

    def test_offline_files(self):
        """The .req files as the agent would upload them, the final newline included."""
        for name, state, note in (("offline_key.req", KEY_STATE, False),
                                  ("offline_user.req", USER_STATE, False),
                                  ("offline_oauth_key.req", KEY_STATE, True)):
            with self.subTest(name):
                self.setUp()
                emulator = self.key if state is KEY_STATE else self.user
                answer = emulator.send(harness.request(
                    capture(name), path="/api/v4/deactivate_offline",
                    headers={"Content-Type": "text/plain"}))
                self.assertTrue(answer.is_success, answer)
                # The recorded OAuth file is keyed with the client id, against the documentation.
                self.assertEqual(bool(emulator.log()[-1]["notes"]), note)

    def test_offline_file_keyed_with_the_client_secret(self):
        file = json.loads(base64.b64decode(capture("offline_oauth_key.req")))
        inner = json.dumps(file["request"], ensure_ascii=False)
        file["signature"] = harness.signature(inner, "client-secret-example")
        answer = self.key.send(harness.request(
            base64.b64encode(json.dumps(file, ensure_ascii=False).encode()),
            path="/api/v4/deactivate_offline", headers={"Content-Type": "text/plain"}))
        self.assertTrue(answer.is_success, answer)
        self.assertEqual(self.key.log()[-1]["notes"], [])


if __name__ == "__main__":
    unittest.main()
