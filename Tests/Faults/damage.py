"""Journals that flash has damaged: the shipped program opens them, flushes to the end, and what it
then says is compared with what was promised and with what the server did.

There are two samples with rows of each kind: one has half of them in the file and half in its WAL,
the other all in the file. Damages: each byte of each file's header and of each second copy's, each
page, frame and block zeroed, and random ones; in three of ten also in the second copies, or, where
those are struck first, in the journal. In half of the random ones another deactivation is queued
before the flush: that looks at less of the journal."""

import contextlib
import json
import multiprocessing
import os
import random
import shutil
import sqlite3

import rig
from rig import Device, Server, Tally, say

FILES = {"": 1024, "-wal": 1048, "-copy": 512, "-reserve": 512}
# How many bytes of each are its header; of the reserve, what it says of tickets.
HEADS = {"": 100, "-wal": 56, "-copy": 40, "-reserve": 40}
# Where in a second copy's first block the highest byte of its length is.
LENGTH = 4
# What became of each device's deactivation before the damage; the second half is in the WAL alone.
FATES = ["deactivated", "rejected", "withdrawn", "unanswered", "pending",
         "deactivated", "rejected", "withdrawn", "pending", "pending", "pending"]
DEVICES = [f"device-{number}" for number in range(1, len(FATES) + 1)]
IN_FILE = 5
# Queued behind the damage.
EXTRA = "device-99"
LICENSED = [EXTRA] + [device for device, fate in zip(DEVICES, FATES) if fate != "rejected"]


class Sample:
    """The journal before the damage; `files` holds its bytes by the name's end."""

    def __init__(self, folder, is_settled):
        self.in_file = len(DEVICES) if is_settled else IN_FILE
        server = Server(f"{folder}/server", LICENSED, plain=True)
        device = Device(folder, server.url, server.authority)
        self.tickets = {}
        reader = None
        for number, (name, fate) in enumerate(zip(DEVICES, FATES)):
            if number == self.in_file:
                # While it reads, nothing goes from the WAL to the file.
                reader = sqlite3.connect(f"{device.state}/journal.db", isolation_level=None)
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM deactivation").fetchone()
            self.tickets[name] = self.live(device, server, name, fate)
        if is_settled:
            with contextlib.closing(sqlite3.connect(f"{device.state}/journal.db")) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.files = {}
        for end in FILES:
            path = f"{device.state}/journal.db{end}"
            self.files[end] = b""
            # The last one that closes it takes an empty WAL along.
            if os.path.exists(path):
                with open(path, "rb") as file:
                    self.files[end] = file.read()
        if reader:
            reader.close()
        self.done = frozenset(name for name, changed in server.requests() if changed)
        self.body = next(entry["body"] for entry in server.control("/log")["entries"]
                         if "deactivate" in entry.get("path", ""))
        server.close()
        shutil.rmtree(device.state)

    @staticmethod
    def live(device, server, name, fate):
        """Every second device's credentials are encrypted."""
        device.seal(DEVICES.index(name) % 2 == 1)
        arguments = ["deactivate", "--hardware-id", name]
        if fate in ("withdrawn", "pending"):
            arguments.append("--queue-only")
        server.clear_faults()
        if fate == "unanswered":
            server.control("/faults", [{"kind": "reset_after", "match": {"hardware_id": name}}])
        ticket = device.run(*arguments).output.split()[1]
        if fate == "withdrawn":
            device.run("withdraw", ticket)
        rows, _ = device.rows()
        expected = "pending" if fate == "unanswered" else fate
        if rows[ticket]["state"] != expected:
            raise SystemExit(f"faults: error: {name} is {rows[ticket]}, and should be {fate}")
        return ticket


