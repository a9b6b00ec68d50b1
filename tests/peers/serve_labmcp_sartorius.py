"""Serves the SBI simulator of labmcp-sartorius: serve_labmcp_sartorius.py LINK"""

import sys

try:
    from labmcp_sartorius.simulator import SBISimulator
except ImportError as missing:
    print(f"skipped: {missing}", flush=True)
    sys.exit(77)

from on_a_pty import serve

balance = SBISimulator()


def answer(line):
    said = balance.handle(line.decode("latin-1"))
    lines = [said] if isinstance(said, str) else said or []
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


serve(sys.argv[1], answer)
