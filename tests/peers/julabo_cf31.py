"""The julabo package talks to the simulated circulator: julabo_cf31.py PORT"""

import asyncio
import sys

try:
    import serialio  # noqa: F401
    from julabo import JulaboCF, connection_for_url
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


async def main(port):
    line = connection_for_url(f"serial://{port}", concurrency="asyncio")
    await line.open()
    bath = JulaboCF(line)
    identity = await bath.identification()
    assert identity.startswith("JULABO"), identity
    assert await bath.status() == "03 REMOTE START"
    before = await bath.bath_temperature()
    assert 20.0 < before < 30.0, before
    assert await bath.set_point_1() == 25.0
    await bath.set_point_1(40.5)
    assert await bath.set_point_1() == 40.5
    await bath.stop()
    assert await bath.status() == "02 REMOTE STOP"
    assert not await bath.is_started()
    await bath.start()
    assert await bath.is_started()
    print(f"{identity}: {before} °C, set point 40.5 °C, stopped and started")


asyncio.run(main(sys.argv[1]))
