"""espec-pr3j talks to the simulated stress chamber: espec_ehs411m.py PORT"""

import sys

try:
    import pyvisa
    from espec_pr3j import EspecPr3j, OperationMode
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

manager = pyvisa.ResourceManager("@py")
chamber = EspecPr3j(resource_path=f"ASRL{sys.argv[1]}::INSTR", resource_manager=manager)
status = chamber.get_temperature_status()
assert abs(status.current_temperature - 23.0) < 0.5, status
assert (status.upper_limit, status.lower_limit) == (160.0, 5.0), status
humidity = chamber.get_humidity_status()
assert abs(humidity.current_humidity - 45) < 2, humidity
chamber.set_target_temperature(85.0)
chamber.set_target_humidity(85)
assert chamber.get_temperature_status().target_temperature == 85.0
assert chamber.get_humidity_status().target_humidity == 85.0
chamber.set_mode(OperationMode.OFF)
assert chamber.get_mode() == OperationMode.OFF
chamber.set_mode(OperationMode.CONSTANT)
assert chamber.get_mode() == OperationMode.CONSTANT
print(f"{status.current_temperature} °C, {humidity.current_humidity} %RH, set and switched")
