"""pymeasure's Fluke7341 talks to the simulated bath: fluke_7341.py PORT"""

import sys

try:
    import pyvisa_py  # noqa: F401
    from pymeasure.instruments.fluke import Fluke7341
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

bath = Fluke7341(f"ASRL{sys.argv[1]}::INSTR", visa_library="@py")
assert bath.id == "Fluke,7341,NA,1.00", bath.id
assert bath.set_point == 25.0, bath.set_point
assert bath.unit.strip() == "C", bath.unit
before = bath.temperature
assert 20.0 < before < 30.0, before
bath.set_point = 40.0
assert bath.set_point == 40.0, bath.set_point
print(f"id {bath.id}, set point {bath.set_point}, temperature {before}")
