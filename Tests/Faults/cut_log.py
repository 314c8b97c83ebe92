"""The record of a block device's writes that dm-log-writes keeps, and the disks that a power cut
may have left.

Format: Linux, drivers/md/dm-log-writes.c.
"""

import os
import random
import struct
import subprocess

LOG_DEVICE = "lw"
MAGIC = 0x6a736677736872
SECTOR = 512
BLOCK = 4096
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


def mark(text):
    """Writes a text into the record; in the guest. A message is cut at its blanks."""
    subprocess.run(["dmsetup", "message", LOG_DEVICE, "0", "mark", text.replace(" ", ":")],
                   check=True)


class Write:
    __slots__ = ("offset", "data", "flags")

    def __init__(self, offset, data, flags):
        self.offset, self.data, self.flags = offset, data, flags


def read_log(path):
    """Entries in order: Write, or a mark's text."""
    with open(path, "rb") as file:
        log = file.read()
    magic, version, count, sector_size = struct.unpack_from("<QQQI", log)
    if magic != MAGIC or version != 1 or sector_size != SECTOR:
        raise SystemExit("faults: error: there is no record of dm-log-writes")
    position, entries = SECTOR, []
    for _ in range(count):
        sector, sectors, flags, length = struct.unpack_from("<QQQQ", log, position)
        text = log[position + 32:position + 32 + length] if flags & MARK else b""
        position += SECTOR
        if flags & MARK:
            entries.append(text.rstrip(b"\0").decode().replace(":", " "))
            continue
        data = b""
        if sectors and not flags & DISCARD:
            data = log[position:position + sectors * SECTOR]
            position += sectors * SECTOR
        entries.append(Write(sector * SECTOR, data, flags))
    return entries


class Epoch:
    """What was written between two flushes, and the marks set in it.

    A power cut in it keeps what was durable at its start and any part of its `writes`.
    dm-log-writes records a plain write at the next flush, but a mark, and a write that goes
    through to the medium (FUA), as they happen. So only of these (`ordered`) the order is known;
    the rest of a cut's states are those just before the second flush is through, when all marks
    are made and none of the writes is durable yet.
    """

    def __init__(self, marks):
        self.marks_before = marks
        self.writes = []
        self.ordered = []


def epochs(entries):
    """Epochs in order. A flush comes before the data it carries."""
    current = Epoch([])
    marks = []
    for entry in entries:
        if isinstance(entry, str):
            marks.append(entry)
            current.ordered.append(entry)
            continue
        if entry.flags & FLUSH:
            yield current
            current = Epoch(list(marks))
        if entry.data:
            (current.ordered if entry.flags & FUA else current.writes).append(entry)
    yield current


def choices(writes, limit, randomness):
    """Subsets of an epoch's writes that may have reached the disk, as tuples of indices: none,
    all, each beginning, all others if they are few, else some by chance, torn ones among them.

    An index stands for a whole write; a pair (index, blocks) for its first blocks alone.
    """
    count = len(writes)
    chosen = {tuple(range(length)) for length in range(count + 1)}
    if 2 ** min(count, 30) <= limit:
        for bits in range(2 ** count):
            chosen.add(tuple(i for i in range(count) if bits >> i & 1))
    else:
        for _ in range(20 * limit):
            if len(chosen) >= limit:
                break
            share = randomness.random()
            chosen.add(tuple(i for i in range(count) if randomness.random() < share))
    torn = [i for i in range(count) if len(writes[i].data) > BLOCK]
    if torn:
        for _ in range(max(1, limit // 8)):
            at = randomness.choice(torn)
            blocks = randomness.randrange(1, len(writes[at].data) // BLOCK + 1)
            part = [i for i in range(count) if i != at and randomness.random() < 0.5]
            chosen.add(tuple(part) + ((at, blocks),))
    return sorted(chosen, key=repr)


class Disk:
    """A device's content: its blocks that were ever written, by number."""

    def __init__(self, blocks=()):
        self.blocks = dict(blocks)

    def copy(self):
        return Disk(self.blocks)

    def apply(self, write, length=None):
        offset, data = write.offset, write.data if length is None else write.data[:length]
        while data:
            number, within = divmod(offset, BLOCK)
            part = data[:BLOCK - within]
            if len(part) < BLOCK:
                old = self.blocks.get(number, bytes(BLOCK))
                self.blocks[number] = old[:within] + part + old[within + len(part):]
            else:
                self.blocks[number] = part
            offset, data = offset + len(part), data[len(part):]

    def with_choice(self, writes, choice):
        result = self.copy()
        for part in choice:
            if isinstance(part, int):
                result.apply(writes[part])
            else:
                result.apply(writes[part[0]], part[1] * BLOCK)
        return result

    def fingerprint(self):
        return hash(frozenset(self.blocks.items()))

    def write(self, path, size):
        with open(path, "wb", buffering=0) as file:
            file.truncate(size)
            for number, block in self.blocks.items():
                os.pwrite(file.fileno(), block, number * BLOCK)


def cuts(entries, limit, seed, takes=lambda number: True):
    """Every state of the epochs that `takes` says: (disk, marks, where)."""
    disk = Disk()
    for number, epoch in enumerate(epochs(entries)):
        if takes(number):
            through = disk.copy()
            marks = list(epoch.marks_before)
            for index, entry in enumerate(epoch.ordered):
                # None of the epoch's writes has arrived, and the cut comes here.
                yield through, list(marks), f"epoch {number}, cut {index}"
                if isinstance(entry, str):
                    marks.append(entry)
                else:
                    through.apply(entry)
            randomness = random.Random(f"{seed} {number}")
            for choice in choices(epoch.writes, limit, randomness):
                yield (through.with_choice(epoch.writes, choice), marks,
                       f"epoch {number}, writes {choice}")
        for write in epoch.writes + [e for e in epoch.ordered if not isinstance(e, str)]:
            disk.apply(write)
