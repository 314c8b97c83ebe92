"""What all fault classes share: the tools, a server, a device, a run of the program, a tally."""

import ctypes
import fcntl
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.environ.get("HANDBACK_PROGRAM", f"{ROOT}/.build-embedded/handback")
JOURNALS = f"{ROOT}/Tests/Vectors/journals"
KEY = "AAAA-BBBB-CCCC-DDDD"
# In each journal of an older format: one row withdrawn, and this one pending.
OLD_DEVICE = "demo-device-1"
# Of every server, in the guest too: what one left unanswered the program forgets when it is to send
# to another address, and each journal is made with one server and taken up with another.
PORT = 8443
# Longer than any wait of the program's own: SQLite's for a lock is 10 s.
HANG_SECONDS = 60


def say(text):
    print(f"faults: {text}", file=sys.stderr, flush=True)


# linux/sched.h, linux/sockios.h, linux/if.h
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def isolate():
    """Gives this process a network of its own, with nothing but loopback: each has its server at
    the same address. Whoever isn't root gets the right to by a user namespace, while there is one
    thread."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWNET):
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET):
            raise SystemExit("faults: error: no network namespace is to be had: "
                             f"{os.strerror(ctypes.get_errno())}; be root")
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"),
                           ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


class Workshop:
    """A folder in memory with the compiled tools; removed at the end."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="handback-faults-", dir="/dev/shm")
        self.tracer = f"{self.path}/tracer"
        self.interposer = f"{self.path}/interpose.so"
        compiler = shutil.which("cc") or "clang"
        for command in ([compiler, "-O2", "-o", self.tracer, f"{HERE}/tracer.c"],
                        [compiler, "-O2", "-shared", "-fPIC", "-o", self.interposer,
                         f"{HERE}/interpose.c", "-ldl"]):
            subprocess.run(command, check=True)

    def folder(self, name):
        return tempfile.mkdtemp(prefix=f"{name}-", dir=self.path)

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)


def license_of(names):
    return {"id": 42, "product": "XY", "license_key": KEY, "devices": list(names)}


def server_state(names):
    return {"api_keys": {"demo-api-key": {"shared_key": "demo-shared-key-not-a-secret"}},
            "products": {"XY": {}}, "licenses": [license_of(names)]}


