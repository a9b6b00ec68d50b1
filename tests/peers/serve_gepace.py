"""Serves the PACE simulator of gepace: serve_gepace.py LINK"""

import sys

try:
    from gepace.simulator import Pace
except ImportError as missing:
    print(f"skipped: {missing}", flush=True)
    sys.exit(77)

from on_a_pty import serve

controller = Pace("pace")
serve(sys.argv[1], lambda line: controller.handle_message(line + b"\n") or b"")
