"""What was received and what was answered: in memory for `GET /log`, and as JSON lines.

An entry is written before the first byte of the answer leaves, so that whoever has seen an
answer finds its entry, even if the emulator is killed right after.
"""

import base64
import collections
import json
import threading

# The log is for tests and for people; this many entries are kept in memory, the file keeps all.
ENTRIES_MAX = 200_000
TEXT_BYTES_MAX = 64 * 1024


def text_fields(name, data):
    """`data` as text if it is UTF-8, else as Base64 under another name."""
    fields = {}
    if len(data) > TEXT_BYTES_MAX:
        fields[f"{name}_bytes"] = len(data)
        data = data[:TEXT_BYTES_MAX]
    try:
        fields[name] = data.decode("utf-8")
    except UnicodeDecodeError:
        fields[f"{name}_base64"] = base64.b64encode(data).decode()
    return fields


class RequestLog:
    def __init__(self, path=None):
        self.condition = threading.Condition()
        self.entries = collections.deque(maxlen=ENTRIES_MAX)
        self.last = 0
        self.file = None
        if path is not None:
            self.file = open(path, "a", encoding="utf-8")

    def add(self, entry):
        with self.condition:
            self.last += 1
            entry = {"n": self.last, **entry}
            self.entries.append(entry)
            if self.file is not None:
                self.file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                self.file.flush()
            self.condition.notify_all()

    def clear(self):
        """Numbers go on, so that an `after` from before doesn't hide what comes."""
        with self.condition:
            self.entries.clear()

    def after(self, number, wait_seconds=0):
        """Entries with a higher number; waits for one if there is none yet."""
        with self.condition:
            if wait_seconds > 0:
                self.condition.wait_for(lambda: self.last > number, min(wait_seconds, 600))
            if number <= 0:
                return list(self.entries)
            return [entry for entry in self.entries if entry["n"] > number]
