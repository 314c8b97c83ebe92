"""Runs inside user-mode Linux: mounts each of a recording's states, so that the kernel itself puts
the file system right, and copies its files out.

Each different tree is kept once, by its digest; `list` says which state has which.
"""

import hashlib
import os
import pickle
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cut_log import cuts  # noqa: E402


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
    folder, limit, seed, stride = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    with open(f"{folder}/recording", "rb") as file:
        recording = pickle.load(file)
    system = recording.system
    image, disk_folder = "/run/image", "/mnt/disk"
    with open(f"{folder}/list", "w", buffering=1) as result:
        for index, (disk, _, _) in enumerate(cuts(recording.entries, limit, seed)):
            if index % stride:
                continue
            disk.write(image, system.size)
            done = subprocess.run(["mount", "-t", system.type, "-o", f"loop,{system.options}",
                                   image, disk_folder], capture_output=True, text=True)
            if done.returncode:
                # Before mkfs was through there is nothing to mount.
                result.write(f"{index} none\n")
                continue
            name = digest_of(disk_folder)
            if not os.path.exists(f"{folder}/{name}"):
                shutil.copytree(disk_folder, f"{folder}/{name}",
                                ignore=shutil.ignore_patterns("lost+found"))
            subprocess.run(["umount", disk_folder], check=True)
            result.write(f"{index} {name}\n")
        result.write("end\n")


if __name__ == "__main__":
    main()
