"""The record of a raw flash that flash.c keeps, and the states that a power cut may have left.

A flash keeps what was programmed or erased, in that order: a cut takes the rest, and may fall into
one operation. In the guest: UBI on that flash.
"""

import fcntl
import os
import random
import shutil
import struct
import subprocess

PAGE = 2048
BLOCK = 64 * PAGE
SIZE = 64 * BLOCK
PROGRAM, ERASE, MARK = range(3)
# linux/include/uapi/mtd/ubi-user.h
UBI_ATTACH, UBI_DETACH, UBI_MAKE_VOLUME = 0x40186F40, 0x40046F41, 0x40986F00


def build():
    """The module, once for each kernel: its path. The kernel's source comes over the network."""
    here = os.path.dirname(os.path.abspath(__file__))
    release, = os.listdir("/usr/lib/uml/modules")
    source = f"{here}/flash.c"
    kept = f"{here}/../../.build-faults/flash-{release}.ko"
    if not os.path.exists(kept) or os.path.getmtime(kept) < os.path.getmtime(source):
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        if subprocess.run([f"{here}/build-flash", kept]).returncode:
            raise SystemExit(1)
    return kept


def install(workshop):
    """Puts the module into the workshop, which the guest sees."""
    shutil.copyfile(build(), f"{workshop.path}/flash.ko")


class Operation:
    """Pages programmed, or erased if `pages` are None each."""
    __slots__ = ("first", "pages")

    def __init__(self, first, pages):
        self.first, self.pages = first, pages


def read_log(path):
    """Entries in order: Operation, or a mark's text."""
    with open(path, "rb") as file:
        log = file.read()
    position, entries = 0, []
    while position < len(log):
        offset, kind, length = struct.unpack_from("<QII", log, position)
        position += 16
        if kind == ERASE:
            entries.append(Operation(offset // PAGE, [None] * (length // PAGE)))
            continue
        data = log[position:position + length]
        position += length
        if kind == MARK:
            entries.append(data.decode().rstrip("\n"))
        else:
            entries.append(Operation(offset // PAGE, [data[at:at + PAGE]
                                                      for at in range(0, length, PAGE)]))
    return entries


class Flash:
    """A flash's content: its pages that are not erased, by number, and those that can't be read."""

    def __init__(self, pages=(), torn=()):
        self.pages, self.torn = dict(pages), set(torn)

    def copy(self):
        return Flash(self.pages, self.torn)

    def apply(self, operation, count=None):
        """The operation's first `count` pages, or all."""
        for number, page in enumerate(operation.pages[:count], operation.first):
            self.torn.discard(number)
            if page is None:
                self.pages.pop(number, None)
            else:
                self.pages[number] = page

    def cut_in(self, operation, randomness):
        """Some pages are done, the next is neither old nor new. An erase takes a block's pages
        all at once: each is as far as it is."""
        result = self.copy()
        count = len(operation.pages)
        if operation.pages[0] is None:
            unreadable = [n for n in range(count) if randomness.random() < 0.5]
            result.apply(operation)
        else:
            unreadable = [randomness.randrange(count)]
            result.apply(operation, unreadable[0])
        for number in unreadable:
            result.pages[operation.first + number] = randomness.randbytes(PAGE)
            result.torn.add(operation.first + number)
        return result

    def fingerprint(self):
        return hash((frozenset(self.pages.items()), frozenset(self.torn)))

    def put(self, device, log):
        """Onto the guest's flash."""
        erased = b"\xff" * PAGE
        os.pwrite(device, b"".join(self.pages.get(n, erased) for n in range(SIZE // PAGE)), 0)
        for number in self.torn:
            os.write(log, b"torn %d" % number)


def cuts(entries, seed):
    """Every state: behind each operation, and cut in each: (flash, marks, where)."""
    flash, marks = Flash(), []
    for number, entry in enumerate(entries):
        if isinstance(entry, str):
            yield flash.copy(), list(marks), f"before mark {number}"
            marks.append(entry)
            continue
        yield flash.copy(), list(marks), f"before operation {number}"
        torn = flash.cut_in(entry, random.Random(f"{seed} {number}"))
        yield torn, list(marks), f"in operation {number}"
        flash.apply(entry)
    yield flash, marks, "at the end"


# MARK: - In the guest

def attach():
    with open("/dev/ubi_ctrl", "rb") as control:
        fcntl.ioctl(control, UBI_ATTACH, struct.pack("<iiihb9x", 0, 0, 0, 0, 0))


def detach():
    with open("/dev/ubi_ctrl", "rb") as control:
        fcntl.ioctl(control, UBI_DETACH, struct.pack("<i", 0))


def make_volume():
    """All but the blocks that UBI keeps for itself, which lose two pages each to its headers."""
    size = (SIZE // BLOCK - 4) * (BLOCK - 2 * PAGE)
    name = b"disk"
    with open("/dev/ubi0", "rb") as ubi:
        fcntl.ioctl(ubi, UBI_MAKE_VOLUME,
                    struct.pack("<iiqbBh4x128s", 0, 1, size, 3, 0, len(name), name))


if __name__ == "__main__":
    attach()
    make_volume()
