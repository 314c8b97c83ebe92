"""Faults at every system call, every sync and every allocation of each scenario."""

import errno
import multiprocessing
import os
import random

import oracle
import rig
from rig import Tally, say
from scenarios import Bench, all_scenarios

# Numbers of x86-64, and what each call may fail with (its man page; what Linux file systems
# return). "short": half the bytes.
CALLS = {
    "read": (0, "EIO EINTR short"), "pread64": (17, "EIO EINTR short"),
    "write": (1, "EIO ENOSPC EINTR short"), "pwrite64": (18, "EIO ENOSPC EINTR short"),
    "fsync": (74, "EIO ENOSPC EROFS"), "fdatasync": (75, "EIO ENOSPC EROFS"),
    "ftruncate": (77, "EIO EROFS EACCES"), "fallocate": (285, "ENOSPC EIO"),
    "link": (86, "EIO ENOSPC EROFS EEXIST"), "linkat": (265, "EIO ENOSPC EROFS EEXIST"),
    "unlink": (87, "EIO EROFS EACCES"), "unlinkat": (263, "EIO EROFS EACCES"),
    "rename": (82, "EIO ENOSPC EROFS EACCES"), "renameat2": (316, "EIO ENOSPC EROFS EACCES"),
    "openat": (257, "EIO ENOSPC EROFS EACCES EMFILE ENOMEM EINTR"),
    "mkdir": (83, "EIO ENOSPC EROFS EACCES"), "fchmod": (91, "EIO EROFS EACCES"),
    "fchown": (93, "EIO EROFS EACCES"), "lstat": (6, "EIO EACCES"), "stat": (4, "EIO EACCES"),
    "fstat": (5, "EIO"), "newfstatat": (262, "EIO EACCES"), "statx": (332, "EIO EACCES"),
    "access": (21, "EIO EACCES"), "close": (3, "EIO"), "lseek": (8, "EIO"),
    "getdents64": (217, "EIO"),
    "fcntl": (72, "EACCES EIO EINTR ENOLCK"), "flock": (73, "ENOLCK EINTR"),
    "mmap": (9, "ENOMEM EACCES"), "mprotect": (10, "ENOMEM"),
    "socket": (41, "EMFILE EACCES ENOMEM"), "socketpair": (53, "EMFILE"),
    "pipe2": (293, "EMFILE"), "eventfd2": (290, "EMFILE"),
    "connect": (42, "EACCES ENETUNREACH ECONNREFUSED EINTR"),
    "setsockopt": (54, "ENOMEM"), "getsockopt": (55, "ENOMEM"),
    "sendto": (44, "EIO EPIPE ENOMEM EINTR short"), "sendmsg": (46, "EIO EPIPE ENOMEM EINTR"),
    "recvfrom": (45, "EIO ECONNRESET ENOMEM EINTR short"), "recvmsg": (47, "EIO ENOMEM EINTR"),
    "poll": (7, "EINTR ENOMEM"), "clone3": (435, "EAGAIN ENOMEM"), "clone": (56, "EAGAIN"),
    "bind": (49, "EACCES ENOMEM"), "getsockname": (51, "ENOBUFS"),
    "getpeername": (52, "ENOTCONN ENOBUFS"), "ioctl": (16, "EIO"),
    "signalfd4": (289, "EMFILE ENOMEM"), "timerfd_create": (283, "EMFILE ENOMEM"),
    "timerfd_settime": (286, "ECANCELED"), "inotify_init1": (294, "EMFILE ENOMEM"),
    "inotify_add_watch": (254, "EACCES ENOMEM ENOSPC"), "fstatfs": (138, "EIO EINTR"),
    "getrandom": (318, "EINTR EIO ENOSYS"), "clock_nanosleep": (230, "EINTR"),
    "prlimit64": (302, "EPERM"), "prctl": (157, "EPERM"),
}
BY_NUMBER = {number: (name, faults.split()) for name, (number, faults) in CALLS.items()}
MUNMAP = 11
# Few, and where files change places: no sample leaves them out.
MOVES = {CALLS[name][0] for name in ("rename", "renameat2", "link", "linkat")}
# Nor these, where a journal is made anew: what can't be seen must not be taken for missing.
LOOK = (CALLS["statx"][0], "EACCES")

