"""espec-pr3j meets numbers below zero of the simulated chamber: espec_p300.py PORT"""

import sys

try:
    import pyvisa
    from espec_pr3j import EspecPr3j, OperationMode
    from espec_pr3j.exceptions import MonitorError
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

manager = pyvisa.ResourceManager("@py")
chamber = EspecPr3j(resource_path=f"ASRL{sys.argv[1]}::INSTR", resource_manager=manager)
assert chamber.get_mode() == OperationMode.CONSTANT
# Its pattern has no sign: the lower limit of -45.0 is a known deviation.
try:
    print(chamber.get_temperature_status())
except MonitorError:
    pass
else:
    sys.exit("the deviation is gone: take it out of deviations.toml")
chamber.set_target_temperature(30.0)
chamber.set_mode(OperationMode.STANDBY)
assert chamber.get_mode() == OperationMode.STANDBY
print("set and brought to standby; a limit below zero is not understood")
