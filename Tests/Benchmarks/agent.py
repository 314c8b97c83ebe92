#!/usr/bin/env python3
"""What `handback agent` costs and how soon it is there, in network namespaces of its own.

  agent.py PROGRAM [--rounds N] [--idle SECONDS] [--only latency|idle|memory]

Prints the time from the moment a way out is given to the first byte at the server, the wake-ups of an
idle agent, and its memory. Run by scripts/agent-figures.
"""
import argparse
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PORT = 443


def tap(target):
    """In the server's namespace: passes connections on, and tells when their first bytes came."""
    listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True)
    print("ready", flush=True)

    def copy(source, sink, is_client):
        is_first = is_client
        try:
            while data := source.recv(65536):
                if is_first:
                    print(time.clock_gettime(time.CLOCK_MONOTONIC), flush=True)
                    is_first = False
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", target))
        threading.Thread(target=copy, args=(client, server, True), daemon=True).start()
        threading.Thread(target=copy, args=(server, client, False), daemon=True).start()


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, stderr=subprocess.DEVNULL)


class Scene:
    """A device and a server, a cable between them, an agent on the device."""

    def __init__(self, program, devices=0, options=()):
        self.program = program
        self.folder = tempfile.TemporaryDirectory(prefix="handback-")
        self.path = pathlib.Path(self.folder.name)
        tag = f"{os.getpid()}-{id(self) % 9973}"
        self.device, self.server = f"hb-d-{tag}", f"hb-s-{tag}"
        for name in (self.device, self.server):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("link", "add", "cable", "netns", self.device, "type", "veth",
           "peer", "name", "router", "netns", self.server)
        ip("-n", self.server, "addr", "add", "10.0.2.2/24", "dev", "router")
        ip("-n", self.server, "addr", "add", "fd00:2::2/64", "dev", "router", "nodad")
        ip("-n", self.server, "addr", "add", "192.0.2.10/32", "dev", "lo")
        ip("-n", self.server, "addr", "add", "2001:db8::10/128", "dev", "lo", "nodad")
        ip("-n", self.server, "link", "set", "router", "up")
        self.etc = pathlib.Path("/etc/netns") / self.device
        self.etc.mkdir(parents=True)
        (self.etc / "hosts").write_text("192.0.2.10 license.test\n2001:db8::10 license.test\n")
        self.emulator = self.start_emulator()
        self.devices = iter(f"device-{n}" for n in range(devices))
        if devices:
            self.control("/licenses", [{"id": 42, "product": "XY",
                                        "license_key": "AAAA-BBBB-CCCC-DDDD",
                                        "devices": [f"device-{n}" for n in range(devices)]}])
        self.write_settings(options)
        self.tap = subprocess.Popen(
            ["ip", "netns", "exec", self.server, sys.executable, __file__, "--tap",
             str(self.ready["port"])], stdout=subprocess.PIPE, text=True)
        self.tap.stdout.readline()
        self.agent = None

    def start_emulator(self):
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.server, str(ROOT / "scripts/emulator"), "--port", "0",
             "--quiet", "--directory", str(self.path / "emulator")])
        ready = self.path / "emulator/ready.json"
        while not ready.exists():
            time.sleep(0.02)
        self.ready = json.loads(ready.read_text())
        return process

    def control(self, path, body):
        subprocess.run(["ip", "netns", "exec", self.server, "curl", "-s", "-o", "/dev/null",
                        self.ready["control_url"] + path, "--data-binary", "@-"],
                       input=json.dumps(body), text=True, check=True)

    def write_settings(self, options):
        for name, text in (("api-key", "demo-api-key"),
                           ("shared-key", "demo-shared-key-not-a-secret"),
                           ("license-key", "AAAA-BBBB-CCCC-DDDD")):
            file = self.path / name
            file.write_text(text + "\n")
            file.chmod(0o600)
        lines = [f"HANDBACK_SERVER=https://license.test", "HANDBACK_PRODUCT=XY",
                 f"HANDBACK_CA_FILE={self.ready['ca_file']}",
                 f"HANDBACK_JOURNAL={self.path}/state/journal.db"]
        lines += [f"HANDBACK_{name.upper().replace('-', '_')}_FILE={self.path}/{name}"
                  for name in ("api-key", "shared-key", "license-key")]
        (self.path / "handback.conf").write_text("\n".join(lines + list(options)) + "\n")
        self.environment = {"HANDBACK_CONFIG": str(self.path / "handback.conf"),
                            "PATH": "/usr/bin:/bin"}

    def command(self, *words):
        return ["/usr/sbin/ip", "netns", "exec", self.device, self.program, *words]

    def start_agent(self):
        log = open(self.path / "agent.log", "w")
        self.agent = subprocess.Popen(self.command("agent"), env=self.environment, stderr=log)
        while "the agent watches" not in (self.path / "agent.log").read_text():
            time.sleep(0.01)

    def queue(self):
        subprocess.run(
            self.command("deactivate", "--queue-only", "--hardware-id", next(self.devices)),
            env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def pending(self):
        status = subprocess.run(self.command("status", "--json"), env=self.environment,
                                capture_output=True, text=True).stdout
        return json.loads(status)["pending"]

    def wait_until_empty(self):
        while self.pending():
            time.sleep(0.05)

    def change(self, *lines):
        """One `ip` process for all of them, so that none waits for another's start."""
        batch = "\n".join(lines) + "\n"
        subprocess.run(["ip", "-n", self.device, "-force", "-batch", "-"], input=batch, text=True,
                       stderr=subprocess.DEVNULL, check=False)

    def proc(self, name):
        return pathlib.Path(f"/proc/{self.agent.pid}/{name}").read_text()

    def sleeps(self):
        return int(self.proc("status").split("\nvoluntary_ctxt_switches:")[1].split()[0])

    def memory(self, field="Private_Dirty"):
        for line in self.proc("smaps_rollup").splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])

    def end(self):
        for process in (self.agent, self.tap, self.emulator):
            if process:
                process.send_signal(signal.SIGTERM)
                process.wait()
        for name in (self.device, self.server):
            ip("netns", "del", name)
        for file in self.etc.iterdir():
            file.unlink()
        self.etc.rmdir()
        self.folder.cleanup()