bench = None


def begin_worker(workshop_path, tracer, interposer):
    global bench
    rig.isolate()
    bench = Bench(workshop_path, tracer, interposer)
    multiprocessing.util.Finalize(bench, bench.close, exitpriority=10)


def read_report():
    with open(bench.report) as file:
        words = file.read().split()
    end = words[words.index("exited"):] if "exited" in words else words[-2:]
    return "struck" in words, end


# MARK: - One point; each runs in a worker

def traced(scenario, where, *action):
    """One run under the tracer, then the restart; an empty tally if it never came to the point."""
    tally = Tally("")
    promises = scenario.begin(bench.device, bench.server)
    done = bench.device.run(*scenario.arguments,
                            prefix=(bench.tracer, bench.report, *map(str, action), "--"))
    struck, end = read_report() if not done.hung else (True, [])
    if not struck:
        return tally
    if done.hung:
        tally.problem("crash", where, "hung")
    elif end[0] == "signalled" and action[0] != "kill":
        tally.problem("crash", where, f"ended by signal {end[1]}")
    elif end == ["exited", "70"]:
        tally.problem("crash", where, f"a fault of its own: {done.errors.strip()}")
    finish(tally, where, scenario, promises, done)
    return tally


def finish(tally, where, scenario, promises, done):
    promises.read(done.output, scenario.about)
    tally.points += 1
    tally.acknowledged += len(promises.queued)
    scenario.end(bench.device, promises)
    bench.server.clear_faults()
    oracle.settle(tally, where, bench.device, bench.server, promises, scenario.done_before)


def interposed(scenario, where, variable, value):
    tally = Tally("")
    promises = scenario.begin(bench.device, bench.server)
    done = bench.device.run(*scenario.arguments,
                            more={"LD_PRELOAD": bench.interposer, variable: value})
    if done.crash:
        tally.problem("crash", where, done.crash)
    finish(tally, where, scenario, promises, done)
    return tally


def listed_calls(scenario):
    scenario.begin(bench.device, bench.server)
    bench.device.run(*scenario.arguments, prefix=(bench.tracer, bench.report, "list", "--"))
    with open(bench.report) as file:
        return [int(line) for line in file if line.strip().isdigit()]


def listed(scenario, variable):
    """What the interposer lists of an undisturbed run."""
    scenario.begin(bench.device, bench.server)
    if os.path.exists(bench.report):
        os.unlink(bench.report)
    bench.device.run(*scenario.arguments,
                     more={"LD_PRELOAD": bench.interposer, variable: f"list:{bench.report}"})
    with open(bench.report) as file:
        return file.read()


def work(task):
    function, *arguments = task
    return globals()[function](*arguments)


# MARK: - The sweeps