class Server:
    """The license server emulator, with one license and the devices `names`; one at a time."""

    def __init__(self, folder, names=(), plain=False):
        self.names = list(names)
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/state.json", "w") as file:
            json.dump(server_state(names), file)
        self.process = subprocess.Popen(
            [sys.executable, f"{ROOT}/Tests/LicenseServer/license_server.py", "--port", str(PORT),
             "--directory", folder, "--state", f"{folder}/state.json", "--quiet",
             *(["--plain"] if plain else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not os.path.exists(f"{folder}/ready.json"):
            if self.process.poll() is not None:
                raise SystemExit("faults: error: the license server emulator did not start")
            time.sleep(0.01)
        with open(f"{folder}/ready.json") as file:
            ready = json.load(file)
        self.url, self.control_url = ready["base_url"], ready["control_url"]
        self.authority = ready["ca_file"]

    def control(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.control_url + path, data, timeout=30) as answer:
            return json.load(answer)

    def reset(self, faults=(), without=()):
        """Back to the start; the devices in `without` are given back already."""
        self.control("/reset", {})
        if without:
            self.control("/licenses",
                         [license_of(name for name in self.names if name not in without)])
        if faults:
            self.control("/faults", list(faults))

    def clear_faults(self):
        self.control("/faults/clear", {})

    def requests(self):
        """What was asked for and acted on: [(hardware_id, changed)]."""
        result = []
        for entry in self.control("/log")["entries"]:
            if entry.get("path") == "/api/v4/deactivate_license":
                try:
                    device = json.loads(entry["body"])["hardware_id"]
                except (KeyError, ValueError):
                    device = None
                result.append((device, bool(entry["changed"])))
        return result

    def close(self):
        self.process.terminate()
        self.process.wait()


class Run:
    def __init__(self, status, output, errors, hung=False):
        self.status, self.output, self.errors, self.hung = status, output, errors, hung

    @property
    def crash(self):
        """How it ended, if it shouldn't have ended so: text or None."""
        if self.hung:
            return f"hung for {HANG_SECONDS} s"
        if self.status < 0:
            where = re.search("^faults: ended in (.*)", self.errors, re.M)
            return f"ended by signal {-self.status}" + (f" in {where[1]}" if where else "")
        if self.status == 70:
            return f"a fault of its own: {self.errors.strip()}"
        return None


def run(command, environment, **options):
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=HANG_SECONDS, **options)
    except subprocess.TimeoutExpired as late:
        return Run(0, (late.stdout or b"").decode(errors="replace"),
                   (late.stderr or b"").decode(errors="replace"), hung=True)
    return Run(done.returncode, done.stdout.decode(errors="replace"),
               done.stderr.decode(errors="replace"))


def put_old_journal(folder, version):
    """A journal of an older format: "version-1", "version-2"."""
    os.mkdir(folder, 0o700)
    shutil.copyfile(f"{JOURNALS}/{version}.db", f"{folder}/journal.db")
    os.chmod(f"{folder}/journal.db", 0o600)


class Device:
    """A device's settings and keys; its journal's folder is `state`."""

    def __init__(self, folder, server_url, authority):
        self.folder, self.state = folder, f"{folder}/state"
        for name, value in (("license-key", KEY), ("api-key", "demo-api-key"),
                            ("shared-key", "demo-shared-key-not-a-secret"),
                            ("seal-key", "5a" * 32)):
            with open(os.open(f"{folder}/{name}", os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
                file.write(value + "\n")
        with open(f"{folder}/handback.conf", "w") as file:
            if authority:
                file.write(f"HANDBACK_CA_FILE={authority}\n")
            file.write(f"HANDBACK_SERVER={server_url}\n"
                       f"HANDBACK_API_KEY_FILE={folder}/api-key\n"
                       f"HANDBACK_SHARED_KEY_FILE={folder}/shared-key\n"
                       f"HANDBACK_LICENSE_KEY_FILE={folder}/license-key\n"
                       f"HANDBACK_JOURNAL={self.state}/journal.db\n"
                       "HANDBACK_PRODUCT=XY\nHANDBACK_RATE=0\nHANDBACK_TIMEOUT=10\n")
        self.environment = {"PATH": "/usr/bin:/bin", "HANDBACK_CONFIG": f"{folder}/handback.conf"}

    def seal(self, seals=True):
        """Whether it has the key that credentials are encrypted with from here on; without, what
        was encrypted before stays pending."""
        if seals:
            self.environment["HANDBACK_SEAL_KEY_FILE"] = f"{self.folder}/seal-key"
        else:
            self.environment.pop("HANDBACK_SEAL_KEY_FILE", None)

    def put(self, template):
        """Replaces the journal's folder by a copy of `template`, or by nothing."""
        shutil.rmtree(self.state, ignore_errors=True)
        if template:
            shutil.copytree(template, self.state)

    def put_old(self, version):
        self.put(None)
        put_old_journal(self.state, version)

    def run(self, *arguments, prefix=(), more={}, **options):
        return run([*prefix, PROGRAM, *arguments], {**self.environment, **more}, **options)

    def rows(self):
        """All the journal holds, by ticket; None if it can't be read."""
        done = self.run("status", "--all", "--json")
        try:
            return {row["ticket"]: row for row in json.loads(done.output)["deactivations"]}, done
        except (ValueError, KeyError):
            return None, done


class Tally:
    """One line of the table."""

    def __init__(self, name):
        self.name = name
        self.points = self.acknowledged = self.lost = self.false = self.crashes = 0
        # Of a library that the program can't help.
        self.crashes_in_openssl = 0
        self.examples = []

    def problem(self, kind, where, what):
        if kind == "lost":
            self.lost += 1
        elif kind == "false":
            self.false += 1
        elif "in libcrypto.so" in what or "in libssl.so" in what:
            self.crashes_in_openssl += 1
        else:
            self.crashes += 1
        if len(self.examples) < 20:
            self.examples.append(f"{kind}: {where}: {what}")

    def add(self, other):
        self.points += other.points
        self.acknowledged += other.acknowledged
        self.lost += other.lost
        self.false += other.false
        self.crashes += other.crashes
        self.crashes_in_openssl += other.crashes_in_openssl
        self.examples += other.examples

    def tell(self):
        """What went wrong, as far as there is room."""
        for example in self.examples[:20]:
            say(" ".join(example.split()))

    def cells(self):
        """Its row of the table."""
        cells = [f"{n:,}" for n in (self.points, self.acknowledged, self.lost, self.false,
                                    self.crashes)]
        if self.crashes_in_openssl:
            cells[-1] += f" (and {self.crashes_in_openssl} in OpenSSL)"
        return (self.name, *cells)

    @property
    def is_clean(self):
        return self.lost == self.false == self.crashes == 0