FOUR = ("addr add 10.0.2.15/24 dev cable", "route add default via 10.0.2.2")
LOST = ("link set cable down", "addr flush dev cable")
# name: what takes the way away, what gives it
CASES = {
    "default route given": (
        ("link set cable up", "addr replace 10.0.2.15/24 dev cable", "route del default"),
        ("route add default via 10.0.2.2",)),
    "default route changed": (
        ("link set cable up", "addr replace 10.0.2.15/24 dev cable",
         "route replace unreachable default"),
        ("route replace default via 10.0.2.2",)),
    "address and route given": (LOST + ("link set cable up",), FOUR),
    "link down and up": (
        ("link set cable up", "addr replace 10.0.2.15/24 dev cable", "link set cable down"),
        ("link set cable up", "route add default via 10.0.2.2")),
    "IPv6 alone (no DAD)": (
        LOST + ("link set cable up",),
        ("addr add fd00:2::15/64 dev cable nodad", "route add default via fd00:2::2")),
    "interface renamed": (LOST, ("link set cable name wan0", "link set wan0 up",
                                 "addr add 10.0.2.15/24 dev wan0",
                                 "route add default via 10.0.2.2")),
}


def latency(program, rounds):
    print(f"from the way out's appearing to the first byte at the server, {rounds} rounds each")
    print(f"{'':26}{'median':>8}{'p90':>8}{'worst':>8}  ms")
    for name, (lose, give) in CASES.items():
        scene = Scene(program, devices=rounds)
        try:
            scene.start_agent()
            measured = []
            for _ in range(rounds):
                scene.change("link set wan0 down", "link set wan0 name cable", *lose)
                scene.queue()
                # The agent reads the journal a second after it changed.
                time.sleep(1.3)
                began = time.clock_gettime(time.CLOCK_MONOTONIC)
                scene.change(*give)
                measured.append((float(scene.tap.stdout.readline()) - began) * 1000)
                scene.wait_until_empty()
            measured.sort()
            print(f"{name:26}{statistics.median(measured):8.0f}"
                  f"{measured[int(len(measured) * 0.9)]:8.0f}{measured[-1]:8.0f}", flush=True)
        finally:
            scene.end()


def idle(program, seconds):
    print(f"\nwake-ups in {seconds} s (voluntary switches in /proc/PID/status)")
    empty, offline = Scene(program), Scene(program, devices=1)
    try:
        empty.change("link set cable up", *FOUR)
        offline.queue()
        for scene in (empty, offline):
            scene.start_agent()
        time.sleep(3)
        before = [scene.sleeps() for scene in (empty, offline)]
        time.sleep(seconds)
        after = [scene.sleeps() for scene in (empty, offline)]
        print(f"{'nothing pending':26}{after[0] - before[0]:8}")
        print(f"{'offline, one pending':26}{after[1] - before[1]:8}", flush=True)
    finally:
        empty.end()
        offline.end()


def memory(program):
    print(f"\nmemory of the agent asleep{'private dirty':>22}{'resident':>12}  KiB")
    scene = Scene(program, devices=60)

    def row(name):
        print(f"{name:34}{scene.memory():14}{scene.memory('Rss'):12}", flush=True)

    try:
        scene.change("link set cable up", *FOUR)
        scene.start_agent()
        time.sleep(1)
        row("nothing was ever queued")
        scene.change("link set cable down")
        scene.queue()
        time.sleep(2)
        row("offline, one pending")
        for count, name in ((1, "after the first send"), (49, "after 50 sends")):
            for _ in range(count):
                scene.change("link set cable up", "route add default via 10.0.2.2")
                scene.wait_until_empty()
                scene.change("link set cable down")
                scene.queue()
                time.sleep(1.3)
            row(name)
    finally:
        scene.end()


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--tap":
        tap(int(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--idle", type=int, default=600)
    parser.add_argument("--only", choices=("latency", "idle", "memory"))
    options = parser.parse_args()
    if options.only in (None, "memory"):
        memory(options.program)
    if options.only in (None, "latency"):
        latency(options.program, options.rounds)
    if options.only in (None, "idle"):
        idle(options.program, options.idle)