class Sweep:
    """The workers, and the scenarios ready to be run."""

    def __init__(self, workshop, is_quick, seed, word=""):
        self.is_quick = is_quick
        self.random = random.Random(seed)
        self.pool = multiprocessing.Pool(
            2 * os.cpu_count(), begin_worker, (workshop.path, workshop.tracer, workshop.interposer))
        local = Bench(workshop.path, workshop.tracer, workshop.interposer)
        folder = workshop.folder("templates")
        self.scenarios = [scenario.prepare(local.device, local.server, folder)
                          for scenario in all_scenarios() if word in scenario.name]
        local.close()

    def close(self):
        self.pool.close()
        self.pool.join()

    def run(self, name, tasks):
        tally = Tally(name)
        say(f"{name}: {len(tasks)} points")
        for one in self.pool.imap_unordered(work, tasks, chunksize=2):
            tally.add(one)
        tally.tell()
        return tally

    def sample(self, tasks, count):
        return self.random.sample(tasks, min(count, len(tasks)))

    def pick(self, tasks, count):
        """All of them, or for a quick run `count` by chance."""
        return self.sample(tasks, count) if self.is_quick else tasks

    def calls(self):
        return self.pool.map(work, [("listed_calls", s) for s in self.scenarios])

    def kills(self):
        tasks, moves = [], []
        for scenario, calls in zip(self.scenarios, self.calls()):
            # From the call before it to the one behind it.
            near = {2 * index + offset for index, call in enumerate(calls) if call in MOVES
                    for offset in range(-2, 4)}
            # A few more stops, since no two runs make quite as many calls.
            for stop in range(2 * len(calls) + 8):
                (moves if stop in near else tasks).append(
                    ("traced", scenario, f"{scenario.name}, killed at stop {stop}", "kill", stop))
        return self.run("killed at a system call", moves + self.pick(tasks, 500))

    def failing_calls(self):
        tasks, slow, moves = [], [], []
        for scenario, calls in zip(self.scenarios, self.calls()):
            # Up to the first munmap, of its cache, it is the dynamic linker that calls.
            for index in range(calls.index(MUNMAP) + 1, len(calls)):
                name, faults = BY_NUMBER.get(calls[index], (None, ()))
                for fault in faults:
                    where = f"{scenario.name}, {name} (call {index}): {fault}"
                    if fault == "short":
                        tasks.append(("traced", scenario, where, "short", index, calls[index]))
                        continue
                    number = getattr(errno, fault)
                    is_look = scenario.is_damaged and (calls[index], fault) == LOOK
                    often = moves if calls[index] in MOVES or is_look else tasks
                    often.append(("traced", scenario, where, "fail", index, calls[index],
                                  number))
                    # No call is interrupted for ever.
                    if fault == "EINTR":
                        continue
                    # Each lock that never comes is waited for, 10 s.
                    (slow if name == "fcntl" else often).append(
                        ("traced", scenario, where + " from then on", "fail-on", index,
                         calls[index], number))
        slow = self.sample(slow, 4 if self.is_quick else 60)
        return self.run("a system call fails", slow + moves + self.pick(tasks, 600))

    def failing_syncs(self):
        names = self.pool.map(work, [("listed", s, "FAULTS_SYNC") for s in self.scenarios])
        tasks = []
        for scenario, files in zip(self.scenarios, names):
            for index, file in enumerate(files.split()):
                tasks.append(("interposed", scenario,
                              f"{scenario.name}, sync {index} of {os.path.basename(file)} fails",
                              "FAULTS_SYNC", f"lose:{index}"))
        return self.run("a sync fails and its pages are gone", tasks)

    def failing_allocations(self):
        """Two tallies: the program's, SQLite's and libcurl's allocations; and of those of other
        libraries a sample, as they are thousands in a row of one kind. Most lasting failures end
        the same way: of them a sample too."""
        letters = self.pool.map(work,
                                [("listed", s, "FAULTS_ALLOCATION") for s in self.scenarios])
        own, lasting, foreign = [], [], []
        for scenario, owners in zip(self.scenarios, letters):
            for index, owner in enumerate(owners):
                who = {"h": "the program's", "s": "SQLite's", "c": "libcurl's"}.get(owner)
                for mode in ("once", "on"):
                    task = ("interposed", scenario,
                            f"{scenario.name}, allocation {index} ({who}) {mode}",
                            "FAULTS_ALLOCATION", f"{mode}:{index}")
                    (foreign if not who else own if mode == "once" else lasting).append(task)
        return [self.run("an allocation fails",
                         self.pick(own, 200) +
                         self.sample(lasting, 200 if self.is_quick else 2000)),
                self.run("an allocation of OpenSSL's fails",
                         self.sample(foreign, 50 if self.is_quick else 2000))]
