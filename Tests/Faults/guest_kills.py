"""The guest's kernel itself is killed at any moment: what it had not written is gone."""

import os
import random
import shutil
import subprocess
import sys
import time

import cuts
from rig import HERE, Tally

LIVE = """\
mount -t ext4 -o nodiscard /dev/ubda /mnt/disk
{python} {here}/guest.py /mnt/rig/{name}/plan.json > /mnt/rig/{name}/out 2>&1
"""


def run(workshop, seed, count):
    """`count` lives of the same device, each cut off somewhere between its first and last step."""
    folder = workshop.folder("kills")
    name = os.path.basename(folder)
    journals = [("one", 3), ("old", 0)]
    names = cuts.plan(folder, journals, marks=f"/mnt/rig/{name}/marks")
    fresh, data, marks_path = f"{folder}/fresh", f"{folder}/data", f"{folder}/marks"
    with open(fresh, "wb") as file:
        file.truncate(cuts.EXT4.size)
    subprocess.run([*cuts.EXT4.mkfs.split(), fresh], check=True)
    body = LIVE.format(python=os.path.realpath(sys.executable), here=HERE, name=name)
    inspector = cuts.Inspector(
        workshop.path, cuts.Recording(cuts.System("guest killed", "ext4", "", "", cuts.EXT4.size),
                                      [], names, []))
    inspector.tally = tally = Tally("guest kernel killed")
    chance = random.Random(seed)
    # How long a life is, from its first mark to its last: found out as it goes.
    span = 5.0
    try:
        for number in range(count):
            shutil.copyfile(fresh, data)
            with open(marks_path, "w"):
                pass
            with cuts.booted(workshop, body, data, fresh) as guest:
                while not os.path.getsize(marks_path) and guest.poll() is None:
                    time.sleep(0.005)
                time.sleep(chance.random() * span)
                was_over = guest.poll() is not None
            span = max(1.0, span * (0.8 if was_over else 1.02))
            with open(marks_path) as file:
                # The last line may be half of one.
                marks = file.read().split("\n")[:-1]
            if was_over and "end" not in marks:
                with open(f"{folder}/out") as file:
                    raise SystemExit(f"faults: error: the guest did not live: {file.read()}")
            inspector.look_at(inspector.extract(data), marks, f"kill {number}")
    finally:
        inspector.close()
    tally.tell()
    return tally
