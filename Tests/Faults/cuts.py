"""Power cuts: a device's life is recorded in user-mode Linux, every state that a cut may have left
on its disk is made, and each is taken up again by the program.

Modelled cuts: the disk is assumed to keep what a flush or FUA made durable, and of the rest any
part, in blocks of 4 KiB.
"""

import contextlib
import hashlib
import json
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile

import oracle
import rig
from cut_log import cuts, read_log
from mounting import digest_of
from rig import HERE, Tally, say

MIB = 1 << 20
UML = "/usr/bin/linux.uml"

INIT = """\
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmp /mnt
mount -t tmpfs tmp /run
mkdir /mnt/rig /mnt/disk
mount -t hostfs none /mnt/rig -o {work}
ip link set lo up
{body}
echo o > /proc/sysrq-trigger
"""

RECORD = """\
modules=$(echo /usr/lib/uml/modules/*/kernel)
insmod $modules/drivers/md/dm-mod.ko
insmod $modules/drivers/md/dm-log-writes.ko
{load}
echo "0 $(blockdev --getsz /dev/ubda) log-writes /dev/ubda /dev/ubdb" |
  dmsetup create lw --noudevsync && dmsetup mknodes
{mkfs} /dev/mapper/lw
mount -t {type} -o {options} /dev/mapper/lw /mnt/disk
{python} {here}/guest.py /mnt/rig/{name}/plan.json > /mnt/rig/{name}/out 2>&1
umount /mnt/disk
dmsetup remove lw --noudevsync
"""


MOUNT = """\
modules=$(echo /usr/lib/uml/modules/*/kernel)
insmod $modules/drivers/block/loop.ko
{load}
{python} {here}/mounting.py /mnt/rig/{name} {limit} {seed} {stride} > /mnt/rig/{name}/out 2>&1
"""


class System:
    """A file system with its options."""

    def __init__(self, name, type, mkfs, options, size, load=""):
        self.name, self.type, self.mkfs, self.options = name, type, mkfs, options
        self.size, self.load = size, load


EXT4 = System("ext4", "ext4", "mkfs.ext4 -q -F -b 4096 -E nodiscard", "nodiscard", 16 * MIB)
WRITEBACK = System("ext4 data=writeback", "ext4", EXT4.mkfs, "nodiscard,data=writeback", 16 * MIB)
F2FS = System("F2FS", "f2fs", "mkfs.f2fs -q -f -t 0", "nodiscard", 64 * MIB, """\
for module in crypto/crc32_generic lib/lz4/lz4_compress lib/lz4/lz4hc_compress fs/f2fs/f2fs; do
  insmod $modules/$module.ko
done""")


