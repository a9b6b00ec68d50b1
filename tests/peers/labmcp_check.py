"""labmcp's drivers check the simulated balances: labmcp_check.py PORT mettler|sartorius"""

import importlib.util
import json
import subprocess
import sys

PACKAGES = {"mettler": "labmcp_mettler_toledo", "sartorius": "labmcp_sartorius"}

path, maker = sys.argv[1:]
package = PACKAGES[maker]
if importlib.util.find_spec(package) is None:
    print(f"skipped: No module named {package!r}")
    sys.exit(77)
# A pseudo-terminal carries no parity.
settings = "?parity=N&bytesize=8" if maker == "sartorius" else ""
program = f"import sys; from {package}.server import main; sys.exit(main())"
arguments = ["-a", f"serial://{path}{settings}", "--check"]
done = subprocess.run(
    [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60
)
assert done.returncode == 0, done.stdout + done.stderr
said = json.loads(done.stdout)
assert said["connected"], said
serial_numbers = {"mettler": "B123456789", "sartorius": "0037402012"}
assert serial_numbers[maker] in done.stdout, done.stdout
print(done.stdout)
