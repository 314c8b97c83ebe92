"""The runs that faults strike: each a journal to begin with, one command, and what was promised
before it."""

import contextlib
import os
import shutil
import sqlite3

from oracle import Promises
from rig import OLD_DEVICE, Device, Server

# So many that their second copies need more than one step of their file's growth; the seventh's
# takes two blocks.
MANY = [f"device-{number}" + "-long" * 49 * (number == 7) for number in range(1, 11)]
DEVICES = [*MANY, OLD_DEVICE]


class Scenario:
    def __init__(self, name, arguments, about=None, queued=(), old=None, lost_answer=False,
                 faults=(), seals=False, is_damaged=False, loses_journal=False):
        self.name, self.arguments, self.about = name, arguments, about
        self.queued, self.old, self.lost_answer = queued, old, lost_answer
        self.faults, self.seals, self.is_damaged = faults, seals, is_damaged
        # Once the command is through: all has to be in the second copies.
        self.loses_journal = loses_journal
        self.promises = Promises()
        self.template = None
        self.done_before = frozenset()

    def prepare(self, device, server, folder):
        """Makes the journal to begin with; later points copy it."""
        server.reset()
        # The first of several rows is from before there was a key.
        device.seal(self.seals and len(self.queued) == 1)
        if self.old:
            device.put_old(self.old)
            rows, _ = device.rows()
            for ticket, row in rows.items():
                if row["state"] == "pending":
                    self.promises.queued[ticket] = OLD_DEVICE
            # Reading must not have changed it, but the copy is to be the one from the box.
            device.put_old(self.old)
        else:
            device.put(None)
            for name in self.queued:
                more = {"HANDBACK_SDK_VER": "long" * 16} if name == MANY[6] else {}
                done = device.run("deactivate", "--queue-only", "--hardware-id", name, more=more)
                self.promises.read(done.output, name)
                device.seal(self.seals)
            if self.lost_answer:
                server.control("/faults", [{"kind": "reset_after", "count": len(self.queued)}])
                device.run("flush")
                self.done_before = frozenset(n for n, changed in server.requests() if changed)
        template = f"{folder}/{self.name.replace(' ', '-')}"
        if self.is_damaged:
            self.damage(device, template)
        elif os.path.exists(device.state):
            shutil.copytree(device.state, template)
        if os.path.exists(template):
            self.template = template
        self.arguments = [list(self.promises.queued)[0] if word == "TICKET" else word
                          for word in self.arguments]
        if self.is_damaged:
            self.check_damage(device, server)
        return self

    def damage(self, device, template):
        """Withdraws the first one, in the WAL alone, and puts into `template` what is there then,
        with a page damaged that has no row: each can be read, and the file is set aside.

        It is the second copies' turn first: one more is queued, and was cut off before its commit.
        A journal that is behind them is checked by whoever queues, too."""
        path = f"{device.state}/journal.db"
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        # While it reads, nothing goes from the WAL to the file.
        reader.execute("BEGIN")
        (page,), = reader.execute("SELECT rootpage FROM sqlite_master WHERE name = 'identity'")
        (size,), = reader.execute("PRAGMA page_size")
        ticket = list(self.promises.queued)[0]
        self.promises.read(device.run("withdraw", ticket).output)
        self.promises.receipts[ticket] = device.run("receipt", ticket).output
        shutil.copytree(device.state, template, ignore=shutil.ignore_patterns("*-shm"))
        device.run("deactivate", "--queue-only", "--hardware-id", "device-4")
        shutil.copyfile(f"{path}-copy", f"{template}/journal.db-copy")
        reader.close()
        with open(f"{template}/journal.db", "r+b") as file:
            # How many bytes lie in gaps between cells (SQLite's file format, 1.6): only SQLite's
            # own check counts them. A page that can't be read is tried a thousand times.
            file.seek((page - 1) * size + 7)
            file.write(b"\x01")

    def check_damage(self, device, server):
        """That there is something to strike, and that the withdrawal needs the WAL."""
        self.begin(device, server)
        device.run(*self.arguments)
        if not any(".damaged-" in name for name in os.listdir(device.state)):
            raise SystemExit(f"faults: error: {self.name}: no journal was set aside")
        self.begin(device, server)
        os.unlink(f"{device.state}/journal.db-wal")
        device.run("flush")
        if not self.promises.withdrawn_devices() & {name for name, _ in server.requests()}:
            raise SystemExit(f"faults: error: {self.name}: the withdrawal isn't in the WAL alone")

    def end(self, device, promises):
        if self.loses_journal:
            promises.has_lost_journal = True
            for suffix in ("", "-wal", "-shm", "-journal"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{device.state}/journal.db{suffix}")

    def begin(self, device, server):
        """A fresh start for one point: what was promised so far."""
        server.reset(self.faults, self.done_before)
        device.put(self.template)
        device.seal(self.seals)
        promises = self.promises.copy()
        if self.arguments[0] == "withdraw":
            promises.withdrawals_begun.add(self.arguments[1])
        return promises


def all_scenarios():
    def queue(name):
        return ["deactivate", "--queue-only", "--hardware-id", name]
    return [
        Scenario("create", queue("device-1"), "device-1"),
        Scenario("queue", queue("device-3"), "device-3", queued=("device-1", "device-2"),
                 seals=True),
        Scenario("queue again", queue("device-1"), "device-1", queued=("device-1",), seals=True),
        Scenario("queue and send", ["deactivate", "--hardware-id", "device-2"], "device-2",
                 queued=("device-1",)),
        Scenario("flush", ["flush"], queued=("device-1", "device-2", "device-3"), seals=True),
        Scenario("flush, one answer lost", ["flush"], queued=("device-1",), lost_answer=True,
                 seals=True),
        Scenario("flush, refused", ["flush"], queued=("device-1", "device-2"),
                 faults=({"kind": "status", "status": 500, "count": 1},)),
        Scenario("agent", ["agent", "--until-empty", "--deadline", "2"],
                 queued=("device-1", "device-2")),
        Scenario("queue, journal lost then", queue("device-10"), "device-10", queued=MANY[:9],
                 loses_journal=True),
        Scenario("flush, journal lost then", ["flush"], queued=MANY[:9], loses_journal=True,
                 faults=({"kind": "status", "status": 500, "count": -1},)),
        Scenario("withdraw", ["withdraw", "TICKET"], queued=("device-1", "device-2")),
        Scenario("migrate and queue", queue("device-2"), "device-2", old="version-1"),
        Scenario("migrate and flush", ["flush"], old="version-1"),
        Scenario("damaged, flush", ["flush"], queued=("device-1", "device-2"), is_damaged=True),
        Scenario("damaged, queue", queue("device-3"), "device-3", queued=("device-1", "device-2"),
                 is_damaged=True),
    ]


class Bench:
    """One worker's server and device."""

    def __init__(self, workshop_path, tracer, interposer):
        import tempfile
        folder = tempfile.mkdtemp(prefix="bench-", dir=workshop_path)
        self.server = Server(f"{folder}/server", DEVICES)
        self.device = Device(folder, self.server.url, self.server.authority)
        self.tracer, self.interposer = tracer, interposer
        self.report = f"{folder}/report"

    def close(self):
        self.server.close()
