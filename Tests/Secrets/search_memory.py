"""Runs a command and looks for secrets in its memory at the moment it exits.

    search_memory.py WORD[,WORD...] COMMAND [ARGUMENT...]

ptrace stops the process as it exits, its memory still in place; what is writable is searched. Each
find is a line on file descriptor 3; the command's streams and exit status are passed on.
"""
import ctypes
import os
import sys

TRACEME, SET_OPTIONS, CONTINUE, EXIT_EVENT = 0, 0x4200, 7, 6
TRACE_EXIT, EXIT_KILL = 1 << EXIT_EVENT, 1 << 20
SIGTRAP = 5

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, process, data=0):
    if libc.ptrace(request, process, None, data) == -1:
        raise OSError(ctypes.get_errno(), "ptrace")


def search(process, words):
    for line in open(f"/proc/{process}/maps"):
        bounds, flags, *rest = line.split()
        if "w" not in flags:
            continue
        start, end = (int(bound, 16) for bound in bounds.split("-"))
        with open(f"/proc/{process}/mem", "rb") as memory:
            memory.seek(start)
            content = memory.read(end - start)
        for word in words:
            position = content.find(word)
            if position >= 0:
                around = content[max(position - 32, 0) : position + 64]
                name = rest[3] if len(rest) > 3 else "anonymous memory"
                os.write(3, f"{word.decode()} in {name}: {around!r}\n".encode())


def main():
    words = [word.encode() for word in sys.argv[1].split(",")]
    child = os.fork()
    if child == 0:
        os.close(3)
        ptrace(TRACEME, 0)
        os.execv(sys.argv[2], sys.argv[2:])
    os.waitpid(child, 0)
    ptrace(SET_OPTIONS, child, TRACE_EXIT | EXIT_KILL)
    signal = 0
    while True:
        ptrace(CONTINUE, child, signal)
        _, status = os.waitpid(child, 0)
        if not os.WIFSTOPPED(status):
            break
        signal = os.WSTOPSIG(status)
        if status >> 8 == (SIGTRAP | EXIT_EVENT << 8):
            search(child, words)
        if signal == SIGTRAP:
            signal = 0
    sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128)


main()
