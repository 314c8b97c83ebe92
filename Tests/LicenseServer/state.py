"""What the server knows: keys, OAuth clients, products, licenses and their devices.

Read from JSON (`--state`), shown as JSON (`GET /licenses`), changed by deactivations. Unknown
names in the JSON are refused: a misspelt "enabeld" must not pass for an enabled license.
"""

import copy
import json
import os
import threading

from errors import ERRORS

HERE = os.path.dirname(os.path.abspath(__file__))

# name: (types, default). A default of `...` means that the field must be given.
SETTINGS = {
    "api_keys": (dict, {}),
    "oauth_clients": (dict, {}),
    # Tokens that exist from the start (token -> {client_id, expires}); others are issued.
    "tokens": (dict, {}),
    "products": (dict, {}),
    "licenses": (list, []),
    # Vendors can allow one way of authorization only; the documentation names both rules.
    "hmac_required": (bool, False),
    # What a repeated deactivation of a device is told; nobody has documented which it is.
    "repeat_code": (str, "device_not_found"),
    "offline_max_age_seconds": ((int, type(None)), None),
    # Statuses other than the documented ones, e.g. {"signature_mismatch": 401}.
    "statuses": (dict, {}),
    # What `oauth_url` answers, instead of this server's own token endpoint.
    "oauth_url": ((str, type(None)), None),
}
API_KEY = {"shared_key": (str, ...), "revoked": (bool, False), "read_only": (bool, False)}
CLIENT = {"client_secret": (str, ...), "token_lifetime_seconds": (int, 480)}
TOKEN = {"client_id": (str, ...), "expires": (int, ...)}
PRODUCT = {"authorization": (str, "license_key"), "vm_allowed": (bool, True)}
LICENSE = {
    "id": (int, ...),
    "product": (str, ...),
    "license_key": ((str, type(None)), None),
    "user": ((dict, type(None)), None),
    "sso": ((dict, type(None)), None),
    "enabled": (bool, True),
    "active": (bool, True),
    "expired": (bool, False),
    "start_epoch": ((int, type(None)), None),
    "floating_cloud": (bool, False),
    "blacklisted": (list, []),
    "devices": (list, []),
    "max_transfers": ((int, type(None)), None),
    "transfers": (int, 0),
    "total_consumptions": (int, 0),
    "bundle_code": ((str, type(None)), None),
    # Refuse whatever is asked about this license, with this code.
    "refuse_with": ((str, type(None)), None),
}
USER = {"username": (str, ...), "password": ((str, type(None)), None)}
SSO = {"customer_account_code": (str, ...), "id_tokens": (list, []), "codes": (list, [])}
DEVICE = {"hardware_id": (str, ...), "active": (bool, True)}
REPEAT_CODES = ("device_not_found", "license_not_active", "license_deactivated")


class StateError(Exception):
    """The JSON isn't a state: says where and why."""


def shaped(value, shape, where):
    """`value` with defaults filled in, or StateError."""
    if not isinstance(value, dict):
        raise StateError(f"{where} must be an object")
    for name in value:
        if name not in shape:
            raise StateError(f"{where} has an unknown field {name!r}")
    result = {}
    for name, (types, default) in shape.items():
        if name not in value:
            if default is ...:
                raise StateError(f"{where} lacks {name!r}")
            result[name] = copy.copy(default)
            continue
        types = types if isinstance(types, tuple) else (types,)
        # In Python True is an int; in JSON it is not a number.
        if not isinstance(value[name], types) or (
                isinstance(value[name], bool) and bool not in types):
            raise StateError(f"{where}: {name!r} has the wrong type")
        result[name] = value[name]
    return result


def shaped_license(value, where):
    result = shaped(value, LICENSE, where)
    if not 0 < result["id"] < 1 << 63:
        raise StateError(f"{where}: 'id' must be a positive 63-bit integer")
    if result["user"] is not None:
        result["user"] = shaped(result["user"], USER, f"{where}.user")
    if result["sso"] is not None:
        result["sso"] = shaped(result["sso"], SSO, f"{where}.sso")
    if result["license_key"] is None and result["user"] is None and result["sso"] is None:
        raise StateError(f"{where} needs a 'license_key', a 'user' or an 'sso'")
    if result["refuse_with"] not in (None, *ERRORS):
        raise StateError(f"{where}: unknown code {result['refuse_with']!r}")
    devices = {}
    for index, device in enumerate(result["devices"]):
        if isinstance(device, str):
            device = {"hardware_id": device}
        device = shaped(device, DEVICE, f"{where}.devices[{index}]")
        devices[device["hardware_id"]] = device["active"]
    result["devices"] = devices
    return result


