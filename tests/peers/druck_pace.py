"""gepace talks to the simulated pressure controller: druck_pace.py PORT"""

import sys

try:
    import serial
    from gepace.pace import Pace, to_error, to_float, to_float_bool, to_nop
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


class Line:
    """What gepace expects of a connection."""

    def __init__(self, path):
        self.port = serial.Serial(path, timeout=5)

    def write(self, request):
        self.port.write(request)

    def write_readline(self, request):
        self.port.write(request)
        return self.port.readline()

    def close(self):
        self.port.close()


pace = Pace(Line(sys.argv[1]))
maker, model, serial_number, version = pace.idn().split(",")
assert (maker, model) == ("GE Druck", "Pace5000 User Interface"), (maker, model)
assert serial_number == "3213201" and version == "02.00.07", (serial_number, version)
assert pace._query(":UNIT:PRES?", to_nop) == "HPA"
pressure, within = pace._query(":SENS:PRES:INL?", to_float_bool)
assert 900.0 < pressure < 1100.0 and not within, (pressure, within)
# It expects a reply to what it is called with; settings have none.
pace._conn.write(b":SOUR:PRES 800.0\n")
pace._conn.write(b":OUTP:STAT 1\n")
assert pace._query(":SOUR:PRES?", to_float) == 800.0
assert pace._query(":OUTP:STAT?", to_nop) == "1"
assert pace._query(":SYST:ERR?", to_error)[0] == 0
print(f"serial number {serial_number}, pressure {pressure}")
