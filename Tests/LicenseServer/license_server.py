#!/usr/bin/env python3
"""The license server emulator: LicenseSpring's License API v4 as Handback uses it, for tests.

An oracle that shares no code with the agent: what it checks is written down from the public
documentation and from recorded requests. See README.md in this folder.
"""

import argparse
import base64
import ipaddress
import json
import os
import shutil
import signal
import sys
import tempfile
import threading

from api import API
from control import Control
from faults import FaultError, FaultList, table
from request_log import RequestLog
from server import Clock, Listener, Server
from state import State, StateError, demo_state
from tls import KINDS, CertificateError, make_certificates, server_context

NAME = "emulator"
# The names are those of sysexits.h, as the agent uses them.
EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE, EX_CANTCREAT = 64, 65, 66, 69, 73

DESCRIPTION = """\
A license server for tests and for trying Handback out: deactivations over TLS on this machine
only, with made-up licenses, and faults on demand. It is not LicenseSpring's server and knows
nothing of real licenses.
"""
EPILOG = """\
examples:
  emulator                                  start with the demo licenses on port 8443
  emulator --port 0 --directory run         any free port; see run/ready.json
  emulator --print-state                    the demo licenses and keys
  curl http://127.0.0.1:CONTROL/counts      what has happened (the control port is printed)
  curl http://127.0.0.1:CONTROL/faults -d '{"kind": "reset_after"}'
                                            the next deactivation is done, its answer is lost
"""


class Failure(Exception):
    def __init__(self, status, message, hint=None):
        super().__init__(message)
        self.status = status
        self.hint = hint


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Failure(EX_USAGE, message, "see --help")


