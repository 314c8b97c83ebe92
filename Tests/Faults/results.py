"""The rows of a run, kept in a folder so that a long one can be done in parts, and their table."""

import hashlib
import json
import os
import subprocess
import tempfile
import time

import rig
from rig import Tally

HEAD = ("fault class", "points tried", "acknowledged", "lost", "false successes", "crashes")
# The program says SQLite's and libcurl's itself.
PACKAGES = (("libc6", "glibc"), ("e2fsprogs", "e2fsprogs"), ("f2fs-tools", "f2fs-tools"))


def program_digest():
    """Without its build ID, which is another one in each folder that it is built in."""
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["objcopy", "--remove-section=.note.gnu.build-id", rig.PROGRAM, file.name],
                       check=True)
        return hashlib.sha256(file.read()).hexdigest()


class Results:
    def __init__(self, options):
        self.folder, self.seed = options.results, options.seed
        self.here = []
        if self.folder:
            # A sample is no whole.
            self.of = f"{program_digest()}{' quick' if options.quick else ''}{options.scenarios}"
            os.makedirs(self.folder, exist_ok=True)
            for path, kept in self.kept():
                if kept["of"] != self.of:
                    raise SystemExit(f"faults: error: {path} is of another program, or of a quick "
                                     "run: take another folder")

    def kept(self):
        """What the folder has, oldest first."""
        paths = [f"{self.folder}/{name}" for name in os.listdir(self.folder)
                 if name.endswith(".json")]
        for path in sorted(paths, key=os.path.getmtime):
            with open(path) as file:
                yield path, json.load(file)

    def has(self, name):
        return bool(self.folder) and os.path.exists(f"{self.folder}/{name}.json")

    def add(self, name, tallies, seconds):
        self.here += tallies
        if not self.folder:
            return
        path = f"{self.folder}/{name}"
        with open(f"{path}.new", "w") as file:
            json.dump({"of": self.of, "seed": self.seed, "seconds": round(seconds),
                       "date": time.strftime("%F"),
                       "rows": [tally.__dict__ for tally in tallies]}, file)
        os.rename(f"{path}.new", f"{path}.json")

    def all(self):
        """This run's tallies, or all of the folder's."""
        if not self.folder:
            return self.here
        tallies = []
        for _, kept in self.kept():
            for row in kept["rows"]:
                tally = Tally(row["name"])
                tally.__dict__.update(row)
                tallies.append(tally)
        return tallies


def versions():
    """What it ran on, in a line."""
    program = subprocess.run([rig.PROGRAM, "--version"], capture_output=True, text=True)
    words = [*program.stdout.strip().split("\n"), f"Linux {os.uname().release}"]
    if os.path.isdir("/usr/lib/uml/modules"):
        words += [f"power cuts in user-mode Linux {name}"
                  for name in os.listdir("/usr/lib/uml/modules")]
    for package, name in PACKAGES:
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                              capture_output=True, text=True)
        if done.returncode == 0:
            words.append(f"{name} {done.stdout}")
    return ", ".join(words)


def print_table(tallies):
    rows = [HEAD] + [t.cells() for t in tallies]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    for index, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])] + [row[i].rjust(widths[i]) for i in range(1, len(row))]
        print("| " + " | ".join(cells) + " |")
        if index == 0:
            print("| " + " | ".join("-" * w if i == 0 else "-" * (w - 1) + ":"
                                    for i, w in enumerate(widths)) + " |")
    print(f"\n{time.strftime('%F')}: {versions()}", flush=True)
