"""Runs a command and looks for secrets in its memory at the moment it exits.

    search_memory.py WORD[,WORD...] COMMAND [ARGUMENT...]

What is writable is searched. Each find is a line on file descriptor 3; the command's streams and exit status are passed on.
"""
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
import at_exit


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
                os.write(3, f"{word!r} in {name}: {around!r}\n".encode())


# A word `hex:…` stands for bytes.
words = [bytes.fromhex(word[4:]) if word.startswith("hex:") else word.encode() for word in sys.argv[1].split(",")]
at_exit.run(sys.argv[2:], lambda process: search(process, words))
