"""What each fault does once a request has been read.

Each action takes the exchange and the fault's parameters, logs the entry before the first byte
leaves, and returns whether the connection may be used again.
"""

import json
import random
import time

from http_wire import Response, encode_head, imf_fixdate, status_line

PORTAL_PAGE = b"""<!DOCTYPE html>
<html><head><title>Welcome to the guest network</title></head>
<body><h1>Please log in</h1><form action="/login"><input name="room"></form></body></html>
"""


def answer(exchange, parameters, response):
    """Sends `response`; if the fault acts, the API's own answer goes to the log only."""
    if parameters.get("act"):
        exchange.act()
    return exchange.reply(response)


def stall(exchange, parameters):
    exchange.log()
    exchange.wait(parameters["seconds"])
    exchange.wire.close(clean=False)
    return False


def stall_after(exchange, parameters):
    exchange.act()
    return stall(exchange, parameters)


def reset(exchange, parameters):
    exchange.log()
    exchange.wire.reset()
    return False


def reset_after(exchange, parameters):
    exchange.act()
    return reset(exchange, parameters)


def close_after(exchange, parameters):
    if parameters["act"]:
        exchange.act()
    exchange.log()
    exchange.wire.close(parameters["clean"])
    return False


def own_answer(exchange, parameters):
    """The bytes of the API's answer, whether it acted or only says so."""
    response = exchange.act() if parameters["act"] else exchange.pretended_success()
    exchange.log(response)
    return exchange.encode(response)


def truncate(exchange, parameters):
    exchange.send(own_answer(exchange, parameters)[:parameters["at"]])
    exchange.wire.close(parameters["clean"])
    return False


def truncate_reset(exchange, parameters):
    exchange.send(own_answer(exchange, parameters)[:parameters["at"]])
    # RST overtakes data that the client hasn't read yet: give the bytes a moment to arrive.
    time.sleep(0.05)
    exchange.wire.reset()
    return False


def error_body(parameters):
    if parameters.get("body") is not None:
        return parameters["body"].encode("utf-8")
    body = {"status": parameters["status"]}
    if parameters.get("code") is not None:
        body["code"] = parameters["code"]
    return json.dumps({**body, "message": parameters.get("message", "a fault")}).encode()


def status(exchange, parameters):
    headers = [tuple(header) for header in parameters["headers"]]
    own_type = any(name.lower() == "content-type" for name, _ in headers)
    return answer(exchange, parameters, Response(
        parameters["status"], error_body(parameters), headers, code=parameters["code"],
        content_type=None if own_type else "application/json"))


def retry_after(exchange, parameters):
    value = parameters["value"]
    if value is None and parameters["form"] == "seconds":
        value = str(parameters["seconds"])
    elif value is None and parameters["form"] == "date":
        value = imf_fixdate(exchange.now + parameters["seconds"])
    headers = [] if value is None else [("Retry-After", value)]
    body = b'{"detail": "Request was throttled."}'
    if parameters["code"] is not None or parameters["body"] is not None:
        body = error_body(parameters)
    return answer(exchange, parameters,
                  Response(parameters["status"], body, headers, code=parameters["code"]))


def redirect(exchange, parameters):
    return answer(exchange, parameters, Response(
        parameters["status"], b"", [("Location", parameters["location"])],
        content_type="text/html"))


def captive_portal(exchange, parameters):
    return answer(exchange, parameters, Response(
        parameters["status"], PORTAL_PAGE, content_type="text/html; charset=utf-8"))


def garbage(exchange, parameters):
    if parameters["act"]:
        exchange.act()
    exchange.log(Response(0))
    # From a fixed seed: a failure can be repeated. The first byte can't begin "HTTP/".
    exchange.send(b"\x00" + random.Random(1).randbytes(max(0, parameters["bytes"] - 1)))
    exchange.wire.close()
    return False


def raw(exchange, parameters):
    if parameters["act"]:
        exchange.act()
    exchange.log(Response(0))
    exchange.send(parameters["answer"].encode("latin-1", "replace"))
    if parameters["end"] == "stall":
        exchange.wait(3600)
    if parameters["end"] == "keep":
        return exchange.request.keeps_alive
    if parameters["end"] == "reset":
        time.sleep(0.05)  # as in truncate_reset
        exchange.wire.reset()
    else:
        exchange.wire.close()
    return False


def wrong_success(exchange, parameters):
    return answer(exchange, parameters, Response(200, parameters["body"].encode("utf-8")))


def huge_body(exchange, parameters):
    return answer(exchange, parameters,
                  Response(parameters["status"], b"x" * parameters["bytes"]))


