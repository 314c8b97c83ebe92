"""Runs a command under QEMU's user emulation and prints the KiB of guest stack that it touched.

    peak-stack.py QEMU ARGUMENT...

QEMU maps the guest's stack as one piece of the size that `-s` asks for. It is looked up in the
process' memory map at the moment it exits (ptrace stops it there with its memory still in place):
the pages that are there are those that were ever touched.
The figure goes to file descriptor 3; the command's streams and exit status are passed on.
"""
import ctypes
import os
import sys

TRACEME, SEIZE_OPTIONS, CONTINUE, EXIT_EVENT = 0, 0x4200, 7, 6
TRACE_EXIT, EXIT_KILL = 1 << EXIT_EVENT, 1 << 20
SIGTRAP = 5
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Far more than is needed.
STACK_BYTES = 2 << 20

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, process, data=0):
    if libc.ptrace(request, process, None, data) == -1:
        raise OSError(ctypes.get_errno(), "ptrace")


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


def main():
    qemu, *arguments = sys.argv[1:]
    # The first file that is named is what QEMU starts.
    program = next(argument for argument in arguments if "/" in argument).encode()
    child = os.fork()
    if child == 0:
        os.close(3)
        ptrace(TRACEME, 0)
        os.execvp(qemu, [qemu, "-s", str(STACK_BYTES), *arguments])
    os.waitpid(child, 0)
    ptrace(SEIZE_OPTIONS, child, TRACE_EXIT | EXIT_KILL)
    signal = 0
    peak = 0
    while True:
        ptrace(CONTINUE, child, signal)
        _, status = os.waitpid(child, 0)
        if not os.WIFSTOPPED(status):
            break
        signal = os.WSTOPSIG(status)
        if status >> 8 == (SIGTRAP | EXIT_EVENT << 8):
            peak = stack_kib(child, program)
            signal = 0
        elif signal == SIGTRAP:
            signal = 0
    os.write(3, f"{peak}\n".encode())
    sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128)


main()
