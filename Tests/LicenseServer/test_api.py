"""Every error code by a state or a request that earns it, and the rules of the body."""

import base64
import json
import unittest

from errors import ERRORS
from harness import API_KEY, BODY, EPOCH, SHARED_KEY, Emulator, authorization, signature

LICENSES = [
    {"id": 1, "product": "XY", "license_key": "KEY-1", "devices": ["device-1", "device-2"],
     "total_consumptions": 10, "bundle_code": "BUN"},
    {"id": 2, "product": "XY", "license_key": "OFF", "enabled": False, "devices": ["device-1"]},
    {"id": 3, "product": "XY", "license_key": "INACTIVE", "active": False,
     "devices": ["device-1"]},
    {"id": 4, "product": "XY", "license_key": "EXPIRED", "expired": True,
     "devices": ["device-1"]},
    {"id": 5, "product": "XY", "license_key": "BLACK", "blacklisted": ["device-1"],
     "devices": ["device-1"]},
    {"id": 6, "product": "XY", "license_key": "TRANSFER", "max_transfers": 1, "transfers": 1,
     "devices": ["device-1"]},
    {"id": 7, "product": "XY", "license_key": "EARLY", "start_epoch": EPOCH + 1,
     "devices": ["device-1"]},
    {"id": 8, "product": "NOVM", "license_key": "NOVM", "devices": ["device-1"]},
    {"id": 9, "product": "XY", "license_key": "FLOATING", "floating_cloud": True,
     "devices": ["device-1"]},
    {"id": 10, "product": "XU", "user": {"username": "u", "password": "p"},
     "devices": ["device-1"]},
    {"id": 11, "product": "XU", "user": {"username": "u", "password": "p"},
     "devices": ["device-2"]},
    {"id": 12, "product": "XU", "devices": ["device-1"],
     "sso": {"customer_account_code": "CAC", "id_tokens": ["T"], "codes": ["C"]}},
]
# Codes that no state of a deactivation leads to: the license says so itself.
BY_FIAT = ("license_activated_max_times", "license_user_activated_max_times",
           "license_device_exists", "internal_error")
STATE = {
    "api_keys": {API_KEY: {"shared_key": SHARED_KEY},
                 "revoked": {"shared_key": SHARED_KEY, "revoked": True},
                 "read-only": {"shared_key": SHARED_KEY, "read_only": True},
                 "ključ": {"shared_key": "ključ-鍵-🔑"}},
    "oauth_clients": {"client": {"client_secret": "secret", "token_lifetime_seconds": 60}},
    "tokens": {"old": {"client_id": "client", "expires": EPOCH},
               "good": {"client_id": "client", "expires": EPOCH + 60}},
    "products": {"XY": {}, "XU": {"authorization": "user"}, "NOVM": {"vm_allowed": False}},
    "licenses": LICENSES + [
        {"id": 100 + number, "product": "XY", "license_key": code, "refuse_with": code,
         "devices": ["device-1"]} for number, code in enumerate(BY_FIAT)],
}
OFFLINE = "/api/v4/deactivate_offline"
DATE = "Thu, 17 Nov 2022 20:51:35 GMT"


def offline_file(change=None, key=SHARED_KEY, **fields):
    inner = {"request": "deactivation", "product": "XY", "hardware_id": "device-1",
             "license_key": "KEY-1", "date": DATE,
             "request_id": "11111111-2222-4333-8444-555555555555", "schema_version": 2,
             **fields}
    inner = {name: value for name, value in inner.items() if value is not None}
    caller = inner.pop("api_key", API_KEY)
    name = inner.get("license_key") or inner.get("username") or ""
    inner["signature"] = signature(
        f"licenseSpring\ndate: {inner.get('date')}\n{name}\n{inner.get('hardware_id')}\n{caller}",
        key)
    inner["api_key"] = caller
    if change:
        change(inner)
    outer = signature(json.dumps(inner, ensure_ascii=False), key)
    return base64.b64encode(json.dumps({"request": inner, "signature": outer},
                                       ensure_ascii=False).encode())


