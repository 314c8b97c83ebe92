#!/usr/bin/env python3
"""Faults against the shipped program; see README.md in this folder."""

import argparse
import functools
import random
import signal
import sys
import time

import canaries
import crowd
import cuts
import damage
import flash_log
import guest_kills
import rig
from results import Results, print_table
from rig import Workshop, say
from sweep import Sweep


def steps(workshop, options):
    """Each class of faults by its name: a function that gives its tallies."""
    quick, seed = options.quick, options.seed
    sweep = functools.cache(lambda: Sweep(workshop, quick, seed, options.scenarios))
    yield "kills", lambda: [sweep().kills()]
    yield "calls", lambda: [sweep().failing_calls()]
    yield "syncs", lambda: [sweep().failing_syncs()]
    yield "allocations", lambda: sweep().failing_allocations()
    yield "damage", lambda: [damage.run(workshop, seed, quick)]
    yield "crowd", lambda: [crowd.many_at_once(workshop, seed, 20 if quick else 600)]
    yield "reader", lambda: [crowd.slow_reader(workshop, 5 if quick else 1)]
    yield "cuts", lambda: cuts.on_ext4(workshop, quick, seed)
    yield "f2fs", lambda: [cuts.on_f2fs(workshop, quick, seed)]
    if not quick:
        yield "ubifs", lambda: [cuts.on_ubifs(workshop, seed)]
        yield "guest", lambda: [guest_kills.run(workshop, seed, options.guest_kills)]
    yield "canaries", lambda: canaries.run(workshop, quick, seed)
    if sweep.cache_info().currsize:
        sweep().close()


def main():
    parser = argparse.ArgumentParser(prog="faults")
    parser.add_argument("--quick", action="store_true", help="a sample, in a few minutes")
    parser.add_argument("--only", default="", metavar="CLASS,…", help="kills, calls, syncs, "
                        "allocations, damage, crowd, reader, cuts, f2fs, ubifs, guest, canaries")
    parser.add_argument("--scenarios", default="", metavar="WORD", help="kills, calls, syncs and "
                        "allocations strike only those with WORD in their names")
    parser.add_argument("--guest-kills", type=int, default=1000, metavar="N",
                        help="how often 'guest' kills (1000)")
    parser.add_argument("--results", metavar="FOLDER", help="keep each class's rows there as soon "
                        "as it is through, and leave out what is there already")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    # Ended from outside, it still cleans up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say(f"{rig.PROGRAM}, seed {options.seed}")
    begun = time.monotonic()
    results = Results(options)

    def wants(name):
        return (not options.only or name in options.only.split(",")) and not results.has(name)

    if not options.quick and (wants("ubifs") or wants("canaries")):
        flash_log.build()
    # From here on there is no network.
    rig.isolate()
    workshop = Workshop()
    try:
        for name, step in steps(workshop, options):
            if not wants(name):
                continue
            started = time.monotonic()
            tallies = step()
            seconds = time.monotonic() - started
            results.add(name, tallies, seconds)
            say(f"{name}: {seconds:.0f} s")
    finally:
        workshop.close()
    tallies = results.all()
    print_table(tallies)
    say(f"{time.monotonic() - begun:.0f} s")
    # A canary has to fail: it would have ended the run otherwise.
    sys.exit(0 if all(t.is_clean for t in tallies if not t.name.startswith("canary")) else 1)


if __name__ == "__main__":
    main()
