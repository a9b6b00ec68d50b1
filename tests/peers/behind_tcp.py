"""Runs the server of a peer on a TCP port of this machine."""

import socket
import subprocess
import sys
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command, port):
    """Says `ready tcp:HOST:PORT` when the server listens, and ends it when the standard input
    closes. Its output is shown where it ends by itself.
    """
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr
    )
    try:
        wait_for(server, port)
        print(f"ready tcp:127.0.0.1:{port}", flush=True)
        sys.stdin.buffer.read()
    finally:
        server.terminate()
        server.wait()


def wait_for(server, port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
            return
        except OSError:
            if server.poll() is not None:
                sys.exit(f"the server ended: {server.returncode}")
            time.sleep(0.1)
    sys.exit("the server does not listen")
