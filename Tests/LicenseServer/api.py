"""The License API's endpoints, as protocol.md and the public documentation describe them.

Order of the checks: path and method, required headers, the date's form, authorization (its form,
the API key, the signature, freshness), the body's JSON, its schema, the product, the license, the
device. No published text fixes an order; this is the one in which a server can do each check
with what the earlier ones have established.
"""

import base64
import binascii
import hmac
import json
import threading
import time
from urllib.parse import parse_qs

from authorization import authorize, issue_token, parse_fixdate, sign, signing_string
from errors import ERRORS, Refusal
from http_wire import Response
from schema import check_deactivation, check_offline, parse_object

DEACTIVATE = "/api/v4/deactivate_license"
OFFLINE = "/api/v4/deactivate_offline"
OAUTH_URL = "/api/v4/oauth_url"
# The path that the official client was seen to post to.
TOKEN = "/realms/user-portal/protocol/openid-connect/token"


class Outcome:
    """What a request came to: the answer, what changed, and what the log should know."""

    __slots__ = ("response", "changed", "notes")

    def __init__(self):
        self.response = None
        self.changed = None
        self.notes = []


class API:
    def __init__(self, state, base_url, success_form="quoted", future_tolerance=900,
                 license_signature=None, rate_limit=None, retry_after=True):
        self.state = state
        self.base_url = base_url
        self.success_body = (b'"license_deactivated"' if success_form == "quoted"
                             else b"license_deactivated")
        self.future_tolerance = future_tolerance
        self.license_signature = license_signature
        self.rate_limit = rate_limit
        self.retry_after = retry_after
        self.window = (0, {})
        self.window_lock = threading.Lock()
        self.routes = {DEACTIVATE: ("POST", self.deactivate),
                       OFFLINE: ("POST", self.deactivate_offline),
                       OAUTH_URL: ("GET", self.oauth_url),
                       TOKEN: ("POST", self.token)}

    def handle(self, request, now):
        """`now` is the server's clock, which a fault may have skewed."""
        outcome = Outcome()
        try:
            outcome.response = self._route(request, now, outcome)
        except Refusal as refusal:
            outcome.response = self.error(refusal.code, refusal.detail, refusal.status)
        return outcome

    def error(self, code, detail=None, status=None):
        default, message = ERRORS[code]
        status = status or self.state.statuses.get(code, default)
        message = f"{message}: {detail}" if detail else message
        body = json.dumps({"status": status, "code": code, "message": message})
        return Response(status, body.encode(), code=code)

    def _route(self, request, now, outcome):
        if request.path not in self.routes:
            raise Refusal("not_found")
        method, endpoint = self.routes[request.path]
        if request.method != method:
            # Plain 405: the API's list of codes has none for a wrong method.
            return Response(405, b'{"detail": "Method not allowed."}', [("Allow", method)])
        if self.rate_limit and (limited := self._limited(request)):
            return limited
        return endpoint(request, now, outcome)

    def _limited(self, request):
        """So many requests per second and Authorization value, as documented (50 there)."""
        second = int(time.monotonic())
        with self.window_lock:
            if self.window[0] != second:
                self.window = (second, {})
            value = request.get("authorization") or ""
            count = self.window[1][value] = self.window[1].get(value, 0) + 1
        if count <= self.rate_limit:
            return None
        # Neither the body nor Retry-After is documented: no `code`, so that the status decides.
        return Response(429, b'{"detail": "Request was throttled."}',
                        [("Retry-After", "1")] if self.retry_after else [])

    def _success(self):
        headers = []
        if self.license_signature:
            headers.append(("LicenseSignature", self.license_signature))
        return Response(200, self.success_body, headers, code="license_deactivated")

    # POST /api/v4/deactivate_license

    def deactivate(self, request, now, outcome):
        self._note_headers(request, outcome.notes, "application/json")
        authorize(request, self.state, now, self.future_tolerance, outcome.notes)
        body = parse_object(request.body)
        way = check_deactivation(body)
        identity = {"license_key": ("key", body.get("license_key")),
                    "username": ("user", body.get("username")),
                    "id_token": ("id_token", body.get("customer_account_code"),
                                 body.get("id_token")),
                    "code": ("code", body.get("customer_account_code"), body.get("code"))}[way]
        return self._give_back(body, way, identity, now, outcome, offline=False)

    def _note_headers(self, request, notes, content_type):
        """Recommended, not required by the documentation: noted in the log, never refused."""
        if (request.get("content-type") or "").split(";")[0].strip().lower() != content_type:
            notes.append(f"Content-Type is not {content_type}")
        for name in ("Accept", "User-Agent"):
            if not request.get(name.lower()):
                notes.append(f"{name} is missing")

    def _give_back(self, body, way, identity, now, outcome, offline):
        hardware_id = body["hardware_id"]
        with self.state.lock:
            product = self.state.products.get(body["product"])
            if product is None:
                raise Refusal("unknown_product")
            if (way == "license_key") != (product["authorization"] == "license_key"):
                # Which code this gets is undocumented [inferred]: the field that the product's
                # authorization method requires is not there.
                raise Refusal("missing_parameters", "the product is authorized by "
                              + product["authorization"])
            license = self._find(body, identity, hardware_id)
            counts = self.state.counts.device(license["id"], hardware_id)
            counts["requests"] += 1
            if license["refuse_with"]:
                raise Refusal(license["refuse_with"])
            if not license["enabled"]:
                raise Refusal("license_not_enabled")
            if not license["active"]:
                raise Refusal("license_not_active")
            if license["expired"]:
                raise Refusal("license_expired")
            if license["start_epoch"] is not None and now < license["start_epoch"]:
                raise Refusal("license_start_date_error")
            if hardware_id in license["blacklisted"]:
                raise Refusal("blacklisted")
            if not product["vm_allowed"] and str(body.get("is_vm", "")).lower() == "true":
                raise Refusal("vm_not_allowed")
            if offline and license["floating_cloud"]:
                raise Refusal("offline_floating_cloud_not_supported")
            # A transfer is counted when a device is activated, which this server doesn't do:
            # the two numbers are compared as the state gives them.
            if license["max_transfers"] is not None \
                    and license["transfers"] >= license["max_transfers"]:
                raise Refusal("license_transferred_max_times")
            if hardware_id not in license["devices"]:
                raise Refusal("device_not_found")
            if not license["devices"][hardware_id]:
                counts["repeats"] += 1
                if self.state.repeat_code != "license_deactivated":
                    raise Refusal(self.state.repeat_code)
            license["devices"][hardware_id] = False
            license["total_consumptions"] += body.get("consumptions", 0)
            counts["successes"] += 1
            self.state.counts.successes += 1
            outcome.changed = {"license_id": license["id"], "hardware_id": hardware_id,
                               "total_consumptions": license["total_consumptions"],
                               "success_number": counts["successes"]}
        return self._success()

    def _find(self, body, identity, hardware_id):
        """The license that the request names; among several, one with this device."""
        found = self.state.by_identity.get((body["product"], *identity), [])
        if "license_id" in body:
            found = [license for license in found if license["id"] == body["license_id"]]
        if "bundle_code" in body:
            found = [license for license in found if license["bundle_code"] == body["bundle_code"]]
        if "password" in body:
            # The official client sends none, so its absence is no mistake; a wrong one is.
            found = [license for license in found
                     if license["user"]["password"] in (None, body["password"])]
        if not found:
            raise Refusal("license_not_found")
        return next((license for license in found if license["devices"].get(hardware_id)),
                    found[0])

    # POST /api/v4/deactivate_offline

    def deactivate_offline(self, request, now, outcome):
        self._note_headers(request, outcome.notes, "text/plain")
        authorize(request, self.state, now, self.future_tolerance, outcome.notes)
        text = request.body.strip(b" \t\r\n")
        if not text:
            raise Refusal("missing_content")
        try:
            file = parse_object(base64.b64decode(text, validate=True))
        except binascii.Error:
            raise Refusal("validation_error", "the body is not Base64") from None
        if set(file) != {"request", "signature"} or not isinstance(file["request"], dict) \
                or not isinstance(file["signature"], str):
            raise Refusal("validation_error", "the file must hold a request and a signature")
        inner = file["request"]
        way = check_offline(inner)
        self._check_offline_signatures(inner, file["signature"], way, outcome.notes)
        oldest = self.state.settings["offline_max_age_seconds"]
        if oldest is not None and parse_fixdate(inner["date"]) < now - oldest:
            # How old a file may be is not documented; a state can set a limit.
            raise Refusal("date_header_diff", "the file is too old")
        identity = ("key" if way == "license_key" else "user", inner[way])
        return self._give_back(inner, way, identity, now, outcome, offline=True)

    def _check_offline_signatures(self, inner, outer_signature, way, notes):
        with self.state.lock:
            if "api_key" in inner:
                caller = inner["api_key"]
                key = self.state.api_keys.get(caller)
                if key is None:
                    raise Refusal("invalid_api_key")
                if key["revoked"]:
                    raise Refusal("revoked_api_key")
                if key["read_only"]:
                    raise Refusal("read_only_api_key")
                secret = key["shared_key"]
            else:
                caller = inner["client_id"]
                client = self.state.oauth_clients.get(caller)
                if client is None:
                    raise Refusal("invalid_api_key", "unknown client_id")
                secret = client["client_secret"]
        expected = sign(secret, signing_string(inner["date"], inner[way], inner["hardware_id"],
                                               caller))
        if not _same(expected, inner["signature"]):
            raise Refusal("signature_mismatch", "inner signature")
        # Over the object as the official client serializes it; how the server does is unknown.
        text = json.dumps(inner, ensure_ascii=False)
        if _same(sign(secret, text), outer_signature):
            return
        if "client_id" in inner and _same(sign(caller, text), outer_signature):
            # The documentation says the secret; the official client takes the id. Both pass.
            notes.append("the outer signature is keyed with the client id, not its secret")
            return
        raise Refusal("signature_mismatch", "outer signature")

    # OAuth

    def oauth_url(self, request, now, outcome):
        if request.query.get("login_type") is None:
            raise Refusal("missing_parameters", "login_type")
        if request.query["login_type"] != "client_credentials":
            raise Refusal("validation_error", "login_type must be client_credentials")
        url = self.state.settings["oauth_url"] or self.base_url + TOKEN
        return Response(200, json.dumps({"url": url}).encode())

    def token(self, request, now, outcome):
        """RFC 6749 4.4; its errors have their own form, not the License API's."""
        def error(status, name, description):
            body = json.dumps({"error": name, "error_description": description})
            return Response(status, body.encode(), code=name)

        content_type = (request.get("content-type") or "").split(";")[0].strip().lower()
        if content_type != "application/x-www-form-urlencoded":
            return error(400, "invalid_request", "Content-Type must be a form")
        try:
            form = parse_qs(request.body.decode("utf-8"), keep_blank_values=True,
                            strict_parsing=True)
        except ValueError:
            return error(400, "invalid_request", "Malformed form")
        if any(len(values) > 1 for values in form.values()):
            return error(400, "invalid_request", "A parameter is repeated")
        form = {name: values[0] for name, values in form.items()}
        if "grant_type" not in form:
            return error(400, "invalid_request", "Missing form parameter: grant_type")
        if form["grant_type"] != "client_credentials":
            return error(400, "unsupported_grant_type", "Unsupported grant_type")
        client = self.state.oauth_clients.get(form.get("client_id"))
        if client is None or not _same(client["client_secret"], form.get("client_secret", "")):
            return error(401, "invalid_client", "Invalid client or Invalid client credentials")
        token, lifetime = issue_token(self.state, form["client_id"], now)
        return Response(200, json.dumps({
            "access_token": token, "expires_in": lifetime, "refresh_expires_in": 0,
            "token_type": "Bearer", "not-before-policy": 0, "scope": "profile email"}).encode())


def _same(one, other):
    return hmac.compare_digest(one.encode("utf-8"), other.encode("utf-8"))
