"""Runs a command under QEMU's user emulation and prints the KiB of guest stack that it touched.

    peak-stack.py QEMU ARGUMENT...

QEMU maps the guest's stack as one piece of the size that `-s` asks for. It is looked up in the
process' memory map at the moment it exits: the pages that are there are those that were ever touched.
The figure goes to file descriptor 3; the command's streams and exit status are passed on.
"""
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scripts"))
import at_exit

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Far more than is needed.
STACK_BYTES = 2 << 20


def stack_kib(process, program):
    """Counts the pages of the stack that are there. The kernel may show the stack and a mapping
    right above it as one: it is the first STACK_BYTES above a guard page, with the program's name
    in the highest page."""
    previous_flags = ""
    for line in open(f"/proc/{process}/maps"):
        bounds, flags = line.split()[:2]
        start, end = (int(bound, 16) for bound in bounds.split("-"))
        if flags == "rw-p" and previous_flags == "---p" and end - start >= STACK_BYTES:
            with open(f"/proc/{process}/mem", "rb") as memory:
                memory.seek(start + STACK_BYTES - PAGE_BYTES)
                is_stack = program in memory.read(PAGE_BYTES)
            if is_stack:
                with open(f"/proc/{process}/pagemap", "rb") as pages:
                    pages.seek(start // PAGE_BYTES * 8)
                    entries = pages.read(STACK_BYTES // PAGE_BYTES * 8)
                present = sum(byte >> 7 for byte in entries[7::8])
                return present * PAGE_BYTES // 1024
        previous_flags = flags
    sys.exit("peak-stack: error: no stack is found in QEMU's memory map")


qemu, *arguments = sys.argv[1:]
# The first file that is named is what QEMU starts.
program = next(argument for argument in arguments if "/" in argument).encode()
at_exit.run(
    [qemu, "-s", str(STACK_BYTES), *arguments],
    lambda process: os.write(3, f"{stack_kib(process, program)}\n".encode()))
