"""Power cuts: a device's life is recorded in user-mode Linux, every state that a cut may have left
on its disk is made, and each is taken up again by the program.

Modelled cuts: the disk is assumed to keep what a flush or FUA made durable, and of the rest any
part, in blocks of 4 KiB; a raw flash, all up to one operation.
"""

import hashlib
import multiprocessing
import os
import shutil
import subprocess
import tempfile

import flash_log
import oracle
import rig
from mounting import digest_of
from recording import EXT4, F2FS, UBIFS, WRITEBACK, mount_all, record, remove_trees
from rig import Tally, say


def promised(marks):
    """What the marks say: promises by journal, the journal in use, what the server did."""
    by_journal, current, done = {}, None, set()
    for mark in marks:
        word, _, rest = mark.partition(" ")
        if word == "j":
            current = rest
            by_journal[rest] = oracle.Promises()
        elif word == "s":
            done.add(rest)
        elif word == "q":
            ticket, name = rest.split()
            by_journal[current].queued[ticket] = name
        elif word == "W":
            by_journal[current].withdrawals_begun.add(rest)
        elif word == "w":
            by_journal[current].withdrawn.add(rest)
        elif word == "d":
            by_journal[current].claimed.add(rest)
    return by_journal, current, done


# MARK: - Looking at a state; in a worker

class Inspector:
    def __init__(self, workshop_path, recording):
        self.folder = tempfile.mkdtemp(prefix="cut-", dir=workshop_path)
        self.recording = recording
        self.server = rig.Server(f"{self.folder}/server", recording.names)
        self.device = rig.Device(self.folder, self.server.url, self.server.authority)
        self.device.seal()
        self.tally = Tally("")
        self.seen_disks, self.seen_journals = set(), set()

    def close(self):
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def extract(self, image):
        """The files of an image, without mounting it: e2fsck replays the file system's journal as
        the kernel does, debugfs copies."""
        out = f"{self.folder}/out"
        shutil.rmtree(out, ignore_errors=True)
        os.mkdir(out)
        for command in (["e2fsck", "-y", "-E", "journal_only", image],
                        ["debugfs", "-R", f"rdump / {out}", image]):
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        return out

    def extract_disk(self, disk):
        image = f"{self.folder}/image"
        disk.write(image, self.recording.system.size)
        return self.extract(image)

    def look(self, disk, marks, where, tree=None):
        """`tree` has the disk's files; without, they are got from the disk."""
        fingerprint = (disk.fingerprint(), len(marks))
        if fingerprint not in self.seen_disks:
            self.seen_disks.add(fingerprint)
            if any(mark.startswith("j ") for mark in marks):
                self.look_at(tree or self.extract_disk(disk), marks, where)

    def look_at(self, tree, marks, where):
        by_journal, current, done = promised(marks)
        self.tally.points += 1
        if not by_journal:
            return
        self.tally.acknowledged += len(by_journal[current].queued)
        for journal, promises in by_journal.items():
            self.look_at_journal(f"{tree}/{journal}", promises, done,
                                 f"{self.recording.system.name}, {journal}, {where}")

    def look_at_journal(self, path, promises, done, where):
        exists = os.path.isdir(path)
        if not exists and not promises.queued:
            return
        words = repr((sorted(promises.queued), sorted(promises.withdrawals_begun),
                      sorted(promises.withdrawn), sorted(promises.claimed),
                      sorted(done)))
        digest = hashlib.sha256(words.encode())
        for name in sorted(os.listdir(path)) if exists else ():
            with open(f"{path}/{name}", "rb") as file:
                content = file.read()
            digest.update(f"{name} {len(content)}\n".encode() + content)
        if digest.digest() in self.seen_journals:
            return
        self.seen_journals.add(digest.digest())
        self.server.reset(without=done)
        self.device.put(path if exists else None)
        oracle.settle(self.tally, where, self.device, self.server, promises, frozenset(done))


def inspect(task):
    workshop_path, recording, number, workers, limit, seed, stride, tree_of = task
    inspector = Inspector(workshop_path, recording)
    try:
        for index, (disk, marks, where) in enumerate(recording.states(limit, seed)):
            turn, skipped = divmod(index, stride)
            if not skipped and turn % workers == number:
                inspector.look(disk, marks, where, tree_of and tree_of[index])
        inspector.tally.runs = len(inspector.seen_journals)
        return inspector.tally
    finally:
        inspector.close()


def check(workshop, recording, name, limit, seed, stride=1, tells=True):
    """Every `stride`-th state of a recording, over the processors.

    ext4 is put right by e2fsck, thousands of states a minute; another file system by the guest's
    kernel.
    """
    tree_of = None
    if recording.system.type != "ext4":
        tree_of = mount_all(workshop, recording, limit, seed, stride)
    workers = os.cpu_count()
    tally = Tally(name)
    runs = 0
    with multiprocessing.Pool(workers, rig.isolate) as pool:
        for part in pool.imap_unordered(inspect, [
                (workshop.path, recording, number, workers, limit, seed, stride, tree_of)
                for number in range(workers)]):
            tally.add(part)
            runs += part.runs
    if tree_of:
        remove_trees(tree_of)
    marks = sum(isinstance(entry, str) for entry in recording.entries)
    say(f"{name}: {len(recording.entries) - marks} writes and flushes, {marks} marks, "
        f"{tally.points} states, {runs} different journals taken up")
    if tells:
        tally.tell()
    return tally


# MARK: - The whole

def name_of(system):
    return f"power cut (modelled), {system.name}"


def on_ext4(workshop, is_quick, seed):
    """A tally for each way of ordering."""
    if is_quick:
        plans = [(EXT4, [("one", 1), ("version-1", 0)], 8)]
    else:
        plans = [(EXT4, [("one", 4), ("two", 2), ("version-1", 0)], 512),
                 (WRITEBACK, [("one", 4), ("two", 2), ("version-2", 0)], 512)]
    tallies = []
    for system, lives, limit in plans:
        recording = record(workshop, system, lives)
        count = compare(workshop, recording, limit, seed, 97 if is_quick else 199)
        say(f"{system.name}: e2fsck and the kernel agree on {count} states")
        tallies.append(check(workshop, recording, name_of(system), limit, seed))
    return tallies


def on_f2fs(workshop, is_quick, seed):
    """Each state is a mount."""
    recording = record(workshop, F2FS, [("one", 1), ("version-1", 0)])
    return check(workshop, recording, name_of(F2FS), 16, seed, 16 if is_quick else 1)


def on_ubifs(workshop, seed):
    flash_log.install(workshop)
    recording = record(workshop, UBIFS, [("one", 2), ("version-2", 0)])
    return check(workshop, recording, name_of(UBIFS), 0, seed)


def compare(workshop, recording, limit, seed, stride):
    """Whether e2fsck and the kernel agree: how many states were compared; ends if they differ."""
    tree_of = mount_all(workshop, recording, limit, seed, stride)
    inspector = Inspector(workshop.path, recording)
    try:
        for index, (disk, _, where) in enumerate(recording.states(limit, seed)):
            digest = os.path.basename(tree_of.get(index, "none"))
            if digest == "none":
                continue
            out = inspector.extract_disk(disk)
            shutil.rmtree(f"{out}/lost+found", ignore_errors=True)
            if digest_of(out) != digest:
                raise SystemExit(f"faults: error: e2fsck and the kernel differ at {where}")
    finally:
        inspector.close()
        remove_trees(tree_of)
    return len(tree_of)
