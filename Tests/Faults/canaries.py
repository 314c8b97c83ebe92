"""Can the power cuts see a loss? The same test on programs that are broken on purpose, each by the
interposer: every one must be found out."""

import cuts
import flash_log
from recording import EXT4, F2FS, UBIFS, record

NO_SYNCS = {"FAULTS_SYNC": "skip:journal.db-"}
CANARIES = [
    # Each of two files would bring back what the other lost.
    ("SQLite's default, DELETE and FULL, and no second copies", EXT4,
     {"FAULTS_SQL": "journal_mode = WAL=>journal_mode = DELETE", "FAULTS_SYNC": "skip:-copy"}),
    ("no syncs of the WAL and of second copies", EXT4, NO_SYNCS),
    ("the attempt opened after sending", EXT4,
     {"FAULTS_SQL":
      "open_attempts = min(open_attempts, 999999999) + ?1=>open_attempts = open_attempts"}),
]
# A mount for each state: no part of a quick run.
SLOW_CANARIES = [
    ("F2FS, fdatasync alone, and no second copies", F2FS,
     {"FAULTS_SYNCFS": "skip", "FAULTS_SYNC": "skip:-copy"}),
    ("UBIFS, no syncs of the WAL and of second copies", UBIFS, NO_SYNCS),
]


def run(workshop, is_quick, seed):
    """Tallies in which something has to be wrong."""
    tallies = []
    if not is_quick:
        flash_log.install(workshop)
    for name, system, environment in CANARIES + ([] if is_quick else SLOW_CANARIES):
        environment = {**environment, "LD_PRELOAD": "/mnt/rig/interpose.so"}
        recording = record(workshop, system, [("one", 2)], environment)
        # F2FS loses in few of the states, and in the same ones if all subsets of four are tried.
        limit = 4 if system is EXT4 else 16
        tally = cuts.check(workshop, recording, f"canary: {name}", limit, seed, tells=False)
        if tally.lost + tally.false == 0:
            raise SystemExit(f"faults: error: the power cuts don't see that it is broken: {name}")
        tallies.append(tally)
    return tallies
