"""Many at once: processes migrate one journal, queue, send, flush, withdraw and read, and are killed
at any moment; and a reader that is slow at any of its system calls holds up nobody, but while it
opens the journal."""

import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

import oracle
import rig
from rig import Device, Server, Tally, say

PROCESSES = 16
# More than there is time for.
DEVICES = 10_000
ROUND_SECONDS = 30
HELD_SECONDS = 2.0
BLOCKED_SECONDS_MAX = 1.0


class Crowd:
    def __init__(self, folder, seed, version):
        self.names = [f"device-{number}" for number in range(DEVICES)] + [rig.OLD_DEVICE]
        self.server = Server(f"{folder}/server", self.names)
        self.device = Device(folder, self.server.url, self.server.authority)
        self.promises = oracle.Promises()
        self.lock = threading.Lock()
        self.next = 0
        self.tally = Tally("many at once")
        self.seed = seed
        self.killed = 0
        # Whoever comes first brings it to the present format, and may be killed at that.
        self.device.put_old(version)
        for ticket, row in self.device.rows()[0].items():
            if row["state"] == "pending":
                self.promises.queued[ticket] = rig.OLD_DEVICE
        self.device.put_old(version)

    def choose(self, chance):
        """Arguments, and the device that they are about."""
        what = chance.random()
        if what < 0.45:
            with self.lock:
                name = self.names[self.next]
                self.next += 1
            only = ["--queue-only"] if what < 0.35 else []
            return ["deactivate", "--hardware-id", name, *only], name
        if what < 0.6:
            return ["flush"], None
        if what < 0.7:
            with self.lock:
                tickets = list(self.promises.queued)
                if tickets:
                    ticket = chance.choice(tickets[-50:])
                    self.promises.withdrawals_begun.add(ticket)
                    return ["withdraw", ticket], None
        return ["status", "--all", "--json"] if what < 0.75 else ["status", "--json"], None

    def member(self, number, end):
        chance = random.Random(f"{self.seed} {number}")
        while time.monotonic() < end and self.next < DEVICES - PROCESSES:
            arguments, name = self.choose(chance)
            process = subprocess.Popen(
                [rig.PROGRAM, *arguments], env=self.device.environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            kills = chance.random() < 0.4
            try:
                output, errors = process.communicate(
                    timeout=chance.random() * 0.2 if kills else rig.HANG_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                output, errors = process.communicate()
                if not kills:
                    self.tally.problem("crash", arguments[0], "hung")
            with self.lock:
                self.tally.points += 1
                self.promises.read(output, name)
                self.killed += process.returncode == -signal.SIGKILL
                if process.returncode < 0 and process.returncode != -signal.SIGKILL:
                    self.tally.problem("crash", arguments[0], f"signal {-process.returncode}")
                elif process.returncode in (65, 70, 73, 74) and "no longer pending" not in errors:
                    self.tally.problem("crash", arguments[0], errors.strip())

    def run(self, seconds):
        end = time.monotonic() + seconds
        members = [threading.Thread(target=self.member, args=(number, end))
                   for number in range(PROCESSES)]
        for member in members:
            member.start()
        for member in members:
            member.join()
        self.tally.acknowledged = len(self.promises.queued)
        oracle.settle(self.tally, "many at once", self.device, self.server, self.promises)
        self.server.close()
        shutil.rmtree(self.device.folder)
        return self.tally


def many_at_once(workshop, seed, seconds):
    """As many crowds one after the other as there is time for, each on a journal of an older
    format."""
    tally, killed = Tally("many at once"), 0
    rounds = max(2, seconds // ROUND_SECONDS)
    for number in range(rounds):
        crowd = Crowd(workshop.folder("crowd"), f"{seed} {number}", f"version-{1 + number % 2}")
        tally.add(crowd.run(seconds / rounds))
        killed += crowd.killed
    say(f"many at once: {tally.points} runs, {killed} of them killed")
    tally.tell()
    return tally


def slow_reader(workshop, stride):
    """`status` is held up at every `stride`-th of its stops, and meanwhile something is queued: at
    once, and it must not fail. SQLite shuts others out while the first one to open the journal reads
    its WAL; there it may wait as long as that takes."""
    folder = workshop.folder("reader")
    device = Device(folder, "https://127.0.0.1:9", "/dev/null")
    tally = Tally("a slow reader")
    device.run("deactivate", "--queue-only", "--hardware-id", "first")
    template = f"{folder}/template"
    shutil.copytree(device.state, template)
    longest, waits, stop, was_struck = 0, 0, 0, True
    while was_struck:
        # A busy machine is slow by itself: only what is slow three times was held up.
        took, allowed = [], BLOCKED_SECONDS_MAX
        while was_struck and len(took) < 3 and (not took or took[-1] > allowed):
            device.put(template)
            was_struck, shuts_out, seconds, done = queue_meanwhile(
                workshop, device, folder, stop, len(took))
            if was_struck:
                took.append(seconds)
                allowed = BLOCKED_SECONDS_MAX + (HELD_SECONDS if shuts_out else 0)
                tally.points += 1
                if done.status == 0 and done.output.startswith("queued "):
                    tally.acknowledged += 1
                else:
                    tally.problem("crash", f"stop {stop}", done.errors.strip())
        if took:
            if shuts_out:
                waits += 1
            else:
                longest = max(longest, min(took))
            if min(took) > allowed:
                tally.problem("crash", f"stop {stop}", f"held up for {min(took):.1f} s")
        stop += stride
    say(f"{tally.name}: 'deactivate' took {1000 * longest:.0f} ms at most, where the reader was "
        f"held up for {1000 * HELD_SECONDS:.0f} ms; at {waits} stops it was opening, and waited for")
    tally.tell()
    return tally


def queue_meanwhile(workshop, device, folder, stop, number):
    ours, its = socket.socketpair()
    reader = subprocess.Popen(
        [workshop.tracer, f"{folder}/report", "hold", str(stop), str(its.fileno()), "--",
         rig.PROGRAM, "status", "--json"], env=device.environment, pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    its.close()
    was_struck = ours.recv(1) == b"h"
    shuts_out, seconds, done = False, 0, None
    if was_struck:
        shuts_out = is_shared_memory_locked(device)
        release = threading.Timer(HELD_SECONDS, ours.send, [b"g"])
        release.start()
        started = time.monotonic()
        done = device.run("deactivate", "--queue-only", "--hardware-id", f"{stop}-{number}")
        seconds = time.monotonic() - started
        if seconds < HELD_SECONDS:
            release.cancel()
            ours.send(b"g")
    reader.wait()
    ours.close()
    return was_struck, shuts_out, seconds, done


def is_shared_memory_locked(device):
    """Whether somebody has one of the WAL's locks alone (https://www.sqlite.org/walformat.html,
    section 2.3)."""
    try:
        inode = os.stat(f"{device.state}/journal.db-shm").st_ino
    except FileNotFoundError:
        return False
    with open("/proc/locks") as locks:
        return any(fields[3] == "WRITE" and fields[5].endswith(f":{inode}")
                   for fields in (line.split() for line in locks))
