"""Serves the circulator simulator of the julabo package on a TCP port: serve_julabo.py LINK

The circulator needs its line RTS, which a pseudo-terminal does not have: LINK is not made.
"""

import json
import os
import pathlib
import sys
import tempfile

try:
    import sinstruments  # noqa: F401
    from julabo import simulator  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}", flush=True)
    sys.exit(77)

from behind_tcp import free_port, run

port = free_port()
device = {
    "class": "JulaboCF",
    "package": "julabo.simulator",
    "name": "circulator",
    "transports": [{"type": "tcp", "url": f"127.0.0.1:{port}"}],
}
program = pathlib.Path(sys.executable).with_name("sinstruments-server")
with tempfile.NamedTemporaryFile("w", suffix=".json") as bench:
    json.dump({"devices": [device]}, bench)
    bench.flush()
    run([os.fspath(program), "-c", bench.name], port)
