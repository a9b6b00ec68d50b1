"""pyVT4002 talks to the simulated climatic chamber: weiss_ascii2.py PORT"""

import sys

try:
    from VT4002 import Connection
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

# It expects the ten values of a VT4002 and so takes no digital channels from this chamber.
# It waits for a line feed; the reply ends with CR, so its own time limit ends the line.
chamber = Connection(sys.argv[1], chamber_address="01", timeout_s=0.5)
values = chamber.get_actual_values()
assert values.temp1_nominal() == 23.0, values.nominal_value_1
assert values.temp2_nominal() == 45.0, values.nominal_value_2
assert abs(values.temp1_actual() - 23.0) < 0.5, values.actual_value_1
assert abs(values.temp2_actual() - 45.0) < 1.0, values.actual_value_2
print(f"temperature {values.temp1_actual()}, humidity {values.temp2_actual()}")