@contextlib.contextmanager
def booted(workshop, body, data, log):
    """A guest that runs `body`; its kernel and all its processes are killed at the end."""
    # The guest's /dev hides ours, where the workshop is: init has to be elsewhere.
    with tempfile.TemporaryDirectory(prefix="handback-faults-", dir="/var/tmp") as folder:
        with open(f"{folder}/init", "w") as file:
            file.write(INIT.format(work=workshop.path, body=body))
        os.chmod(f"{folder}/init", 0o755)
        guest = subprocess.Popen(
            [UML, "mem=256M", f"ubd0={data}", f"ubd1={log}", "rootfstype=hostfs", "rootflags=/",
             "ro", f"init={folder}/init", "con=null", "con0=null,fd:1", "quiet",
             f"uml_dir={folder}"], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield guest
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(guest.pid, signal.SIGKILL)
            guest.wait()


def boot(workshop, body, data, log, seconds=300):
    with booted(workshop, body, data, log) as guest:
        guest.wait(seconds)


class Recording:
    def __init__(self, system, entries, names, journals):
        self.system, self.entries = system, entries
        self.names, self.journals = names, journals


def plan(folder, journals, **more):
    """Writes down what the guest is to do; the devices that it knows."""
    name = os.path.basename(folder)
    names = [f"{journal}-{number}-{letter}" for journal, rounds in journals
             for number in range(rounds) for letter in "abcde"]
    names += [f"{journal}-a" for journal, rounds in journals if not rounds]
    names.append(rig.VERSION_1_DEVICE)
    with open(f"{folder}/plan.json", "w") as file:
        json.dump({"program": os.path.abspath(rig.PROGRAM), "mount": "/mnt/disk",
                   "server": f"/mnt/rig/{name}/server", "names": names, "journals": journals,
                   "environment": {}, **more}, file)
    # Its certificates: made here, where it takes a moment.
    rig.Server(f"{folder}/server").close()
    return names


def record(workshop, system, journals, environment={}):
    """One life; `journals` are (name, rounds), or (name, 0) for one of format 1."""
    folder = workshop.folder("record")
    name = os.path.basename(folder)
    names = plan(folder, journals, environment=environment)
    data, log = f"{folder}/data", f"{folder}/log"
    for path, size in ((data, system.size), (log, 256 * MIB)):
        with open(path, "wb") as file:
            file.truncate(size)
    boot(workshop, RECORD.format(
        load=system.load, mkfs=system.mkfs, type=system.type, options=system.options,
        python=os.path.realpath(sys.executable), here=HERE, name=name), data, log)
    try:
        entries = read_log(log)
    except SystemExit:
        entries = []
    if "end" not in entries:
        with open(f"{folder}/out") as file:
            raise SystemExit(f"faults: error: the guest did not come to its end: {file.read()}")
    shutil.rmtree(folder)
    return Recording(system, entries, names, [journal for journal, _ in journals])


def mount_all(workshop, recording, limit, seed, stride=1):
    """Mounts every `stride`-th state in the guest: a folder of trees, and which state has which."""
    folder = workshop.folder("mount")
    name = os.path.basename(folder)
    with open(f"{folder}/recording", "wb") as file:
        pickle.dump(recording, file)
    empty = f"{folder}/empty"
    with open(empty, "wb") as file:
        file.truncate(MIB)
    boot(workshop, MOUNT.format(load=recording.system.load, here=HERE, name=name,
                                      python=os.path.realpath(sys.executable), limit=limit,
                                      seed=seed, stride=stride), empty, empty, seconds=3600)
    with open(f"{folder}/list") as file:
        lines = file.read().split("\n")
    if "end" not in lines:
        with open(f"{folder}/out") as file:
            raise SystemExit(f"faults: error: the guest did not mount all: {file.read()}")
    return folder, {int(line.split()[0]): line.split()[1] for line in lines if " " in line}


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
    workshop_path, recording, number, workers, limit, seed, trees, tree_of = task
    inspector = Inspector(workshop_path, recording)
    try:
        for index, (disk, marks, where) in enumerate(cuts(recording.entries, limit, seed)):
            if index % workers != number or (trees and index not in tree_of):
                continue
            tree = f"{trees}/{tree_of[index]}" if trees else None
            inspector.look(disk, marks, where, tree)
        inspector.tally.runs = len(inspector.seen_journals)
        return inspector.tally
    finally:
        inspector.close()


def check(workshop, recording, name, limit, seed, stride=1, tells=True):
    """All states of a recording, over the processors.

    ext4 is put right by e2fsck, thousands of states a minute; another file system by the guest's
    kernel, every `stride`-th state.
    """
    trees, tree_of = None, None
    if recording.system.type != "ext4":
        trees, tree_of = mount_all(workshop, recording, limit, seed, stride)
    workers = os.cpu_count()
    tally = Tally(name)
    runs = 0
    with multiprocessing.Pool(workers) as pool:
        for part in pool.imap_unordered(inspect, [
                (workshop.path, recording, number, workers, limit, seed, trees, tree_of)
                for number in range(workers)]):
            tally.add(part)
            runs += part.runs
    if trees:
        shutil.rmtree(trees)
    marks = sum(isinstance(entry, str) for entry in recording.entries)
    say(f"{name}: {len(recording.entries) - marks} writes and flushes, {marks} marks, "
        f"{tally.points} states, {runs} different journals taken up")
    if tells:
        tally.tell()
    return tally


# MARK: - The whole

def power_cuts(workshop, is_quick, seed):
    """Every state of some lives; a tally for each file system."""
    if is_quick:
        plans = [(EXT4, [("one", 1), ("old", 0)], 8)]
    else:
        lives = [("one", 4), ("two", 2), ("old", 0)]
        plans = [(EXT4, lives, 512), (WRITEBACK, lives, 512)]
    tallies = []
    for system, lives, limit in plans:
        recording = record(workshop, system, lives)
        count = compare(workshop, recording, limit, seed, 97 if is_quick else 199)
        say(f"{system.name}: e2fsck and the kernel agree on {count} states")
        tallies.append(check(workshop, recording, f"power cut (modelled), {system.name}", limit,
                             seed))
    return tallies


def power_cuts_on_f2fs(workshop, seed):
    """Some hundred states: each is a mount."""
    recording = record(workshop, F2FS, [("one", 1), ("old", 0)])
    return check(workshop, recording, "power cut (modelled), F2FS", 16, seed, 2)


def compare(workshop, recording, limit, seed, stride):
    """Whether e2fsck and the kernel agree: how many states were compared; ends if they differ."""
    trees, tree_of = mount_all(workshop, recording, limit, seed, stride)
    inspector = Inspector(workshop.path, recording)
    try:
        for index, (disk, _, where) in enumerate(cuts(recording.entries, limit, seed)):
            if tree_of.get(index, "none") == "none":
                continue
            out = inspector.extract_disk(disk)
            shutil.rmtree(f"{out}/lost+found", ignore_errors=True)
            if digest_of(out) != tree_of[index]:
                raise SystemExit(f"faults: error: e2fsck and the kernel differ at {where}")
    finally:
        inspector.close()
        shutil.rmtree(trees)
    return len(tree_of)
