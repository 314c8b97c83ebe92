#!/usr/bin/env python3
"""Faults against the shipped program; see README.md in this folder."""

import argparse
import random
import sys
import time

import rig
from rig import Tally, Workshop, print_table, say
from sweep import Sweep


def main():
    parser = argparse.ArgumentParser(prog="faults")
    parser.add_argument("--quick", action="store_true", help="a sample, in a few minutes")
    parser.add_argument("--only", default="", help="classes, by words in their names")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    say(f"{rig.PROGRAM}, seed {options.seed}")
    workshop = Workshop()
    tallies = []
    try:
        sweep = Sweep(workshop, options.quick, options.seed)
        for step in (sweep.kills, sweep.failing_calls, sweep.failing_syncs,
                     sweep.failing_allocations):
            if options.only and options.only not in step.__name__:
                continue
            started = time.monotonic()
            tallies.append(step())
            say(f"{tallies[-1].name}: {time.monotonic() - started:.0f} s")
        sweep.close()
    finally:
        workshop.close()
    print_table(tallies)
    sys.exit(0 if all(tally.is_clean for tally in tallies) else 1)


if __name__ == "__main__":
    main()
