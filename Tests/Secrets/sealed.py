"""Sealed credentials by another tool: python3-cryptography, after the description in Sources/HandbackCore/Journal/SealKey.swift.

    sealed.py open JOURNAL KEY-FILE ROW     prints the row's credential
    sealed.py make JOURNAL KEY-FILE ROW     seals the credential on standard input for the row; prints its digits
    sealed.py write JOURNAL ROW             puts the text on standard input in the row's column, with a right check value; ^ is the byte 1
"""
import hashlib
import os
import sqlite3
import struct
import sys

COLUMNS_BOUND = [0, 1] + list(range(4, 7)) + list(range(8, 15))
SECRET = 7


def image(values):
    out = b""
    for value in values:
        if value is None:
            out += b"\5"
        elif isinstance(value, int):
            out += b"\1" + struct.pack(">q", value)
        elif isinstance(value, str):
            value = value.encode()
            out += b"\3" + struct.pack(">I", len(value)) + value
        else:
            out += b"\4" + struct.pack(">I", len(value)) + value
    return out


def keys(path):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    root = bytes.fromhex(open(path).read().strip())
    return [HKDFExpand(hashes.SHA256(), size, info).derive(root)
            for info, size in ((b"handback seal 1 key", 32), (b"handback seal 1 check", 8))]


def cipher(key):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


task, journal, *rest = sys.argv[1:]
connection = sqlite3.connect(journal)
row = connection.execute("SELECT * FROM deactivation WHERE row = ?", (int(rest[-1]),)).fetchone()
bound = image(row[column] for column in COLUMNS_BOUND)
if task == "open":
    key, check = keys(rest[0])
    assert row[SECRET][:2] == "\1\1"
    sealed = bytes.fromhex(row[SECRET][2:])
    assert sealed[:8] == check, "sealed with another key"
    print(cipher(key).decrypt(sealed[8:20], sealed[20:], bound).decode())
elif task == "make":
    key, check = keys(rest[0])
    nonce = os.urandom(12)
    print((check + nonce + cipher(key).encrypt(nonce, sys.stdin.read().encode(), bound)).hex(), end="")
else:
    values = list(row[:-1])
    values[SECRET] = sys.stdin.read().replace("^", "\1")
    value = hashlib.sha256(image(values)).digest()[:16]
    connection.execute("UPDATE deactivation SET secret = ?, seal = ? WHERE row = ?", (values[SECRET], value, row[0]))
    connection.commit()