def huge_headers(exchange, parameters):
    response = exchange.act() if parameters["act"] else exchange.pretended_success()
    line = ("X-Padding", "x" * 1000)
    response.headers += [line] * (parameters["bytes"] // 1013 + 1)
    return exchange.reply(response)


def endless_body(exchange, parameters):
    if parameters["act"]:
        exchange.act()
    response = exchange.pretended_success()
    exchange.log(response)
    headers = exchange.headers(response, length=False) + [("Connection", "close")]
    exchange.send(encode_head(200, headers) + response.body)
    # White space, since a client that trims would take it for ever.
    block, sent = b" " * 65536, 0
    while sent < parameters["bytes"] and not exchange.cleared.is_set():
        exchange.send(block[:parameters["bytes"] - sent])
        sent += len(block)
    exchange.wire.close()
    return False


def proxy_407(exchange, parameters):
    return answer(exchange, parameters, Response(
        407, b"<html><body>Proxy Authentication Required</body></html>",
        [("Proxy-Authenticate", 'Basic realm="proxy"')], content_type="text/html"))


def oauth_error(exchange, parameters):
    body = json.dumps({"error": parameters["error"],
                       "error_description": parameters["description"]})
    return exchange.reply(Response(parameters["status"], body.encode(), code=parameters["error"]))


def bad_content_length(exchange, parameters):
    response = exchange.act() if parameters["act"] else exchange.pretended_success()
    exchange.log(response)
    length = max(0, len(response.body) + parameters["by"])
    headers = exchange.headers(response, length=False) + [("Content-Length", str(length))]
    exchange.send(encode_head(response.status, headers) + response.body)
    exchange.wire.close()
    return False


def chunked(exchange, parameters):
    response = exchange.act() if parameters["act"] else exchange.pretended_success()
    exchange.log(response)
    headers = exchange.headers(response, length=False) + [("Transfer-Encoding", "chunked")]
    size = max(1, parameters["size"])
    parts = [response.body[start:start + size] for start in range(0, len(response.body), size)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    exchange.send(encode_head(response.status, headers) + body)
    return exchange.request.keeps_alive


def bad_chunk(exchange, parameters):
    response = exchange.act() if parameters["act"] else exchange.pretended_success()
    exchange.log(response)
    headers = exchange.headers(response, length=False) + [("Transfer-Encoding", "chunked")]
    exchange.send(encode_head(response.status, headers)
                  + b"%x\r\n%s\r\nzz\r\n" % (len(response.body), response.body))
    exchange.wire.close()
    return False


def flip(exchange, parameters):
    data = bytearray(own_answer(exchange, parameters))
    data[parameters["at"] % len(data)] ^= parameters["xor"] & 0xff
    exchange.send(bytes(data))
    return exchange.request.keeps_alive


def drop_header(exchange, parameters):
    exchange.dropped_header = parameters["name"].lower()
    exchange.send(own_answer(exchange, parameters))
    return exchange.request.keeps_alive


def set_header(exchange, parameters):
    exchange.dropped_header = parameters["name"].lower()
    exchange.added_headers = [(parameters["name"], parameters["value"])]
    exchange.send(own_answer(exchange, parameters))
    return exchange.request.keeps_alive


def skew(exchange, parameters):
    exchange.now += parameters["seconds"]
    return exchange.reply(exchange.act())


def slow_bytes(exchange, parameters):
    data = own_answer(exchange, parameters)
    if exchange.wait(parameters["delay_first"]):
        exchange.wire.reset()
        return False
    rate = max(0.001, parameters["bytes_per_second"])
    # At most 50 pieces a second, so that a high rate doesn't depend on the timer's resolution.
    size = max(1, int(rate / 50))
    for start in range(0, len(data), size):
        exchange.send(data[start:start + size])
        if start + size < len(data) and exchange.wait(size / rate):
            exchange.wire.reset()
            return False
    return exchange.request.keeps_alive


def one_hundred(exchange, parameters):
    data = own_answer(exchange, parameters)
    interim = "".join(status_line(status) + "\r\n" for status in parameters["statuses"])
    exchange.send(interim.encode() + data)
    return exchange.request.keeps_alive


def connection_close(exchange, parameters):
    response = exchange.act() if parameters["act"] else exchange.pretended_success()
    return exchange.reply(response, close=True)


ACTIONS = {
    "stall_before": stall, "stall_after": stall_after, "reset_before": reset,
    "reset_after": reset_after, "close_after": close_after, "truncate": truncate,
    "truncate_reset": truncate_reset, "status": status, "status_after": status,
    "retry_after": retry_after, "redirect": redirect, "captive_portal": captive_portal,
    "garbage": garbage, "raw": raw, "wrong_success": wrong_success, "huge_body": huge_body,
    "huge_headers": huge_headers, "endless_body": endless_body, "proxy_407": proxy_407,
    "oauth_error": oauth_error, "bad_content_length": bad_content_length, "chunked": chunked,
    "bad_chunk": bad_chunk, "flip": flip, "drop_header": drop_header, "set_header": set_header,
    "skew": skew, "slow_bytes": slow_bytes, "one_hundred": one_hundred,
    "connection_close": connection_close,
}
