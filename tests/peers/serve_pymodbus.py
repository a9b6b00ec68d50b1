"""A pymodbus RTU server on a pseudo-terminal: serve_pymodbus.py LINK

Unit 240 has 30.56 and 20.5 as floats from holding register 0, least significant word first.
Unit 1 is a chamber at 23.0 °C and -10.5 °C set, 45.0 %RH, whose coils start and stop it.
"""

import asyncio
import os
import pty
import sys
import threading
import tty

try:
    from pymodbus.server import ModbusSerialServer
    from pymodbus.simulator import DataType, SimData, SimDevice
except ImportError as missing:
    print(f"skipped: {missing}", flush=True)
    sys.exit(77)

READ_INPUTS, WRITE_COIL = 4, 5


class Chamber:
    """The run state follows the coils: 8000 starts, 8001 stops."""

    def __init__(self):
        self.runs = False

    async def act(self, function, start, address, count, registers, values):
        if function == WRITE_COIL and values:
            self.runs = address == 8000
        if function == READ_INPUTS:
            registers[0] = int(self.runs)


def bits(first, count):
    return [SimData(first, values=[False] * count, datatype=DataType.BITS)]


def registers(first, *values):
    return [SimData(first, values=list(values), datatype=DataType.REGISTERS)]


def devices():
    floats = registers(0, 0x7AE1, 0x41F4, 0x0000, 0x41A4)
    transmitter = (bits(0, 1), bits(0, 1), floats, registers(0, 0))
    settings, inputs = registers(8100, 0x10000 - 105, 450), registers(7990, 0, 230, 450)
    chamber = (bits(8000, 2), bits(0, 1), settings, inputs)
    return [
        SimDevice(id=240, simdata=transmitter),
        SimDevice(id=1, simdata=chamber, action=Chamber().act),
    ]


def copy(source, target):
    try:
        while data := os.read(source, 512):
            os.write(target, data)
    except OSError:
        pass


async def main(link):
    (server_side, server_port), (ours, theirs) = pty.openpty(), pty.openpty()
    for end in (server_port, theirs):
        tty.setraw(end)
    for ends in ((server_side, ours), (ours, server_side)):
        threading.Thread(target=copy, args=ends, daemon=True).start()
    server = ModbusSerialServer(devices(), port=os.ttyname(server_port), baudrate=9600)
    await server.serve_forever(background=True)
    os.symlink(os.ttyname(theirs), link)
    print("ready", flush=True)
    try:
        await asyncio.to_thread(sys.stdin.buffer.read)
    finally:
        os.unlink(link)
        await server.shutdown()


asyncio.run(main(sys.argv[1]))
