"""Serves an instrument of pyvisa-sim on a pseudo-terminal until the standard input closes.

serve_pyvisa_sim.py LINK WHEEL TABLE RESOURCE: TABLE is a YAML file of dialogues inside WHEEL
(the qcodes wheel, MIT licence), RESOURCE the name that it gives the instrument.
"""

import os
import pty
import select
import sys
import tempfile
import tty
import zipfile

try:
    import pyvisa
    import pyvisa_sim  # noqa: F401
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}", flush=True)
    sys.exit(77)


def answer(instrument, line):
    """The reply to one line; none where the table has none."""
    instrument.write(line)
    try:
        return instrument.read()
    except pyvisa.errors.VisaIOError:
        return None


def main():
    link, wheel, table, resource = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as archive:
            path = archive.extract(table, folder)
        with open(path, encoding="utf-8") as text:
            devices = yaml.safe_load(text)["devices"].values()
        end = [ends for device in devices for ends in device["eom"].values()][0]
        manager = pyvisa.ResourceManager(f"{path}@sim")
        terminators = {"read_termination": end["r"], "write_termination": end["q"]}
        instrument = manager.open_resource(resource, **terminators)
        instrument.timeout = 200
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        os.symlink(os.ttyname(theirs), link)
        print("ready", flush=True)
        try:
            serve(instrument, ours)
        finally:
            os.unlink(link)


def serve(instrument, ours):
    received = b""
    while True:
        ready, _, _ = select.select([ours, sys.stdin], [], [])
        if sys.stdin in ready and not sys.stdin.buffer.read1(64):
            return
        if ours not in ready:
            continue
        received += os.read(ours, 512)
        while b"\n" in received.replace(b"\r", b"\n"):
            line, received = received.replace(b"\r", b"\n").split(b"\n", 1)
            if not line:
                continue
            reply = answer(instrument, line.decode("latin-1"))
            if reply is not None:
                os.write(ours, reply.strip("\r\n").encode("latin-1") + b"\r\n")


main()