class APITest(unittest.TestCase):
    reached = set()

    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator(state=STATE)

    @classmethod
    def tearDownClass(cls):
        cls.emulator.close()

    def setUp(self):
        self.emulator.control("/reset", {})

    def refused(self, code, body=BODY, status=None, **options):
        answer = self.emulator.post(body, **options)
        self.assertEqual(json.loads(answer.body).get("code"), code, answer)
        self.assertEqual(answer.status, status or ERRORS[code][0])
        self.assertEqual(set(json.loads(answer.body)), {"status", "code", "message"})
        self.assertEqual(self.emulator.server.state.counts.successes, 0)
        self.reached.add(code)

    def accepted(self, body, **options):
        self.setUp()
        answer = self.emulator.post(body, **options)
        self.assertTrue(answer.is_success, (body, answer))

    def key(self, name, **more):
        return {**BODY, "license_key": name, **more}

    def test_zz_every_code_is_reached(self):
        """Last by name: whatever the other tests reached is all there is."""
        for test in ("test_request", "test_caller", "test_bearer", "test_license", "test_offline",
                     "test_schema"):
            self.setUp()
            getattr(self, test)()
        self.assertEqual(self.reached, set(ERRORS))

    def test_request(self):
        self.refused("not_found", path="/api/v4/deactivate_licence")
        self.refused("not_found", path="/")
        self.refused("missing_headers", headers={"Date": None})
        self.refused("missing_headers", headers={"Authorization": None})
        answer = self.emulator.post(method="PUT")
        self.assertEqual((answer.status, answer.headers["Allow"]), (405, "POST"))
        for raw in (b"", b"{", b"\xff", b'{"a": "\\ud800"}', b"NaN", b"\xef\xbb\xbf{}",
                    b"[" * 100_000, b'{"license_id": ' + b"1" * 5000 + b"}",
                    json.dumps(BODY).encode("utf-16")):
            self.refused("invalid_json", raw)
        for raw in (b"[]", b"null", b'"license_deactivated"',
                    b'{"hardware_id": "a", "hardware_id": "device-1"}'):
            self.refused("validation_error", raw)

    def test_caller(self):
        signed = signature(f"licenseSpring\ndate: {DATE}")

        def with_authorization(value, **more):
            return {"headers": {"Authorization": value, **more}}
        self.refused("invalid_api_key", api_key="unknown")
        self.refused("revoked_api_key", api_key="revoked")
        self.refused("read_only_api_key", api_key="read-only")
        self.refused("signature_mismatch", key="another")
        self.refused("signature_mismatch", headers={
            "Authorization": authorization("Thu, 17 Nov 2022 20:51:36 GMT")})
        # As the path, method and body are not signed, so is nothing else that was appended.
        self.refused("signature_mismatch", **with_authorization(
            authorization(DATE).replace(signed, signature(f"licenseSpring\ndate: {DATE}\n"))))
        self.refused("date_header_diff", epoch=EPOCH - 901)
        self.refused("date_header_diff", epoch=EPOCH + 901)
        for date in ("Wed, 17 Nov 2022 20:51:35 GMT", "Thu, 17 Nov 2022 20:51:35 UTC",
                     "Thursday, 17-Nov-22 20:51:35 GMT", "Thu Nov 17 20:51:35 2022",
                     "Thu, 17 nov 2022 20:51:35 GMT", "Thu, 17 Nov 2022 24:00:00 GMT",
                     "Thu, 31 Nov 2022 20:51:35 GMT", "1668718295"):
            self.refused("date_header_diff", **with_authorization(authorization(date), Date=date))
        for value in ("x", "Basic dXNlcjpwYXNz", "Bearer", "Bearer a b",
                      authorization(DATE) + "x", authorization(DATE) + ",",
                      authorization(DATE).replace("headers", "algorithm")):
            self.refused("authorization_invalid_headers", **with_authorization(value))
        self.refused("authorization_invalid_headers", **with_authorization(
            authorization(DATE).replace('"date"', '"date host"')))
        for name in ("algorithm", "headers", "signature", "apiKey"):
            parts = [part for part in authorization(DATE).split(",")
                     if not part.startswith(name + "=")]
            self.refused("authorization_missing_params", **with_authorization(",".join(parts)))
        self.refused("hmac_required", **with_authorization(
            authorization(DATE).replace("hmac-sha256", "hmac-sha1")))
        # Lenient where the documentation and its client differ; the log tells which it was.
        for value in (authorization(DATE).replace("apiKey", "apikey"),
                      authorization(DATE).replace(",", ", ")):
            self.accepted(BODY, headers={"Authorization": value})
            entry = self.emulator.log()[-1]
            self.assertFalse(entry["authorization_exact"])
            self.assertIn("Authorization is not in the official client's form", entry["notes"])

    def test_key_beyond_ascii(self):
        value = authorization(DATE, "ključ-鍵-🔑", "ključ")
        self.assertIn("+Ip/VFm3CFfys/avHv4i4sRAC8BEzChsw+tpsYSuFHQ=", value)
        self.assertTrue(self.emulator.post(headers={"Authorization": value}).is_success)

    def test_bearer(self):
        self.refused("oauth_token_malformed", headers={"Authorization": "Bearer unknown"})
        self.refused("oauth_token_expired", headers={"Authorization": "Bearer old"})
        self.refused("missing_headers", headers={"Authorization": "Bearer good", "Date": None})
        self.accepted(BODY, headers={"Authorization": "Bearer good"})
        self.assertTrue(self.emulator.log()[-1]["authorization_exact"])
        self.setUp()
        self.emulator.control("/licenses", {"hmac_required": True})
        self.refused("hmac_required", headers={"Authorization": "Bearer good"})

    def test_token_endpoint(self):
        path = "/realms/user-portal/protocol/openid-connect/token"
        good = b"grant_type=client_credentials&client_id=client&client_secret=secret"
        form = {"Content-Type": "application/x-www-form-urlencoded", "Date": None,
                "Authorization": None}

        def post(body, **headers):
            answer = self.emulator.post(body, path=path, headers={**form, **headers})
            return answer.status, json.loads(answer.body)
        status, token = post(good)
        self.assertEqual((status, token["expires_in"]), (200, 60))
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        self.assertTrue(self.emulator.post(headers=bearer).is_success)
        self.emulator.control("/clock", {"offset": 59})
        self.assertEqual(self.emulator.post(headers=bearer).code, "device_not_found")
        self.emulator.control("/clock", {"offset": 60})
        self.assertEqual(self.emulator.post(headers=bearer).code, "oauth_token_expired")
        for body, name, expected in (
                (good.replace(b"=secret", b"=wrong"), "invalid_client", 401),
                (good.replace(b"=client&", b"=other&"), "invalid_client", 401),
                (good.replace(b"=client_c", b"=c"), "unsupported_grant_type", 400),
                (good + b"&client_id=x", "invalid_request", 400), (b"", "invalid_request", 400)):
            status, answer = post(body)
            self.assertEqual((status, answer["error"]), (expected, name))
            self.assertIn("error_description", answer)
        self.assertEqual(post(good, **{"Content-Type": "application/json"})[0], 400)

    def test_oauth_url(self):
        def get(query):
            return self.emulator.post(b"", path=f"/api/v4/oauth_url{query}", method="GET",
                                      headers={"Date": None, "Authorization": None})
        self.assertEqual(get("").code, "missing_parameters")
        self.assertEqual(get("?login_type=password").code, "validation_error")
        self.assertIn("url", json.loads(get("?login_type=client_credentials").body))
        self.emulator.control("/licenses", {"oauth_url": "http://plain.invalid/token"})
        self.assertEqual(json.loads(get("?login_type=client_credentials").body)["url"],
                         "http://plain.invalid/token")

    def test_license(self):
        self.refused("unknown_product", {**BODY, "product": "ZZ"})
        self.refused("license_not_found", self.key("unknown"))
        self.refused("license_not_found", self.key("KEY-1", license_id=2))
        self.refused("license_not_found", self.key("KEY-1", bundle_code="OTHER"))
        self.refused("license_not_enabled", self.key("OFF"))
        self.refused("license_not_active", self.key("INACTIVE"))
        self.refused("license_expired", self.key("EXPIRED"))
        self.refused("blacklisted", self.key("BLACK"))
        self.refused("license_transferred_max_times", self.key("TRANSFER"))
        self.refused("license_start_date_error", self.key("EARLY"))
        for is_vm in (True, "true", "True"):
            self.refused("vm_not_allowed", self.key("NOVM", product="NOVM", is_vm=is_vm))
        self.refused("device_not_found", {**BODY, "hardware_id": "device-9"})
        self.refused("missing_parameters", {**BODY, "product": "XU"})
        for code in BY_FIAT:
            self.refused(code, self.key(code))
        self.refused("license_not_found", {"hardware_id": "device-1", "product": "XU",
                                           "username": "u", "password": "wrong"})

    def test_repeat_codes(self):
        for repeat in ("device_not_found", "license_not_active"):
            self.emulator.control("/licenses", {"repeat_code": repeat})
            self.accepted_again(repeat)
            self.emulator.control("/reset", {})
        self.emulator.control("/licenses", {"repeat_code": "license_deactivated"})
        self.assertTrue(self.emulator.post().is_success)
        self.assertTrue(self.emulator.post().is_success)
        counts = self.emulator.control("/counts")
        self.assertEqual((counts["successes"], counts["double_successes"], counts["repeats"]),
                         (2, 1, 1))

    def accepted_again(self, repeat):
        self.assertTrue(self.emulator.post().is_success)
        self.assertEqual(self.emulator.post().code, repeat)
        # The other device of the license is still there.
        self.assertTrue(self.emulator.post({**BODY, "hardware_id": "device-2"}).is_success)

    def test_statuses_can_be_set(self):
        self.emulator.control("/licenses", {"statuses": {"signature_mismatch": 401}})
        self.refused("signature_mismatch", status=401, key="another")

    def test_users(self):
        user = {"hardware_id": "device-1", "product": "XU", "username": "u"}
        self.accepted(user)
        self.assertEqual(self.emulator.log()[-1]["changed"]["license_id"], 10)
        self.accepted({**user, "password": "p"})
        # Two licenses of one user: the one that has the device, or the one that is named.
        self.accepted({**user, "hardware_id": "device-2"})
        self.assertEqual(self.emulator.log()[-1]["changed"]["license_id"], 11)
        self.accepted({**user, "license_id": 10})
        self.refused_once("device_not_found", {**user, "license_id": 11})
        sign_on = {"hardware_id": "device-1", "product": "XU", "customer_account_code": "CAC"}
        self.accepted({**sign_on, "id_token": "T"})
        self.accepted({**sign_on, "code": "C"})
        self.accepted({**sign_on, "code": "C", "redirect_uri": "https://localhost/"})
        self.refused_once("license_not_found", {**sign_on, "code": "X"})

    def refused_once(self, code, body):
        self.setUp()
        self.refused(code, body)

    def test_schema(self):
        for missing in ("hardware_id", "product", "license_key"):
            self.refused("missing_parameters",
                         {name: value for name, value in BODY.items() if name != missing})
        self.refused("missing_parameters", {"hardware_id": "d", "product": "XU", "code": "C"})
        for change in ({"username": "u"}, {"password": "p"}, {"customer_account_code": "CAC"},
                       {"redirect_uri": "x"}, {"license_id": "1"}, {"license_id": 1.0},
                       {"license_id": True}, {"license_id": 0}, {"license_id": 1 << 63},
                       {"consumptions": 1.5}, {"consumptions": "1"}, {"hardware_id": 7},
                       {"hardware_id": ""}, {"hardware_id": None}, {"license_key": ""},
                       {"unknown": 1}, {"is_vm": 1}, {"hostname": 1}, {"bundle_code": 1}):
            self.refused("validation_error", {**BODY, **change})
        for change in ({"license_id": 1}, {"consumptions": -3}, {"sdk_ver": "Handback 1"},
                       {"bundle_code": "BUN"},
                       {name: "x" for name in ("vm_info", "os_ver", "hostname", "os_hostname",
                                               "ip", "ip_local", "app_ver", "mac_address")}):
            self.accepted({**BODY, **change})
        self.setUp()

    def test_consumptions(self):
        self.accepted({**BODY, "consumptions": -3})
        self.assertEqual(self.emulator.log()[-1]["changed"]["total_consumptions"], 7)
        self.assertEqual(self.emulator.control("/licenses")["licenses"][0]["total_consumptions"], 7)

    def test_offline(self):
        def options(body):
            return {"body": body, "path": OFFLINE, "headers": {"Content-Type": "text/plain"}}

        def changed(**fields):
            return options(offline_file(lambda inner: inner.update(fields)))
        self.accepted(**options(offline_file() + b"\n"))
        self.accepted(**options(offline_file(consumptions=-2, os_ver="Linux", hostname="ž")))
        self.setUp()
        self.refused("missing_content", **options(b""))
        self.refused("validation_error", **options(b"not base64"))
        self.refused("validation_error", **options(base64.b64encode(b'{"request": {}}')))
        self.refused("invalid_json", **options(base64.b64encode(b"{")))
        for fields in ({"request": "activation"}, {"schema_version": 1}, {"date": "yesterday"},
                       {"request_id": "1"}, {"unknown": 1}, {"username": "u"},
                       {"client_id": "client"}, {"license_id": "1"},
                       {"request_id": "11111111-2222-1333-8444-555555555555"}):
            self.refused("validation_error", **changed(**fields))
        for name in ("product", "date", "request_id", "schema_version", "license_key"):
            self.refused("missing_parameters", **options(offline_file(**{name: None})))
        self.refused("signature_mismatch", **options(offline_file(key="another")))
        self.refused("signature_mismatch", **changed(hardware_id="device-2"))
        self.refused("invalid_api_key", **options(offline_file(api_key="unknown")))
        self.refused("revoked_api_key", **options(offline_file(api_key="revoked")))
        self.refused("read_only_api_key", **options(offline_file(api_key="read-only")))
        self.refused("offline_floating_cloud_not_supported",
                     **options(offline_file(license_key="FLOATING")))
        self.emulator.control("/licenses", {"offline_max_age_seconds": 60})
        self.emulator.control("/clock", {"offset": 61})
        self.refused("date_header_diff", epoch=EPOCH + 61, **options(offline_file()))


if __name__ == "__main__":
    unittest.main()
