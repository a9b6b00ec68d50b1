"""Puts a simulator that is a function of one request line on a pseudo-terminal."""

import os
import pty
import select
import sys
import tty


def serve(link, answer):
    """Answers on a pseudo-terminal that `link` points to, until the standard input closes.
    Says `ready` when it is there.

    `answer` takes the bytes of a line without its end and gives those of the reply.
    """
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.symlink(os.ttyname(theirs), link)
    print("ready", flush=True)
    received = b""
    try:
        while True:
            ready, _, _ = select.select([ours, sys.stdin], [], [])
            if sys.stdin in ready and not sys.stdin.buffer.read1(64):
                return
            if ours not in ready:
                continue
            received += os.read(ours, 512).replace(b"\r", b"\n")
            while b"\n" in received:
                line, received = received.split(b"\n", 1)
                if line:
                    os.write(ours, answer(line))
    finally:
        os.unlink(link)
