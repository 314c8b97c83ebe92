"""Looks in riscv64 code for calls of C functions whose result nothing reads, though it matters.

    lost-results.py OBJDUMP FILE      FILE before it was stripped

Swift 6.3 once dropped the result of `rename` there: nothing took `a0` behind the call, and what was
compared with 0 was a register that the function had never written. So a file that couldn't be moved
was taken for moved. No test of the source finds that, and few of the program.

From each call, every way on is followed until an instruction reads `a0` (the result isn't lost), or
something else is written to it. Returning it and passing it on are readings. What the machine
outliner made functions of is followed as if it stood in its place. Functions whose result the sources
ignore somewhere, on purpose, are listed here.

Prints what it found, and fails then. It fails too if it doesn't see most of the losses that come of
taking out the instruction that keeps a result.
"""
import re
import subprocess
import sys

# Nothing depends on how these end, or another call tells.
IGNORED = set("""
    close closedir explicit_bzero fchmod flock free ftruncate inotify_rm_watch malloc_trim memcpy
    memset poll prctl sendto setenv setsockopt sigaddset sigemptyset signal snprintf strcpy
    sqlite3_busy_timeout sqlite3_clear_bindings sqlite3_close_v2 sqlite3_config
    sqlite3_extended_result_codes sqlite3_file_control sqlite3_finalize sqlite3_reset
    timerfd_settime udev_device_unref udev_queue_unref udev_unref umask unlink write
    """.split())
NEVER_RETURN = {"_exit", "abort", "exit", "__stack_chk_fail", "__libc_start_main"}
# A result can't be passed on to these.
WITHOUT_ARGUMENTS = {"__errno_location", "geteuid", "getpid", "getppid"}

# All that they name is read; of other instructions the first operand is written.
STORES = {"sb", "sh", "sw", "sd", "fsw", "fsd"}


def fail(text):
    sys.exit(f"lost-results: error: {text}")


class Code:
    def __init__(self, objdump, file):
        def output(*command):
            return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout

        self.lines, self.names, self.order = {}, {}, []
        for line in output(objdump, "-d", "--no-show-raw-insn", file).splitlines():
            # `$x` and the like mark code, and name nothing.
            if found := re.match(r"([0-9a-f]+) <([^$].*)>:$", line):
                self.names[int(found[1], 16)] = found[2]
            elif found := re.match(r" *([0-9a-f]+): +\t?(\S+)\s*(.*)$", line):
                at = int(found[1], 16)
                self.lines[at] = found[2], re.sub(r"\s*<.*", "", found[3])
                self.order.append(at)
        self.next = dict(zip(self.order, self.order[1:]))
        # The entries of .plt, 16 bytes each behind a head of 32, are in the order of .rela.plt.
        table = re.search(r" \.plt +PROGBITS +([0-9a-f]+)", output("readelf", "-SW", file))
        names = re.findall(r"JUMP_SLOT +[0-9a-f]+ +(\w+)", output("readelf", "-rW", file))
        if not table or not names or len(self.order) < 1000:
            fail(f"{file} could not be read")
        first = int(table[1], 16) + 32
        self.imported = {first + 16 * index: name for index, name in enumerate(names)}

    def target(self, operands):
        return int(operands.split(",")[-1], 16)

    def name(self, at):
        return self.imported.get(at) or self.names.get(at, "")

    def is_outlined(self, at):
        return self.name(at).startswith("OUTLINED_FUNCTION_")

    def calls(self):
        """Each call of a C function but those in a tail's place, which return the result: where, and
        of which."""
        for at, (word, operands) in self.lines.items():
            if word == "jal" and (name := self.imported.get(self.target(operands))):
                yield at, name

    def is_read(self, call):
        """Whether on any way on from the call its result is read. The ways are pairs of an address
        and of where the outlined functions go on that it is in."""
        ways = [(self.next[call], back) for back in self.outlined_callers(call)]
        seen = set()
        while ways:
            way = ways.pop()
            if way in seen:
                continue
            seen.add(way)
            at, back = way
            word, operands = self.lines[at]
            names = re.findall(r"\w+", operands)
            if word == "ret" or word == "jr" and names != ["t0"]:
                # A function's end, or a table's jump, which isn't followed.
                if word == "jr" or not back:
                    return True
                ways.append((back[-1], back[:-1]))
            elif word == "jr":
                if not back:
                    fail(f"{at:x} returns to nowhere")
                ways.append((back[-1], back[:-1]))
            elif word in ("jal", "j"):
                target = self.target(operands)
                name = self.name(target)
                if self.is_outlined(target):
                    ways.append((target, back + (self.next[at],) if word == "jal" else back))
                elif word == "j" and not name:
                    ways.append((target, back))
                elif name.startswith("__riscv_save_"):
                    ways.append((self.next[at], back))
                elif name not in WITHOUT_ARGUMENTS and name not in NEVER_RETURN:
                    return True
            elif word in ("unimp", "ebreak"):
                pass
            elif word.startswith("b"):
                if "a0" in names[:-1]:
                    return True
                ways.append((self.target(operands), back))
                ways.append((self.next[at], back))
            else:
                is_store = word in STORES
                # What is called by a pointer may take it.
                if word == "jalr" or "a0" in names[0 if is_store else 1:]:
                    return True
                if is_store or names[:1] != ["a0"]:
                    ways.append((self.next[at], back))
        return False

    def is_seen_without_move(self, call):
        """Whether a loss is seen where the move that is directly behind a call is missing."""
        at = self.next[call]
        move = self.lines[at]
        self.lines[at] = "nop", ""
        is_read = self.is_read(call)
        self.lines[at] = move
        return not is_read

    def start(self, at):
        """Where the function begins that an instruction is in. One that others were merged with has
        no name, and counts as the end of the one before it."""
        return max(start for start in self.names if start <= at)

    def place(self, at):
        return f"{at:x} (in or behind {self.names[self.start(at)]})"

    def outlined_callers(self, call):
        """Where it goes on behind the outlined function that a call is in: once for each caller."""
        start = self.start(call)
        if not self.is_outlined(start):
            return [()]
        return [(self.next[at],) if word == "jal" else ()
                for at, (word, operands) in self.lines.items()
                if word in ("jal", "j") and self.target(operands) == start]


def main(objdump, file):
    code = Code(objdump, file)
    calls = [(at, name) for at, name in code.calls() if name not in IGNORED | NEVER_RETURN]
    lost = [(at, name) for at, name in calls if not code.is_read(at)]
    for at, name in lost:
        print(f"lost-results: error: the result of {name} at {code.place(at)} is lost",
              file=sys.stderr)
    if lost:
        sys.exit(1)
    kept = [at for at, _ in calls
            if re.match(r"mv s\d+, a0$", " ".join(code.lines[code.next[at]]))]
    seen = sum(code.is_seen_without_move(at) for at in kept)
    if not kept or seen < len(kept) * 3 // 4:
        fail(f"of {len(kept)} losses only {seen} would be seen")


if __name__ == "__main__":
    main(*sys.argv[1:])
