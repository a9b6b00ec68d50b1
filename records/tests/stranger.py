"""The verdict on a record, from FORMAT.md alone: the standard library of Python 3, no heng.

usage: python3 stranger.py RECORD.jsonl
Exit code: 0 good, 1 altered, 2 incomplete but honest, 3 cannot be read.
"""

import hashlib
import json
import os
import sys

MARK = b',"hash":"'


def sha256(data):
    return hashlib.sha256(data).digest()


def root(hashes):
    if len(hashes) == 1:
        return sha256(b"\0" + hashes[0])
    if not hashes:
        return sha256(b"")
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return sha256(b"\1" + root(hashes[:k]) + root(hashes[k:]))


def held(line, previous):
    """The content of a line that holds, and its hash; None where it does not."""
    at = len(line) - len(MARK) - 64 - len(b'"}\n')
    if at < 0 or not line.endswith(b'"}\n') or line[at : at + len(MARK)] != MARK:
        return None
    digest = sha256(line[:at])
    if line[at + len(MARK) : -3] != digest.hex().encode():
        return None
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return (content, digest) if content["prev"] == previous.hex() else None


def checkpoints(path):
    """The checkpoints that hold; whether a line that is not the last, or the last, does not."""
    found, previous = [], bytes(32)
    lines = open(path, "rb").read().splitlines(keepends=True)
    for number, line in enumerate(lines):
        one = held(line, previous)
        grows = one and (not found or found[-1]["entries"] <= one[0]["entries"])
        if not one or not grows:
            last = number == len(lines) - 1
            return found, not last, last
        found.append(one[0])
        previous = one[1]
    return found, False, False


def follows(entry, entries):
    kind = entry["event"]["kind"]
    before = entries[-1] if entries else None
    return (
        entry["seq"] == len(entries)
        and (kind == "opened") == (before is None)
        and (before is None or before["event"]["kind"] != "sealed")
        and (before is None or before["t_us"] <= entry["t_us"])
    )


def files_hold(folder, event):
    if event["kind"] == "text":
        return sha256(event["text"].encode()).hex() == event["sha256"]
    named = {"artefact": [event], "recovered": event.get("dropped", [])}
    for one in named.get(event["kind"], []):
        path = os.path.join(folder, one.get("file", one.get("name")))
        if os.path.exists(path):
            content = open(path, "rb").read()
            if sha256(content).hex() != one["sha256"] or len(content) != one["bytes"]:
                return False
    return True


def verdict(path):
    try:
        data = open(path, "rb").read()
    except OSError:
        return 3
    witness = os.path.splitext(path)[0] + ".checkpoints"
    known = os.path.exists(witness)
    due, altered, torn = checkpoints(witness) if known else ([], False, False)
    if not known and not data.startswith(b'{"seq":'):
        return 3
    entries, hashes, length, broken = [], [], 0, None
    due = list(due)
    for line in data.splitlines(keepends=True):
        one = held(line, hashes[-1] if hashes else bytes(32))
        if not one or not follows(one[0], entries):
            broken = line
            break
        entry, digest = one
        event = entry["event"]
        if event["kind"] == "opened" and event["format"] > 3:
            return 3
        if event["kind"] == "sealed":
            if event["entries"] != len(entries):
                return 1
            if "root" in event and event["root"] != root(hashes).hex():
                return 1
        altered = altered or not files_hold(os.path.dirname(path), event)
        entries.append(entry)
        hashes.append(digest)
        length += len(line)
        while due and due[0]["bytes"] <= length:
            one = due.pop(0)
            state = (length, len(entries), digest.hex(), root(hashes).hex())
            if state != (one["bytes"], one["entries"], one["head"], one["root"]):
                return 1
    sealed = bool(entries) and entries[-1]["event"]["kind"] == "sealed"
    if altered or due or (broken is not None and sealed):
        return 1
    if broken is not None:
        no_end = not broken.endswith(b"\n")
        honest = known or (entries and no_end)
        return 2 if honest else 1
    return 2 if torn and sealed or not sealed else 0


if __name__ == "__main__":
    sys.exit(verdict(sys.argv[1]))
