"""Serves the JULABO emulator of lewis on a TCP port: serve_lewis_julabo.py LINK

The circulator needs its line RTS, which a pseudo-terminal does not have: LINK is not made.
"""

import os
import pathlib
import sys

try:
    import lewis  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}", flush=True)
    sys.exit(77)

from behind_tcp import free_port, run

port = free_port()
options = f"julabo-version-1: {{bind_address: 127.0.0.1, port: {port}}}"
program = pathlib.Path(sys.executable).with_name("lewis")
run([os.fspath(program), "julabo", "-p", options, "-o", "none"], port)
