"""Lives and mounts in user-mode Linux: a device's life on a file system whose medium is recorded,
and the states that a power cut may have left on it, mounted."""

import concurrent.futures
import contextlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile

import cut_log
import flash_log
import rig
from rig import HERE

MIB = 1 << 20
UML = "/usr/bin/linux.uml"
PYTHON = os.path.realpath(sys.executable)

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
modules=$(echo /usr/lib/uml/modules/*/kernel)
{body}
echo o > /proc/sysrq-trigger
"""

LIVE = f"{PYTHON} {HERE}/guest.py /mnt/rig/{{name}}/plan.json > /mnt/rig/{{name}}/out 2>&1"

RECORD = """\
insmod $modules/drivers/md/dm-mod.ko
insmod $modules/drivers/md/dm-log-writes.ko
{load}
echo "0 $(blockdev --getsz /dev/ubda) log-writes /dev/ubda /dev/ubdb" |
  dmsetup create lw --noudevsync && dmsetup mknodes
{mkfs} /dev/mapper/lw
mount -t {type} -o {options} /dev/mapper/lw /mnt/disk
{live}
umount /mnt/disk
dmsetup remove lw --noudevsync
"""

RECORD_FLASH = """\
{load}
{python} {here}/flash_log.py
mount -t {type} -o {options} ubi0:disk /mnt/disk
{live}
cat /dev/flashlog > /mnt/rig/{name}/log
"""

MOUNT = """\
insmod $modules/drivers/block/loop.ko
{load}
{python} {here}/mounting.py /mnt/rig/{name} {limit} {seed} {first} {stride} \\
  > /mnt/rig/{name}/out 2>&1
"""


class System:
    """A file system with its options."""

    def __init__(self, name, type, mkfs, options, size, load=""):
        self.name, self.type, self.mkfs, self.options = name, type, mkfs, options
        self.size, self.load = size, load
        self.is_flash = type == "ubifs"


EXT4 = System("ext4", "ext4", "mkfs.ext4 -q -F -b 4096 -E nodiscard", "nodiscard", 16 * MIB)
WRITEBACK = System("ext4 data=writeback", "ext4", EXT4.mkfs, "nodiscard,data=writeback", 16 * MIB)
F2FS = System("F2FS", "f2fs", "mkfs.f2fs -q -f -t 0", "nodiscard", 64 * MIB, """\
for module in crypto/crc32_generic lib/lz4/lz4_compress lib/lz4/lz4hc_compress fs/f2fs/f2fs; do
  insmod $modules/$module.ko
done""")
UBIFS = System("UBIFS", "ubifs", "", "compr=lzo", flash_log.SIZE, f"""\
insmod $modules/drivers/mtd/mtd.ko
insmod /mnt/rig/flash.ko blocks={flash_log.SIZE // flash_log.BLOCK} log_size={96 * MIB}
for module in drivers/mtd/ubi/ubi crypto/deflate crypto/zstd fs/ubifs/ubifs; do
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
            [UML, "mem=384M", f"ubd0={data}", f"ubd1={log}", "rootfstype=hostfs", "rootflags=/",
             "ro", f"init={folder}/init", "con=null", "con0=null,fd:1", "quiet",
             f"uml_dir={folder}"], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield guest
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(guest.pid, signal.SIGKILL)
            guest.wait()


def boot(workshop, body, data, log, seconds):
    with booted(workshop, body, data, log) as guest:
        guest.wait(seconds)


class Recording:
    def __init__(self, system, entries, names, journals):
        self.system, self.entries = system, entries
        self.names, self.journals = names, journals

    def states(self, limit, seed):
        """What a cut may have left: (medium, marks, where)."""
        if self.system.is_flash:
            return flash_log.cuts(self.entries, seed)
        return cut_log.cuts(self.entries, limit, seed)


def plan(folder, journals, **more):
    """Writes down what the guest is to do; the devices that it knows."""
    name = os.path.basename(folder)
    names = [f"{journal}-{number}-{letter}" for journal, rounds in journals
             for number in range(rounds) for letter in "abcde"]
    names += [f"{journal}-a" for journal, rounds in journals if not rounds]
    names.append(rig.OLD_DEVICE)
    with open(f"{folder}/plan.json", "w") as file:
        json.dump({"program": os.path.abspath(rig.PROGRAM), "mount": "/mnt/disk",
                   "server": f"/mnt/rig/{name}/server", "names": names, "journals": journals,
                   "environment": {}, **more}, file)
    # Its certificates: made here, where it takes a moment.
    rig.Server(f"{folder}/server").close()
    return names


def record(workshop, system, journals, environment={}):
    """One life; `journals` are (name, rounds), or (name, 0) for one of an older format."""
    folder = workshop.folder("record")
    name = os.path.basename(folder)
    marks = {"marks": "/dev/flashlog"} if system.is_flash else {}
    names = plan(folder, journals, environment=environment, **marks)
    data, log = f"{folder}/data", f"{folder}/log"
    for path, size in ((data, system.size), (log, 256 * MIB)):
        with open(path, "wb") as file:
            file.truncate(size)
    body = RECORD_FLASH if system.is_flash else RECORD
    boot(workshop, body.format(load=system.load, mkfs=system.mkfs, type=system.type, name=name,
                               options=system.options, python=PYTHON, here=HERE,
                               live=LIVE.format(name=name)), data, log, 600)
    try:
        entries = (flash_log if system.is_flash else cut_log).read_log(log)
    except (SystemExit, ValueError):
        entries = []
    if "end" not in entries:
        with open(f"{folder}/out") as file:
            raise SystemExit(f"faults: error: the guest did not come to its end: {file.read()}")
    shutil.rmtree(folder)
    return Recording(system, entries, names, [journal for journal, _ in journals])


def mount_share(workshop, recording, limit, seed, first, stride):
    """In one guest: every `stride`-th state from `first` on, and the folder that has its files."""
    folder = workshop.folder("mount")
    name = os.path.basename(folder)
    with open(f"{folder}/recording", "wb") as file:
        pickle.dump(recording, file)
    empty = f"{folder}/empty"
    with open(empty, "wb") as file:
        file.truncate(MIB)
    boot(workshop, MOUNT.format(load=recording.system.load, here=HERE, name=name, python=PYTHON,
                                limit=limit, seed=seed, first=first, stride=stride),
         empty, empty, 7200)
    with contextlib.suppress(FileNotFoundError), open(f"{folder}/list") as file:
        lines = file.read().split("\n")
        if "end" in lines:
            return {int(line.split()[0]): f"{folder}/{line.split()[1]}"
                    for line in lines if " " in line}
    with open(f"{folder}/out") as file:
        raise SystemExit(f"faults: error: the guest did not mount all: {file.read()}")


def mount_all(workshop, recording, limit, seed, stride=1):
    """Mounts every `stride`-th state, in as many guests as there are processors: each state's
    folder of files. One that can't be mounted has none."""
    guests = os.cpu_count()
    tree_of = {}
    with concurrent.futures.ThreadPoolExecutor(guests) as pool:
        for part in pool.map(lambda first: mount_share(workshop, recording, limit, seed,
                                                       first * stride, guests * stride),
                             range(guests)):
            tree_of.update(part)
    return tree_of


def remove_trees(tree_of):
    for folder in {os.path.dirname(tree) for tree in tree_of.values()}:
        shutil.rmtree(folder)
