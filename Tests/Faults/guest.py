"""Runs inside user-mode Linux: a device's life on a file system whose block device is recorded.

What was acknowledged, and what the server did, goes into the same record as marks, in the order
it happened: `j JOURNAL` is in use from here on, `q TICKET NAME` queued, `W TICKET` a withdrawal
begins, `w TICKET` withdrawn, `d TICKET` reported as deactivated, `s NAME` the server gave a
license back.
Where the guest is to be killed, the marks go to a file of the host instead; on a raw flash, to the
device that keeps its record.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "LicenseServer"))

import license_server  # noqa: E402
import request_log  # noqa: E402
import oracle  # noqa: E402
import rig  # noqa: E402
import cut_log  # noqa: E402


marks_file = None


def mark(text):
    if marks_file is None:
        cut_log.mark(text)
        return
    os.write(marks_file, text.encode() + b"\n")
    # Through the guest's page cache, if it is a file.
    with contextlib.suppress(OSError):
        os.fsync(marks_file)


def start_server(folder, names):
    options = license_server.parser().parse_args(["--port", str(rig.PORT), "--directory",
                                                  folder])
    server = license_server.build(options, rig.server_state(names))
    ready = license_server.start(options, server, folder)
    add = request_log.RequestLog.add

    def add_and_mark(self, entry):
        # Before the first byte of the answer leaves.
        if entry.get("changed"):
            mark(f"s {entry['changed']['hardware_id']}")
        add(self, entry)
    request_log.RequestLog.add = add_and_mark
    return server, ready


class Life:
    def __init__(self, plan, server, ready):
        self.server = server
        folder = "/run/device"
        os.mkdir(folder)
        self.device = rig.Device(folder, ready["base_url"], ready["ca_file"])
        self.device.environment.update(plan["environment"])
        self.mount = plan["mount"]
        self.known = set()

    def run(self, *arguments):
        done = self.device.run(*arguments)
        if done.crash:
            raise SystemExit(f"{arguments} {done.crash}")
        return done

    def take(self, output, name=None):
        """Marks what is newly promised."""
        promises = oracle.Promises()
        promises.read(output, name)
        for ticket in promises.queued:
            mark(f"q {ticket} {name}")
        for ticket in sorted(promises.claimed - self.known):
            mark(f"d {ticket}")
        self.known |= promises.claimed
        return list(promises.queued)

    def queue(self, name, *more):
        """The mark is made as soon as the line is read, while the program may still run. Every
        second device of a round encrypts its credentials."""
        self.device.seal(name[-1] in "bd")
        process = subprocess.Popen(
            [rig.PROGRAM, "deactivate", "--hardware-id", name, *more],
            env=self.device.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        for line in process.stdout:
            tickets = self.take(line, name)
            if tickets:
                ticket = tickets[0]
        process.wait()
        self.device.seal()
        return ticket

    def flush(self):
        self.take(self.run("flush").output)

    def withdraw(self, ticket):
        mark(f"W {ticket}")
        if self.run("withdraw", ticket).status == 0:
            mark(f"w {ticket}")

    def open(self, journal):
        self.device.environment["HANDBACK_JOURNAL"] = f"{self.mount}/{journal}/journal.db"
        mark(f"j {journal}")

    def new_journal(self, journal, rounds):
        self.open(journal)
        for number in range(rounds):
            name = f"{journal}-{number}"
            first = self.queue(f"{name}-a", "--queue-only")
            self.queue(f"{name}-b", "--queue-only")
            if number % 2 == 0:
                self.withdraw(first)
            self.flush()
            self.queue(f"{name}-c")
            self.server.faults.set([{"kind": "reset_after", "count": 1}])
            self.queue(f"{name}-d")
            self.queue(f"{name}-e", "--queue-only")
            self.flush()
            if number % 3 == 2:
                self.flush()

    def old_journal(self, journal):
        rig.put_old_journal(f"{self.mount}/{journal}", journal)
        subprocess.run(["sync"], check=True)
        self.open(journal)
        rows, _ = self.device.rows()
        for ticket, row in rows.items():
            if row["state"] == "pending":
                mark(f"q {ticket} {rig.OLD_DEVICE}")
        self.queue(f"{journal}-a", "--queue-only")
        self.flush()


def main():
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    rig.PROGRAM = plan["program"]
    if plan.get("marks"):
        global marks_file
        marks_file = os.open(plan["marks"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    folder = "/run/server"
    shutil.copytree(plan["server"], folder)
    server, ready = start_server(folder, plan["names"])
    life = Life(plan, server, ready)
    for journal, rounds in plan["journals"]:
        if rounds:
            life.new_journal(journal, rounds)
        else:
            life.old_journal(journal)
    mark("end")
    os._exit(0)


if __name__ == "__main__":
    main()
