"""The body of a deactivation: strict JSON, then the fields of protocol.md's table.

The documentation's own JSON Schema can't be satisfied by any request (each half forbids the
other's fields), so what counts is its table: hardware_id, product, exactly one of four ways to
name the license, and the optional fields.
"""

import json
import re

from authorization import parse_fixdate
from errors import Refusal

WAYS = ("license_key", "username", "id_token", "code")
STRINGS = ("hardware_id", "product", "license_key", "username", "password", "id_token", "code",
           "customer_account_code", "redirect_uri", "bundle_code", "sdk_ver")
INTEGERS = ("license_id", "consumptions")
# The documentation's examples carry these over from activation: taken, and without effect
# (apart from is_vm, which a product may refuse).
FROM_ACTIVATION = ("is_vm", "vm_info", "os_ver", "hostname", "os_hostname", "ip", "ip_local",
                   "app_ver", "mac_address")

OFFLINE_STRINGS = ("request", "product", "bundle_code", "hardware_id", "license_key", "username",
                   "os_ver", "hostname", "ip", "mac_address", "sdk_ver", "app_ver", "date",
                   "request_id", "signature", "api_key", "client_id")
OFFLINE_REQUIRED = ("request", "product", "hardware_id", "date", "request_id", "schema_version",
                    "signature")


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")


def _no_duplicates(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Refusal("validation_error", "a field is given twice")
    return result


def _text_is_unicode(value):
    """A lone surrogate (`\\ud800`) is taken by Python's parser, but is no text."""
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _text_is_unicode(name)
            _text_is_unicode(inner)
    elif isinstance(value, list):
        for inner in value:
            _text_is_unicode(inner)


def parse_object(data):
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates,
                           parse_constant=_no_constant)
        _text_is_unicode(value)
    except Refusal:
        raise
    except (ValueError, RecursionError) as problem:
        # UnicodeDecodeError and UnicodeEncodeError are ValueErrors too.
        raise Refusal("invalid_json", str(problem)[:200]) from None
    if not isinstance(value, dict):
        raise Refusal("validation_error", "the body must be an object")
    return value


def _check_types(body, strings, integers):
    for name in strings:
        if name in body and not isinstance(body[name], str):
            raise Refusal("validation_error", f"{name} must be a string")
    for name in integers:
        # `true` is an int to Python, and 1.0 is a float: neither is a JSON integer here.
        if name in body and type(body[name]) is not int:
            raise Refusal("validation_error", f"{name} must be an integer")
        if name in body and not -(1 << 63) <= body[name] < 1 << 63:
            raise Refusal("validation_error", f"{name} is out of range")


def check_deactivation(body):
    """Raises a Refusal, or returns the way in which the license is named."""
    for name in body:
        if name not in STRINGS and name not in INTEGERS and name not in FROM_ACTIVATION:
            raise Refusal("validation_error", f"unknown field {name[:64]!r}")
    missing = [name for name in ("hardware_id", "product") if name not in body]
    if missing:
        raise Refusal("missing_parameters", ", ".join(missing))
    _check_types(body, STRINGS, INTEGERS)
    for name in FROM_ACTIVATION:
        # The example writes is_vm as "Boolean" and the others as "string".
        if name in body and not isinstance(body[name], (str, bool) if name == "is_vm" else str):
            raise Refusal("validation_error", f"{name} has the wrong type")
    ways = [name for name in WAYS if name in body]
    if not ways:
        raise Refusal("missing_parameters", "one of " + ", ".join(WAYS))
    if len(ways) > 1:
        raise Refusal("validation_error", " and ".join(ways) + " exclude each other")
    way = ways[0]
    single_sign_on = way in ("id_token", "code")
    if single_sign_on and "customer_account_code" not in body:
        raise Refusal("missing_parameters", "customer_account_code")
    allowed = {"password": way == "username", "customer_account_code": single_sign_on,
               "redirect_uri": way == "code"}
    for name, fits in allowed.items():
        if name in body and not fits:
            raise Refusal("validation_error", f"{name} does not go with {way}")
    for name in ("hardware_id", "product", way):
        if not body[name]:
            raise Refusal("validation_error", f"{name} is empty")
    if body.get("license_id", 1) <= 0:
        raise Refusal("validation_error", "license_id must be positive")
    return way


def check_offline(request):
    """The inner object of an offline file. Returns "license_key" or "username"."""
    known = OFFLINE_STRINGS + ("license_id", "schema_version", "consumptions",
                               "product_features", "variables")
    for name in request:
        if name not in known:
            raise Refusal("validation_error", f"unknown field {name[:64]!r}")
    missing = [name for name in OFFLINE_REQUIRED if name not in request]
    if "api_key" not in request and "client_id" not in request:
        missing.append("api_key")
    if "license_key" not in request and "username" not in request:
        missing.append("license_key")
    if missing:
        raise Refusal("missing_parameters", ", ".join(missing))
    _check_types(request, OFFLINE_STRINGS, ("license_id", "schema_version", "consumptions"))
    for one, other in (("license_key", "username"), ("api_key", "client_id")):
        if one in request and other in request:
            raise Refusal("validation_error", f"{one} and {other} exclude each other")
    if request["request"] != "deactivation":
        raise Refusal("validation_error", 'request must be "deactivation"')
    if request["schema_version"] != 2:
        raise Refusal("validation_error", "schema_version must be 2")
    if parse_fixdate(request["date"]) is None:
        raise Refusal("validation_error", "date is not an IMF-fixdate")
    if not re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                        request["request_id"]):
        raise Refusal("validation_error", "request_id is not a UUID of version 4")
    way = "license_key" if "license_key" in request else "username"
    for name in ("hardware_id", "product", way):
        if not request[name]:
            raise Refusal("validation_error", f"{name} is empty")
    return way
