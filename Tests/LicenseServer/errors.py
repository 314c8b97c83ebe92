"""The License API's error codes, with the status and words that the emulator gives them.

One table, so that a reader can compare it with the documentation. Statuses are the documented
ones; `signature_mismatch` is documented as 400 and as 401, so the state file may override any.
"""

# code: (status, message)
ERRORS = {
    # The request or its address.
    "not_found": (404, "Requested API path doesn't exist"),
    "missing_headers": (400, "Some headers are missing"),
    "missing_parameters": (400, "Some parameters are missing in the request"),
    "missing_content": (400, "The request is empty"),
    "invalid_json": (400, "The request body is not valid JSON"),
    "validation_error": (400, "The request does not conform to the schema"),
    # The one who asks.
    "date_header_diff": (400, "Date header differs too much from the server's time"),
    "authorization_invalid_headers": (400, "Invalid headers value in authorization"),
    "authorization_missing_params": (400, "Some parameters are missing in authorization"),
    "hmac_required": (400, "HMAC is the required algorithm"),
    "invalid_api_key": (400, "Provided API key is not valid"),
    "revoked_api_key": (400, "Provided API key is revoked"),
    "read_only_api_key": (400, "Provided API key is read-only"),
    "signature_mismatch": (400, "Signature mismatch"),
    "oauth_token_expired": (401, "OAuth token has expired"),
    "oauth_token_malformed": (401, "OAuth token is malformed"),
    # The license.
    "unknown_product": (400, "Provided product was not found"),
    "license_not_found": (400, "License with the provided license user not found"),
    "license_not_enabled": (400, "The license is not enabled"),
    "license_not_active": (400, "The license is not active"),
    "license_expired": (400, "License validity period has expired."),
    "license_start_date_error": (400, "This license cannot be activated before start date"),
    "blacklisted": (400, "This device is blacklisted"),
    "vm_not_allowed": (400, "Virtual machine not allowed"),
    "offline_floating_cloud_not_supported":
        (400, "Floating cloud licenses cannot be activated offline."),
    "license_activated_max_times":
        (400, "This license has already been activated the maximum number of times"),
    "license_user_activated_max_times": (400, "License user has activated this license max times"),
    "license_transferred_max_times":
        (400, "This license has already been transferred the maximum number of times"),
    "license_device_exists":
        (400, "A device matching this hardware_id is already created on the license"),
    "device_not_found": (400, "An active device matching the hardware_id not found"),
    # The server.
    "internal_error": (500, "Server-side error: Internal error"),
}


class Refusal(Exception):
    """The API says no: `code` as documented, `detail` what exactly was wrong."""

    def __init__(self, code, detail=None, status=None):
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.status = status
