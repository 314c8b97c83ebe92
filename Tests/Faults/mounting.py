"""Runs inside user-mode Linux: mounts each of a recording's states, so that the kernel itself puts
the file system right, and copies its files out.

Each different tree is kept once, by its digest; `list` says which state has which.
"""

import ctypes
import hashlib
import os
import pickle
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import flash_log  # noqa: E402

FOLDER = "/mnt/disk"
libc = ctypes.CDLL(None, use_errno=True)


def mount(device, system):
    """Whether it could be: before mkfs was through there is nothing to mount."""
    return libc.mount(device.encode(), FOLDER.encode(), system.type.encode(), 0,
                      system.options.encode()) == 0


def unmount():
    if libc.umount2(FOLDER.encode(), 0):
        raise OSError(ctypes.get_errno(), "umount")


class BlockDevice:
    """A loop device on a file in memory."""
    IMAGE = "/run/image"

    def __init__(self, system):
        self.system = system
        with open(self.IMAGE, "wb") as file:
            file.truncate(system.size)
        self.loop = subprocess.run(["losetup", "-f", "--show", self.IMAGE], check=True, text=True,
                                   stdout=subprocess.PIPE).stdout.strip()

    def mount(self, disk):
        disk.write(self.IMAGE, self.system.size)
        return mount(self.loop, self.system)

    def unmount(self):
        unmount()


class FlashDevice:
    def __init__(self, system):
        self.system = system
        self.device = os.open("/dev/mtd0", os.O_RDWR)
        self.log = os.open("/dev/flashlog", os.O_WRONLY)

    def mount(self, flash):
        flash.put(self.device, self.log)
        try:
            flash_log.attach()
        except OSError:
            return False
        if mount("ubi0:disk", self.system):
            return True
        flash_log.detach()
        return False

    def unmount(self):
        unmount()
        flash_log.detach()


def digest_of(folder):
    digest = hashlib.sha256()
    for path, folders, names in sorted(os.walk(folder)):
        folders.sort()
        for name in sorted(names):
            with open(f"{path}/{name}", "rb") as file:
                content = file.read()
            digest.update(f"{os.path.relpath(path, folder)}/{name} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def main():
    folder, limit, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    # Every `stride`-th state from `first` on.
    first, stride = int(sys.argv[4]), int(sys.argv[5])
    with open(f"{folder}/recording", "rb") as file:
        recording = pickle.load(file)
    device = (FlashDevice if recording.system.is_flash else BlockDevice)(recording.system)
    # A disk may come more than once, with other marks.
    trees = {}
    with open(f"{folder}/list", "w", buffering=1) as result:
        for index, (disk, _, _) in enumerate(recording.states(limit, seed)):
            if index % stride != first:
                continue
            fingerprint = disk.fingerprint()
            if fingerprint not in trees:
                trees[fingerprint] = "none"
                if device.mount(disk):
                    trees[fingerprint] = name = digest_of(FOLDER)
                    if not os.path.exists(f"{folder}/{name}"):
                        shutil.copytree(FOLDER, f"{folder}/{name}",
                                        ignore=shutil.ignore_patterns("lost+found"))
                    device.unmount()
            result.write(f"{index} {trees[fingerprint]}\n")
        result.write("end\n")


if __name__ == "__main__":
    main()