def parser():
    result = Parser(prog=NAME, description=DESCRIPTION, epilog=EPILOG,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    add = result.add_argument
    add("--port", type=int, default=8443, metavar="N", help="port to serve (8443; 0: any)")
    add("--bind", default="127.0.0.1", metavar="ADDRESS", help="address (127.0.0.1; or ::1)")
    add("--allow-remote", action="store_true", help="permit an address that isn't loopback")
    add("--directory", metavar="DIR", help="where certificates and ready.json go "
        "(a temporary folder, removed at exit); an authority found there is used again")
    add("--plain", action="store_true", help="HTTP without TLS")
    add("--control-port", type=int, default=0, metavar="N", help="port of the control API (0: any)")
    add("--state", metavar="FILE", help="licenses as JSON (the demo state)")
    add("--log", metavar="FILE", help="append every request to FILE as a line of JSON")
    add("--epoch", type=int, metavar="SECONDS", help="a clock that stands at this time")
    add("--clock-offset", type=int, default=0, metavar="SECONDS", help="clock is off by this")
    add("--future-tolerance", type=int, default=900, metavar="SECONDS",
        help="how far in the future a Date may be (900)")
    add("--certificate", choices=KINDS, default="good", metavar="KIND",
        help="the server's certificate: " + ", ".join(KINDS))
    add("--certificate-until", type=int, metavar="SECONDS",
        help="when the certificate ends, since 1970-01-01 UTC (ten years from now)")
    add("--tls-max", choices=("1.1", "1.2", "1.3"), default="1.3",
        help="newest TLS version (1.3); with 1.1 no other")
    add("--success-form", choices=("bare", "quoted"), default="quoted",
        help="how license_deactivated is written (quoted, as a JSON string)")
    add("--license-signature", nargs="?", const="", metavar="BASE64",
        help="send a LicenseSignature header (a made-up value if none is given)")
    add("--rate-limit", type=int, metavar="N",
        help="429 above N requests per second and Authorization value (the real limit is 50)")
    add("--no-retry-after", action="store_true", help="that 429 has no Retry-After header")
    add("--faults", metavar="FILE", help="faults from the start, as JSON (see --list-faults)")
    add("--quiet", action="store_true", help="print nothing when ready")
    add("--print-state", action="store_true", help="print the demo state and end")
    add("--list-faults", action="store_true", help="print the kinds of faults and end")
    return result


def read_json(path, what):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as problem:
        raise Failure(EX_NOINPUT, f"cannot read {what} {path}: {problem.strerror}") from None
    except ValueError as problem:
        raise Failure(EX_DATAERR, f"{what} {path} is not JSON: {problem}") from None


def check_address(text, allow_remote):
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Failure(EX_USAGE, f"--bind {text} is not an address") from None
    if not address.is_loopback and not allow_remote:
        raise Failure(EX_USAGE, f"--bind {text} would be reachable from other machines",
                      "anyone who reaches the control port controls the emulator; "
                      "--allow-remote permits it")


def license_signature(text):
    if text is None:
        return None
    if text == "":
        # As long as an RSA-4096 signature, and no signature of anything.
        return base64.b64encode(bytes(range(256)) * 2).decode()
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        raise Failure(EX_USAGE, "--license-signature is not Base64") from None
    return text


def write_ready(folder, values):
    """Atomically: who sees the file sees all of it."""
    path = os.path.join(folder, "ready.json")
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(values, file)
        file.write("\n")
    os.replace(temporary, path)
    return path


def build(options, state_source):
    """Everything but the sockets and the certificates."""
    try:
        state = State(state_source)
    except StateError as problem:
        raise Failure(EX_DATAERR, f"the state is not valid: {problem}") from None
    api = API(state, None, options.success_form, options.future_tolerance,
              license_signature(options.license_signature), options.rate_limit,
              not options.no_retry_after)
    try:
        log = RequestLog(options.log)
    except OSError as problem:
        raise Failure(EX_CANTCREAT,
                      f"cannot write the log {options.log}: {problem.strerror}") from None
    return Server(api, state, Clock(options.epoch, options.clock_offset), log, FaultList())


def start(options, server, folder):
    """Certificates, then sockets; returns what ready.json says."""
    ca_file = None
    if not options.plain:
        try:
            ca_file = make_certificates(folder, options.certificate,
                                        options.certificate_until)
        except CertificateError as problem:
            raise Failure(EX_UNAVAILABLE, f"cannot make certificates: {problem}") from None
        server.context = server_context(folder, options.tls_max)
    try:
        port = server.listen(options.bind, options.port)
    except (OSError, OverflowError) as problem:
        raise Failure(EX_UNAVAILABLE, f"cannot listen on {options.bind} port {options.port}: "
                      f"{getattr(problem, 'strerror', problem)}") from None
    host = f"[{options.bind}]" if ":" in options.bind else options.bind
    base_url = f"{'http' if options.plain else 'https'}://{host}:{port}"
    server.api.base_url = base_url
    if options.faults:
        try:
            server.faults.set(read_json(options.faults, "the faults"))
        except FaultError as problem:
            raise Failure(EX_DATAERR, str(problem)) from None
        server.faults_changed()
    try:
        control = Listener(options.bind, options.control_port, Control(server).serve)
    except (OSError, OverflowError) as problem:
        raise Failure(EX_UNAVAILABLE, f"cannot listen on {options.bind} port "
                      f"{options.control_port}: {getattr(problem, 'strerror', problem)}") from None
    return {"port": port, "control_port": control.port, "base_url": base_url,
            "control_url": f"http://{host}:{control.port}", "ca_file": ca_file,
            "pid": os.getpid()}


def run(arguments):
    options = parser().parse_args(arguments)
    if options.print_state:
        print(json.dumps(demo_state(), indent=2, ensure_ascii=False))
        return 0
    if options.list_faults:
        print(table())
        return 0
    check_address(options.bind, options.allow_remote)
    server = build(options, read_json(options.state, "the state") if options.state
                   else demo_state())
    # Blocked before any thread starts, so that only sigwait below gets them.
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    temporary = None
    if options.directory:
        folder = os.path.abspath(options.directory)
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as problem:
            raise Failure(EX_CANTCREAT, f"cannot make {folder}: {problem.strerror}") from None
        try:
            # Left by one that was killed: whoever waits for the file must not see the old one.
            os.unlink(os.path.join(folder, "ready.json"))
        except OSError:
            pass
    else:
        folder = temporary = tempfile.mkdtemp(prefix="license-server-emulator-")
    ready_file = None
    try:
        ready = start(options, server, folder)
        ready_file = write_ready(folder, ready)
        if not options.quiet:
            trust = f", trust {ready['ca_file']}" if ready["ca_file"] else ""
            print(f"{NAME}: serving {ready['base_url']}, control {ready['control_url']}{trust}",
                  flush=True)
        signal.sigwait(signals)
    finally:
        if ready_file is not None:
            try:
                os.unlink(ready_file)
            except OSError:
                pass
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return 0


def main():
    try:
        status = run(sys.argv[1:])
    except Failure as failure:
        print(f"{NAME}: error: {failure}", file=sys.stderr)
        if failure.hint:
            print(f"{NAME}: hint: {failure.hint}", file=sys.stderr)
        status = failure.status
    sys.stdout.flush()
    # At once: threads may be in the middle of a stall, and have nothing to clean up.
    os._exit(status)


if __name__ == "__main__":
    # Room for the deepest JSON that the parser permits; a thousand connections must fit too.
    threading.stack_size(1024 * 1024)
    main()
