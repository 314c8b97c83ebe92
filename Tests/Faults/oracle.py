"""Compares what was promised with what became of it: the program's own words against the
server's log. Knows nothing of the journal's format."""

import re

# What a line of standard output promises.
PROMISE = re.compile(r"^(queued already|queued|withdrawn|deactivated) (\d+-[0-9a-z]+)", re.M)
RESULT = re.compile(r"^(\d+-[0-9a-z]+) +(deactivated|rejected|pending)\b", re.M)


class Promises:
    """All that was acknowledged to a person, by ticket."""

    def __init__(self):
        self.queued = {}
        # Withdrawals that were begun may have been done, though nobody was told.
        self.withdrawals_begun = set()
        self.withdrawn = set()
        # What the receipts said of those that were withdrawn before a fault could strike.
        self.receipts = {}
        self.has_lost_journal = False
        self.claimed = set()

    def read(self, output, device=None):
        """Takes in what a command printed; `device` is the one that it was about."""
        for word, ticket in PROMISE.findall(output):
            if word.startswith("queued"):
                self.queued[ticket] = device
            elif word == "withdrawn":
                self.withdrawn.add(ticket)
            else:
                self.claimed.add(ticket)
        for ticket, word in RESULT.findall(output):
            if word == "deactivated":
                self.claimed.add(ticket)

    def withdrawn_devices(self):
        return {self.queued[ticket] for ticket in self.withdrawn}

    def copy(self):
        other = Promises()
        other.queued = dict(self.queued)
        other.has_lost_journal = self.has_lost_journal
        other.withdrawals_begun = set(self.withdrawals_begun)
        other.withdrawn, other.claimed = set(self.withdrawn), set(self.claimed)
        other.receipts = dict(self.receipts)
        return other


def done_by_server(server):
    return {device for device, changed in server.requests() if changed}


def check_claims(tally, where, rows, promises, done):
    """Nobody may be told "deactivated" unless the server did it."""
    for ticket, row in rows.items():
        if row["state"] == "deactivated" and row["hardware_id"] not in done:
            tally.problem("false", where, f"{ticket} is deactivated in the journal only")
    for ticket in promises.claimed:
        device = promises.queued.get(ticket) or rows.get(ticket, {}).get("hardware_id")
        if device not in done:
            tally.problem("false", where, f"{ticket} was printed as deactivated, but isn't")


def settle(tally, where, device, server, promises, done_before=frozenset()):
    """Restarts the program without faults, flushes to the end, and compares."""
    rows, status = device.rows()
    if rows is None:
        # A reader leaves a damaged or lost journal to the next one who writes.
        if not ((promises.receipts or promises.has_lost_journal) and status.status == 65):
            tally.problem("crash", where, f"the journal can't be read: {status.errors.strip()}")
        rows = {}
    check_claims(tally, where, rows, promises, done_by_server(server) | done_before)
    asked_before = len(server.requests())
    flush = device.run("flush")
    if flush.crash:
        tally.problem("crash", where, f"flush {flush.crash}")
    rows, status = device.rows()
    requests = server.requests()
    done = {name for name, changed in requests if changed} | done_before
    if rows is None:
        tally.problem("crash", where, f"after flush: {status.errors.strip()}")
        rows = {}
    elif flush.status not in (0, 76):
        tally.problem("crash", where, f"flush {flush.status}: {flush.errors.strip()}")
    check_claims(tally, where, rows, promises, done)
    for ticket, name in promises.queued.items():
        if ticket in promises.withdrawn:
            continue
        row = rows.get(ticket)
        name = name or (row and row["hardware_id"])
        state = row["state"] if row else "missing"
        if state == "withdrawn" and ticket in promises.withdrawals_begun:
            continue
        if state != "deactivated":
            kind = "false" if name in done else "lost"
            tally.problem(kind, where, f"{ticket} ({name}) is {state}")
        elif name not in done:
            tally.problem("lost", where, f"{ticket} ({name}) was not given back")
    sent_after = {name for name, _ in requests[asked_before:]}
    for ticket in promises.withdrawn:
        row = rows.get(ticket)
        name = promises.queued.get(ticket) or (row and row["hardware_id"])
        state = row["state"] if row else "missing"
        # Withdrawn while its request was on the way, it may have been given back all the same.
        if state not in ("withdrawn", "deactivated"):
            tally.problem("lost", where, f"{ticket} ({name}) was withdrawn, and is {state}")
        elif ticket in promises.receipts:
            now = device.run("receipt", ticket)
            if now.output != promises.receipts[ticket]:
                tally.problem("lost", where, f"the receipt of {ticket} has become: "
                              f"{now.output or now.errors}")
        if name in sent_after or ticket in promises.receipts and name in (n for n, _ in requests):
            tally.problem("false", where, f"{ticket} ({name}) was sent after it was withdrawn")
    for ticket, row in rows.items():
        if row["state"] == "pending":
            tally.problem("lost", where, f"{ticket} stays pending: {row['code']}")
        elif row["state"] == "rejected" and ticket not in promises.queued:
            tally.problem("false", where, f"{ticket} is rejected: {row['code']}")
    twice = [name for name, changed in requests if changed]
    if len(twice) != len(set(twice)):
        tally.problem("false", where, "a license was given back twice")
