"""The guest's kernel itself is killed at any moment: what it had not written is gone."""

import multiprocessing
import os
import random
import shutil
import subprocess
import time

import cuts
import recording
import rig
from recording import EXT4, LIVE
from rig import Tally, say

LIFE = [("one", 1), ("version-1", 0)]
BODY = f"mount -t ext4 -o nodiscard /dev/ubda /mnt/disk\n{LIVE}\n"


class Killer:
    """Lives of one device, each cut off somewhere between its first and its last step."""

    def __init__(self, workshop, seed):
        self.workshop = workshop
        self.folder = workshop.folder("killer")
        self.name = os.path.basename(self.folder)
        names = recording.plan(self.folder, LIFE, marks=f"/mnt/rig/{self.name}/marks")
        self.fresh, self.data = f"{self.folder}/fresh", f"{self.folder}/data"
        with open(self.fresh, "wb") as file:
            file.truncate(EXT4.size)
        subprocess.run([*EXT4.mkfs.split(), self.fresh], check=True)
        self.inspector = cuts.Inspector(workshop.path, recording.Recording(
            recording.System("guest killed", "ext4", "", "", EXT4.size), [], names, []))
        self.chance = random.Random(seed)
        # How long a life is, from its first mark on: found out as it goes.
        self.span = 3.0

    def kill(self, number):
        marks_path = f"{self.folder}/marks"
        shutil.copyfile(self.fresh, self.data)
        with open(marks_path, "w"):
            pass
        body = BODY.format(name=self.name)
        with recording.booted(self.workshop, body, self.data, self.fresh) as guest:
            while not os.path.getsize(marks_path) and guest.poll() is None:
                time.sleep(0.005)
            time.sleep(self.chance.random() * self.span)
            was_over = guest.poll() is not None
        self.span = max(0.5, self.span * (0.8 if was_over else 1.02))
        with open(marks_path) as file:
            # The last line may be half of one.
            marks = file.read().split("\n")[:-1]
        if was_over and "end" not in marks:
            with open(f"{self.folder}/out") as file:
                raise SystemExit(f"faults: error: the guest did not live: {file.read()}")
        self.inspector.look_at(self.inspector.extract(self.data), marks, f"kill {number}")


def kill_some(task):
    workshop, seed, numbers = task
    killer = Killer(workshop, f"{seed} {numbers[0]}")
    try:
        for number in numbers:
            killer.kill(number)
            if number % 100 == 0:
                say(f"guest kernel killed: {number}")
        return killer.inspector.tally
    finally:
        killer.inspector.close()


def run(workshop, seed, count):
    """`count` lives, on as many guests as there are processors."""
    tally = Tally("guest kernel killed")
    workers = os.cpu_count()
    with multiprocessing.Pool(workers, rig.isolate) as pool:
        for part in pool.imap_unordered(kill_some, [
                (workshop, seed, range(first, count, workers)) for first in range(workers)]):
            tally.add(part)
    tally.tell()
    return tally