def strike(files, end, chance):
    """A flipped bit, some bytes or a whole page zeroed or overwritten, two pages swapped, or the
    file cut off; what was done."""
    content, unit = files[end], FILES[end]
    if not content:
        return f"{end} is empty"
    place = chance.randrange(HEADS[end] if end == "-reserve" else len(content))
    page = place // unit * unit
    kind = chance.choice(["bit", "bit", "zeros", "bytes", "zero page", "ones page", "cut", "swap"])
    if kind == "bit":
        content[place] ^= 1 << chance.randrange(8)
    elif kind == "zeros":
        content[place:place + 64] = bytes(len(content[place:place + 64]))
    elif kind == "bytes":
        content[place:place + 16] = chance.randbytes(len(content[place:place + 16]))
    elif kind in ("zero page", "ones page"):
        byte = b"\0" if kind == "zero page" else b"\xff"
        content[page:page + unit] = byte * len(content[page:page + unit])
    elif kind == "cut":
        del content[place:]
    else:
        other = chance.randrange(len(content) // unit + 1) * unit
        if max(page, other) + unit <= len(content):
            content[page:page + unit], content[other:other + unit] = (
                content[other:other + unit], content[page:page + unit])
    return f"{end or 'main'} {kind} at {place}"


def damages(sample, count, is_quick, chance):
    """Each damage as (kind, …); a random one is known by its seed."""
    result = []
    for end, content in sample.files.items():
        result += [("byte", end, offset) for offset in range(min(HEADS[end], len(content)))]
        if end != "-reserve":
            result += [("page", end, start) for start in range(0, len(content), FILES[end])]
    blocks = range(FILES["-copy"], len(sample.files["-copy"]), FILES["-copy"])
    result += [("byte", "-copy", start + offset) for start in blocks for offset in range(24)
               if offset != LENGTH]
    # A table's text may say something else after one bit.
    result += [("bit", "", offset, chance.randrange(8))
               for offset in range(len(sample.files[""]))]
    if is_quick:
        result = chance.sample(result, min(len(result), count))
    # No sample goes without: what is too long by far is a trap where a word has 32 bits.
    result += [("byte", "-copy", start + LENGTH) for start in blocks]
    return result + [("random", chance.getrandbits(48)) for _ in range(count)]


def damaged(sample, damage):
    """The files, what was done to them, and those that were struck."""
    files = {end: bytearray(content) for end, content in sample.files.items()}
    kind, *place = damage
    if kind == "byte":
        files[place[0]][place[1]] ^= 0xFF
    elif kind == "bit":
        files[place[0]][place[1]] ^= 1 << place[2]
    elif kind == "page":
        end, start = place
        files[end][start:start + FILES[end]] = bytes(len(files[end][start:start + FILES[end]]))
    elif kind == "all":
        for end in place:
            files[end].clear()
        return files, "nothing is left", set(place)
    if kind != "random":
        return files, f"{place[0] or 'main'} {kind} {place[1:]}", {place[0]}
    chance = random.Random(place[0])
    struck = [chance.choice(["", "", "-wal" if files["-wal"] else "", "-copy", "-reserve"])]
    if chance.random() < 0.3:
        struck.append("-copy" if struck[0] in ("", "-wal") else
                      chance.choice(["", "-wal" if files["-wal"] else ""]))
    return files, ", ".join(strike(files, end, chance) for end in struck), set(struck)


class Bench:
    """One worker's server and device."""

    def __init__(self, folder, samples):
        self.samples = samples
        self.server = Server(f"{folder}/server", LICENSED, plain=True)
        self.device = Device(folder, self.server.url, self.server.authority)
        self.device.seal()

    def try_one(self, number, damage):
        self.sample = self.samples[number]
        files, words, struck = damaged(self.sample, damage)
        words = f"sample {number}: {words}"
        tally = Tally("")
        tally.points, tally.acknowledged = 1, len(DEVICES)
        self.server.reset(without=self.sample.done)
        self.device.put(None)
        os.mkdir(self.device.state, 0o700)
        for end, content in files.items():
            path = f"{self.device.state}/journal.db{end}"
            with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
                file.write(content)
        extra = None
        if damage[0] == "random" and damage[1] % 2:
            queued = self.device.run("deactivate", "--queue-only", "--hardware-id", EXTRA)
            if queued.crash:
                tally.problem("crash", words, f"deactivate {queued.crash}")
            elif queued.status == 0:
                extra = queued.output.split()[1]
                tally.acknowledged += 1
        flush = self.device.run("flush")
        if flush.crash:
            tally.problem("crash", words, f"flush {flush.crash}")
        rows, status = self.device.rows()
        if rows is None:
            # Which of both is damaged nobody knows: it is left as it is, and told.
            if "no SQLite database" in status.errors and "-copy" in struck and len(struck) > 1:
                return tally
            tally.problem("crash", words, f"{flush.errors.strip()}; {status.errors.strip()}")
            return tally
        done = self.compare(tally, words, struck, rows, flush)
        if extra:
            self.check_extra(tally, words, struck, rows.get(extra), extra, done)
        return tally

    @staticmethod
    def check_extra(tally, words, struck, row, ticket, done):
        """What was queued in the damaged journal, before the next look at all of it."""
        state = row and row["state"]
        if state == "deactivated" and EXTRA in done:
            return
        if state != "damaged" or len(struck) == 1:
            tally.problem("lost", words, f"{ticket}, queued behind the damage, is {state}")

    def compare(self, tally, words, struck, rows, flush):
        done = set(self.sample.done)
        for entry in self.server.control("/log")["entries"]:
            if entry.get("path") != "/api/v4/deactivate_license":
                continue
            device = json.loads(entry["body"]).get("hardware_id")
            if device not in DEVICES + [EXTRA] or entry["body"] != self.sample.body.replace(
                    DEVICES[0], device):
                tally.problem("false", words, f"a damaged request: {entry['body']}")
            elif device in DEVICES[:self.sample.in_file] and FATES[DEVICES.index(device)] not in (
                    "pending", "unanswered"):
                tally.problem("false", words, f"{device} was sent, and had ended in the file")
            if entry["changed"]:
                if device in done:
                    tally.problem("false", words, f"{device} was given back twice")
                done.add(device)
        damaged_rows = [t for t, row in rows.items() if row["state"] == "damaged"]
        for ticket, row in rows.items():
            if row["state"] == "deactivated" and row["hardware_id"] not in done:
                tally.problem("false", words, f"{ticket} is deactivated in the journal only")
        if damaged_rows and flush.status != 65:
            tally.problem("lost", words, f"{damaged_rows} are damaged, and flush is {flush.status}")
        if damaged_rows and not struck & {"", "-wal"}:
            tally.problem("false", words, f"{damaged_rows} are in the journal, and damaged")
        numbers = {ticket.split("-")[0] for ticket in damaged_rows}
        for device, fate in zip(DEVICES, FATES):
            self.check(tally, words, struck, rows, device, fate, done, numbers)
        return done

    def check(self, tally, words, struck, rows, device, fate, done, numbers):
        """One promise: kept, or told why not."""
        ticket = self.sample.tickets[device]
        row = rows.get(ticket)
        state = row and row["state"]
        if fate in ("pending", "unanswered"):
            if state == "deactivated":
                return
            # That an attempt was made may have been in what is damaged alone.
            if state == "rejected" and fate == "unanswered" and (
                    row["restored"] or struck & {"", "-wal"}):
                return
        elif state == fate or (state in ("deactivated", "rejected") and device not in
                               DEVICES[:self.sample.in_file]):
            # What was only in the WAL may be as it was before its end: sent again.
            return
        is_told = state == "damaged" or ticket.split("-")[0] in numbers or (
            "1-000000" in rows and not rows.keys() & set(self.sample.tickets.values()))
        if not is_told:
            tally.problem("lost", words, f"{ticket} ({device}, {fate}) is {state}")
        elif fate in ("pending", "unanswered") and len(struck) == 1:
            tally.problem("lost", words, f"{ticket} ({device}, {fate}) is damaged by one file's")

    def close(self):
        self.server.close()


bench = None


def begin_worker(workshop, samples):
    global bench
    rig.isolate()
    bench = Bench(workshop.folder("damage"), samples)
    multiprocessing.util.Finalize(bench, bench.close, exitpriority=10)


def try_one(numbered):
    return bench.try_one(*numbered)


def run(workshop, seed, is_quick):
    chance = random.Random(seed)
    samples = [Sample(workshop.folder("damage"), is_settled) for is_settled in (False, True)]
    count = 75 if is_quick else 25_000
    listed = [(number, damage) for number, sample in enumerate(samples)
              for damage in damages(sample, count, is_quick, chance)]
    # The canary: a loss that nothing can tell of is seen here.
    local = Bench(workshop.folder("damage"), samples)
    ends = ["-wal", "-copy", "-reserve"]
    is_blind = not all([local.try_one(0, ("all", *ends)).lost,
                        local.try_one(1, ("all", "", *ends)).lost])
    local.close()
    if is_blind:
        raise SystemExit("faults: error: the damage class sees no loss")
    tally = Tally("a journal's files are damaged")
    say(f"{tally.name}: {len(listed)} points")
    with multiprocessing.Pool(os.cpu_count(), begin_worker, (workshop, samples)) as pool:
        for one in pool.imap_unordered(try_one, listed, chunksize=8):
            tally.add(one)
        pool.close()
        pool.join()
    tally.tell()
    return tally
