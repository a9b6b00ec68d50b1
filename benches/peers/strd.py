"""NIST's non-linear reference datasets with SciPy: digits of the estimates that agree.

    python3 benches/peers/strd.py            digits of all sets from both starts
    python3 benches/peers/strd.py Thurber    processor time of one fit as well

Prints one row for each set and start; uncertainty/STRD.md has them beside heng's. "failed" is a
fit that says so itself; 0.0 is a wrong answer without a word.
"""

import re
import sys
import time
import tomllib
import warnings
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import curve_fit, least_squares

ROOT = Path(__file__).resolve().parents[2] / "fixtures" / "nist-strd"
EPS = np.finfo(float).eps
FUNCTIONS = {"exp": np.exp, "cos": np.cos, "sin": np.sin, "atan": np.arctan, "pi": np.pi}


class Dataset:
    def __init__(self, name, model):
        head, data = (ROOT / f"{name}.dat").read_text().rsplit("Data:", 1)
        rows = []
        for line in data.splitlines():
            try:
                rows.append([float(word) for word in line.split()])
            except ValueError:
                continue
        table = np.array([row for row in rows if row]).T
        self.name, self.y, self.x = name, table[0], table[1:]
        if name == "Nelson":
            self.y = np.log(self.y)
        found = re.findall(r"^\s*(b\d)\s*=\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", head, re.M)
        self.starts = [[float(row[k]) for row in found] for k in (1, 2)]
        self.certified = np.array([float(row[3]) for row in found])
        text = model.split("=", 1)[1].replace("^", "**").strip()
        names = [row[0] for row in found]
        columns = ["x1", "x2"] if len(self.x) == 2 else ["x"]
        self.f = eval(f"lambda x, {', '.join(names)}: ({text})"
                      if len(columns) == 1 else
                      f"lambda x, {', '.join(names)}: (lambda x1, x2: ({text}))(*x)", FUNCTIONS)
        if len(self.x) == 1:
            self.x = self.x[0]

    def residuals(self, b):
        return self.f(self.x, *b) - self.y


def default(data, start):
    return curve_fit(data.f, data.x, data.y, start)[0]


def tight(data, start):
    return curve_fit(data.f, data.x, data.y, start, ftol=EPS, xtol=EPS, gtol=EPS, maxfev=100_000)[0]


def scaled(data, start):
    options = dict(method="lm", x_scale="jac", ftol=EPS, xtol=EPS, gtol=EPS, max_nfev=100_000)
    found = least_squares(data.residuals, start, **options)
    if not found.success:
        raise RuntimeError(found.message)
    return found.x


def exact(data, start):
    """Complex steps: derivatives as exact as heng's."""
    options = dict(method="trf", jac="cs", x_scale="jac", ftol=4 * EPS, xtol=4 * EPS, gtol=4 * EPS,
                   max_nfev=100_000)
    found = least_squares(data.residuals, start, **options)
    if not found.success:
        raise RuntimeError(found.message)
    return found.x


METHODS = [default, tight, scaled, exact]


def digits(data, method, start):
    try:
        found = method(data, start)
    except Exception:
        return "failed"
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.abs((found - data.certified) / data.certified)
        least = np.min(np.clip(-np.log10(error), 0.0, 11.0))
    return f"{np.floor(10 * least) / 10:.1f}" if np.isfinite(least) else "0.0"


def seconds(data, method, start, runs=50):
    times = []
    for _ in range(runs):
        begin = time.process_time()
        method(data, start)
        times.append(time.process_time() - begin)
    return np.median(times)


def main():
    warnings.simplefilter("ignore")
    models = tomllib.loads((ROOT / "models.toml").read_text())
    wanted = sys.argv[1:]
    print(f"numpy {np.__version__}, scipy {scipy.__version__}: {', '.join(m.__name__ for m in METHODS)}")
    for name, model in models.items():
        if wanted and name not in wanted:
            continue
        data = Dataset(name, model)
        for which, start in enumerate(data.starts):
            cells = [digits(data, method, start) for method in METHODS]
            print(f"| {name} | {which + 1} | {' | '.join(cells)} |", flush=True)
            for method in METHODS if wanted else []:
                try:
                    print(f"    {method.__name__}: {1e3 * seconds(data, method, start):.3f} ms")
                except Exception:
                    print(f"    {method.__name__}: failed")


main()
