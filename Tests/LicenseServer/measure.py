#!/usr/bin/env python3
"""How many deactivations per second the emulator answers over one TLS connection.

  python3 Tests/LicenseServer/measure.py [COUNT]

The client is in a process of its own, as the agent is; each request is another license.
"""

import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from harness import API_KEY, SHARED_KEY, read_answer, request, wait_until


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    state = {"api_keys": {API_KEY: {"shared_key": SHARED_KEY}}, "products": {"XY": {}},
             "licenses": [{"id": number + 1, "product": "XY", "license_key": f"KEY-{number}",
                           "devices": ["device-1"]} for number in range(count)]}
    with tempfile.TemporaryDirectory() as folder:
        state_file = os.path.join(folder, "state.json")
        with open(state_file, "w") as file:
            json.dump(state, file)
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "license_server.py")
        begin = time.monotonic()
        process = subprocess.Popen([
            sys.executable, program, "--port", "0", "--directory", folder, "--quiet",
            "--state", state_file, "--log", os.path.join(folder, "log")])
        try:
            ready_file = os.path.join(folder, "ready.json")
            wait_until(lambda: os.path.exists(ready_file), 30)
            print(f"ready after {time.monotonic() - begin:.2f} s with {count} licenses")
            with open(ready_file) as file:
                ready = json.load(file)
            context = ssl.create_default_context(cafile=ready["ca_file"])
            with context.wrap_socket(socket.create_connection(("127.0.0.1", ready["port"])),
                                     server_hostname="localhost") as sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                now, seconds = time.time(), 0.0
                for number in range(count):
                    raw = request({"hardware_id": "device-1", "product": "XY",
                                   "license_key": f"KEY-{number}"}, epoch=now)
                    # The client's own work isn't counted.
                    begin = time.monotonic()
                    sock.sendall(raw)
                    answer = read_answer(sock)
                    seconds += time.monotonic() - begin
                    assert answer.is_success, answer
            print(f"{count} requests in {seconds:.2f} s: {count / seconds:.0f} per second, "
                  f"{seconds / count * 1e6:.0f} us each")
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
