"""What one accepted deactivation costs: the program beside Tests/Benchmarks/commit.c.

  queue.py PROGRAM REFERENCE MEASURE [RUNS]

Both commit the same row to a journal of their own that exists already. Syncs and bytes are
counted with strace over the first 12 rows, time and peak memory without it.
"""
import os, re, statistics, subprocess, sys, tempfile

program, reference, measure = sys.argv[1:4]
runs = int(sys.argv[4]) if len(sys.argv) > 4 else 100


def prepare(folder, name):
    os.makedirs(f"{folder}/{name}", mode=0o700)
    with open(os.open(f"{folder}/key", os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        file.write("AAAA-BBBB-CCCC-DDDD\n")
    queue(folder, name, "first", [])
    return f"{folder}/{name}/journal.db"


def command(folder, name, hardware_id):
    journal = f"{folder}/{name}/journal.db"
    if name == "reference":
        return [reference, journal, hardware_id]
    return [program, "deactivate", "--queue-only", "--journal", journal, "--product", "XY",
            "--license-key-file", f"{folder}/key", "--hardware-id", hardware_id]


def queue(folder, name, hardware_id, prefix):
    # The reference makes no journal: the program makes both.
    if hardware_id == "first":
        arguments = command(folder, "handback", hardware_id)
        arguments[arguments.index("--journal") + 1] = f"{folder}/{name}/journal.db"
    else:
        arguments = prefix + command(folder, name, hardware_id)
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})


def counted(folder, name, index):
    trace = f"{folder}/trace"
    queue(folder, name, f"device-{index}",
          ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,write,pwrite64,socket,openat", "-o", trace])
    text = open(trace).read()
    syncs = len(re.findall(r"(?:fsync|fdatasync)\(", text))
    written = sum(int(n) for n in re.findall(r"(?:write|pwrite64)\(\d+<[^>]*journal[^>]*>.*= (\d+)$", text, re.M))
    return syncs, written, "socket(" in text or "libcurl" in text


def timed(folder, name, index):
    # A small parent: a child's peak memory begins with what it was forked from.
    done = subprocess.run([measure] + command(folder, name, f"device-t{index}"), check=True,
                          capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    microseconds, kib = done.stderr.split()
    return int(microseconds) / 1e6, int(kib)


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as folder:
        rows = {}
        for name in ("handback", "reference"):
            prepare(folder, name)
            counts = [counted(folder, name, index) for index in range(12)]
            rows[name] = {"counts": counts, "times": [], "memory": []}
        for index in range(runs):
            # In turn, so that whatever else the machine does meets both.
            for name in ("handback", "reference") if index % 2 else ("reference", "handback"):
                seconds, kib = timed(folder, name, index)
                rows[name]["times"].append(seconds)
                rows[name]["memory"].append(kib)
        print(f"{'':28}{'handback':>12}{'bare C':>12}")
        def line(title, value, unit=""):
            print(f"{title:28}" + "".join(f"{value(rows[n]):>12}" for n in ("handback", "reference")) + unit)
        line("syncs, most of 12 rows", lambda r: max(c[0] for c in r["counts"]))
        line("bytes written, median", lambda r: statistics.median_low(c[1] for c in r["counts"]))
        line("bytes written, most", lambda r: max(c[1] for c in r["counts"]))
        line("socket or libcurl", lambda r: "yes" if any(c[2] for c in r["counts"]) else "no")
        line(f"wall time, median of {runs}", lambda r: f"{statistics.median(r['times']) * 1000:.2f}", "  ms")
        line("peak memory", lambda r: statistics.median_low(r["memory"]), "  KiB")
        ratio = statistics.median(rows["handback"]["times"]) / statistics.median(rows["reference"]["times"])
        print(f"{'wall time, ratio':28}{ratio:>12.2f}")


main()
