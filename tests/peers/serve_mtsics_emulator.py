"""Serves the emulator of mt-sics-emulator on a TCP port: serve_mtsics_emulator.py LINK"""

import os
import pathlib
import sys

try:
    import mtsics  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}", flush=True)
    sys.exit(77)

from behind_tcp import free_port, run

port = free_port()
program = pathlib.Path(sys.executable).with_name("mtsics-tcp")
where = ["--host", "127.0.0.1", "--port", str(port), "--control-port", str(free_port())]
run([os.fspath(program), *where, "--profile", "mt-xs204"], port)