class State:
    """The data, its indexes and its lock. Whoever reads or changes it holds `lock`."""

    def __init__(self, source):
        self.lock = threading.RLock()
        self.source = copy.deepcopy(source)
        self.reset()

    def reset(self):
        fresh = shaped(copy.deepcopy(self.source), SETTINGS, "state")
        with self.lock:
            self.settings = {name: fresh[name] for name in
                             ("hmac_required", "offline_max_age_seconds", "oauth_url")}
            self.api_keys, self.oauth_clients, self.tokens, self.products = {}, {}, {}, {}
            self.statuses, self.repeat_code = {}, "device_not_found"
            self.licenses = {}
            self.counts = Counts()
            self.merge(self.source)

    def merge(self, addition):
        """Adds or replaces what `addition` names; everything is checked before anything changes."""
        new = shaped(copy.deepcopy(addition), SETTINGS, "state")
        sections = {}
        for name, shape in (("api_keys", API_KEY), ("oauth_clients", CLIENT), ("tokens", TOKEN),
                            ("products", PRODUCT)):
            sections[name] = {key: shaped(value, shape, f"{name}[{key!r}]")
                              for key, value in new[name].items()}
        for key, product in sections["products"].items():
            if product["authorization"] not in ("license_key", "user"):
                raise StateError(f"products[{key!r}]: 'authorization' is license_key or user")
        if new["repeat_code"] not in REPEAT_CODES:
            raise StateError(f"'repeat_code' must be one of {', '.join(REPEAT_CODES)}")
        for code, status in new["statuses"].items():
            if code not in ERRORS or type(status) is not int:
                raise StateError(f"'statuses' must map known codes to numbers: {code!r}")
        licenses = [shaped_license(value, f"licenses[{index}]")
                    for index, value in enumerate(new["licenses"])]
        with self.lock:
            for name, section in sections.items():
                getattr(self, name).update(section)
            for name in ("hmac_required", "offline_max_age_seconds", "oauth_url"):
                if name in addition:
                    self.settings[name] = new[name]
            if "repeat_code" in addition:
                self.repeat_code = new["repeat_code"]
            self.statuses.update(new["statuses"])
            for license in licenses:
                self.licenses[license["id"]] = license
            self._index()

    def _index(self):
        """Look-ups by what a request names; a state may have ten thousand licenses."""
        self.by_identity = {}
        for license in self.licenses.values():
            identities = []
            if license["license_key"] is not None:
                identities.append(("key", license["license_key"]))
            if license["user"] is not None:
                identities.append(("user", license["user"]["username"]))
            if license["sso"] is not None:
                account = license["sso"]["customer_account_code"]
                identities += [("id_token", account, token)
                               for token in license["sso"]["id_tokens"]]
                identities += [("code", account, code) for code in license["sso"]["codes"]]
            for identity in identities:
                self.by_identity.setdefault((license["product"], *identity), []).append(license)

    def view(self):
        with self.lock:
            licenses = []
            for license in self.licenses.values():
                shown = dict(license)
                shown["devices"] = [{"hardware_id": hardware_id, "active": active}
                                    for hardware_id, active in license["devices"].items()]
                licenses.append(shown)
            return {"products": copy.deepcopy(self.products), "licenses": licenses,
                    "repeat_code": self.repeat_code, **self.settings}


class Counts:
    """What happened, counted where it happens: the oracle for "nothing was given back twice"."""

    def __init__(self):
        self.requests = 0
        self.successes = 0
        self.by_code = {}
        self.by_status = {}
        self.by_fault = {}
        self.devices = {}
        self.connections = 0
        self.tls_failures = 0

    def device(self, license_id, hardware_id):
        return self.devices.setdefault(
            (license_id, hardware_id), {"requests": 0, "successes": 0, "repeats": 0})

    def view(self):
        doubles = sum(max(0, entry["successes"] - 1) for entry in self.devices.values())
        return {
            "requests": self.requests,
            "successes": self.successes,
            "double_successes": doubles,
            "repeats": sum(entry["repeats"] for entry in self.devices.values()),
            "connections": self.connections,
            "tls_failures": self.tls_failures,
            "by_code": dict(self.by_code),
            "by_status": {str(status): count for status, count in self.by_status.items()},
            "by_fault": dict(self.by_fault),
            "devices": [{"license_id": license_id, "hardware_id": hardware_id, **entry}
                        for (license_id, hardware_id), entry in self.devices.items()],
        }


def demo_state():
    with open(os.path.join(HERE, "demo-state.json"), encoding="utf-8") as file:
        return json.load(file)
