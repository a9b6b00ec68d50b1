"""sartorius talks to the simulated balance: sartorius_sbi.py PORT"""

import asyncio
import os
import sys

try:
    from sartorius import Scale
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


async def main():
    # It takes a path for a serial port where it begins with /dev. A pseudo-terminal carries no
    # parity, and the client's own limit of 0.15 s is short.
    scale = Scale(os.path.realpath(sys.argv[1]), parity="N", timeout=5)
    info = await scale.get_info()
    assert info["model"] == "QUINTIX224-1S", info
    assert info["serial"] == "0037402012", info
    reading = await scale.get()
    assert reading["measurement"] == "net", reading
    assert abs(reading["mass"]) < 0.01, reading
    # The balance was just switched on: until it is steady it sends no unit.
    for _ in range(200):
        if reading["stable"]:
            break
        reading = await scale.get()
    assert reading["stable"] and reading["units"] == "g", reading
    print(f"{info}, {reading}")


asyncio.run(main())
