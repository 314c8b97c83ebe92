"""Can the power cuts see a loss? The same test on programs that are broken on purpose, each by the
interposer: every one must be found out."""

import cuts

CANARIES = [
    # Each of two files would bring back what the other lost.
    ("SQLite's default, DELETE and FULL, and no second copies",
     {"FAULTS_SQL": "journal_mode = WAL=>journal_mode = DELETE", "FAULTS_SYNC": "skip:-copy"}),
    ("no syncs of the WAL and of second copies", {"FAULTS_SYNC": "skip:journal.db-"}),
    ("the attempt opened after sending",
     {"FAULTS_SQL": "open_attempts = open_attempts + ?1=>open_attempts = open_attempts"}),
]


def run(workshop, seed):
    """Tallies in which something has to be wrong."""
    tallies = []
    for name, environment in CANARIES:
        environment = {**environment, "LD_PRELOAD": "/mnt/rig/interpose.so"}
        recording = cuts.record(workshop, cuts.EXT4, [("one", 2)], environment)
        tally = cuts.check(workshop, recording, f"canary: {name}", 4, seed, tells=False)
        if tally.lost + tally.false == 0:
            raise SystemExit(f"faults: error: the power cuts did not notice that it is broken: {name}")
        tallies.append(tally)
    return tallies
