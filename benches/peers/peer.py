"""One timed run of one peer, in a process of its own.

    peer.py PEER MODEL TRIALS     Monte Carlo: numpy, metrolopy, suncal, openturns
    peer.py PEER h1 SECONDS       first-order budgets: gtc, uncertainties, metrolopy, suncal, openturns

Prints one line of JSON. The clock of a Monte Carlo run starts when the model and its inputs have
been described to the peer; it covers drawing, evaluation, mean, standard deviation and both
coverage intervals. Imports are outside of it. Exit code 77: the peer is not installed.
"""

import importlib
import json
import math
import re
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

NOT_INSTALLED = 77
CATALOGUE = json.loads((Path(__file__).parent / "models.json").read_text())
COVERAGE = 0.95

# Name on the command line -> name to import, name of the distribution that has it.
PACKAGES = {
    "numpy": ("numpy", "numpy"),
    "metrolopy": ("metrolopy", "metrolopy"),
    "suncal": ("suncal", "suncal"),
    "openturns": ("openturns", "openturns"),
    "gtc": ("GTC", "GTC"),
    "uncertainties": ("uncertainties", "uncertainties"),
}


def expression(model):
    return " ".join(model["expression"])


def limits(law):
    return law["value"] - law["half_width"], law["value"] + law["half_width"]


# Both intervals where a peer hands out its trials but has no intervals of its own: one sort
# (JCGM 101:2008, 7.5 and 7.7).
def intervals(np, trials):
    ordered = np.sort(trials)
    count = len(ordered)
    span = int(COVERAGE * count + 0.5)
    first = (count - span + 1) // 2 - 1
    best = int(np.argmin(ordered[span:] - ordered[: count - span]))
    return [[float(ordered[at]), float(ordered[at + span])] for at in (first, best)]


# Monte Carlo: each describes the model to the peer and gives the function that is timed. That
# returns mean, standard deviation, symmetric and shortest interval.


def numpy_trials(np, model, trials, block=1 << 16):
    """Blocks that stay in the cache: what an array language can do at best."""
    random = np.random.default_rng(1)

    def draw(law, count):
        match law["law"]:
            case "normal":
                return random.normal(law["value"], law["u"], count)
            case "t":
                return law["value"] + law["scale"] * random.standard_t(law["dof"], count)
            case "rectangular":
                return random.uniform(*limits(law), count)
            case "triangular":
                low, high = limits(law)
                return random.triangular(low, law["value"], high, count)
            case "arcsine":
                return law["value"] + law["half_width"] * np.sin(2 * np.pi * random.random(count))
            case "curvilinear":
                half = law["half_width"] + law["d"] * (2 * random.random(count) - 1)
                return law["value"] + half * (2 * random.random(count) - 1)
        raise ValueError(law["law"])

    code = compile(expression(model), "model", "eval")

    def run():
        results = np.empty(trials)
        for first in range(0, trials, block):
            part = results[first : first + block]
            drawn = {law["symbol"]: draw(law, len(part)) for law in model["inputs"]}
            part[:] = eval(code, {"sqrt": np.sqrt}, drawn)
        return [float(results.mean()), float(results.std(ddof=1)), *intervals(np, results)]

    return run


def metrolopy_trials(uc, model, trials):
    def law_of(law):
        match law["law"]:
            case "normal":
                return uc.NormalDist(law["value"], law["u"])
            case "t":
                return uc.TDist(law["value"], law["scale"], law["dof"])
            case "rectangular":
                return uc.UniformDist(center=law["value"], half_width=law["half_width"])
            case "triangular":
                return uc.TriangularDist(law["value"], half_width=law["half_width"])
            case "arcsine":
                # Given by its limits, version 1.1.1 makes it twice as wide.
                return uc.ArcSinDist(center=law["value"], half_width=law["half_width"])
            case "curvilinear":
                return uc.CurvlinearTrapDist(
                    center=law["value"], half_width=law["half_width"], limit_half_range=law["d"]
                )
        raise ValueError(law["law"])

    inputs = {law["symbol"]: uc.gummy(law_of(law)) for law in model["inputs"]}
    result = eval(expression(model), {"sqrt": uc.sqrt}, inputs)
    result.p = COVERAGE

    def run():
        result.sim(n=trials)
        summary = [float(result.xsim), float(result.usim)]
        for kind in ("symmetric", "shortest"):
            result.cimethod = kind
            summary.append([float(end) for end in result.cisim])
        return summary

    return run


def suncal_trials(suncal, model, trials):
    import numpy as np

    described = suncal.Model("y = " + expression(model))
    for law in model["inputs"]:
        variable = described.var(law["symbol"]).measure(law["value"])
        match law["law"]:
            case "normal":
                variable.typeb(dist="normal", std=law["u"])
            case "t":
                # `std` would be the standard deviation of the law, not its scale.
                variable.typeb(dist="t", scale=law["scale"], df=law["dof"])
            case "rectangular":
                variable.typeb(dist="uniform", a=law["half_width"])
            case "triangular":
                variable.typeb(dist="triangular", a=law["half_width"])
            case "arcsine":
                variable.typeb(dist="arcsine", a=law["half_width"])
            case "curvilinear":
                variable.typeb(dist="curvtrap", a=law["half_width"], d=law["d"])
            case other:
                raise ValueError(other)
    np.random.seed(1)

    def run():
        result = described.monte_carlo(samples=trials)
        summary = [float(result.expected["y"]), float(result.uncertainty["y"])]
        for shortest in (False, True):
            low, high, *_ = result.expand("y", conf=COVERAGE, shortest=shortest)
            summary.append([float(low), float(high)])
        return summary

    return run


def openturns_trials(ot, model, trials):
    import numpy as np

    ot.RandomGenerator.SetSeed(1)
    names, laws, formula = [], [], expression(model)
    for law in model["inputs"]:
        symbol = law["symbol"]
        match law["law"]:
            case "normal":
                drawn = ot.Normal(law["value"], law["u"])
            case "t":
                drawn = ot.Student(law["dof"], law["value"], law["scale"])
            case "rectangular":
                drawn = ot.Uniform(*limits(law))
            case "triangular":
                low, high = limits(law)
                drawn = ot.Triangular(low, law["value"], high)
            case "arcsine":
                drawn = ot.Arcsine(*limits(law))
            case "curvilinear":
                # Not in the catalogue: the product of two rectangles.
                half = f"({law['half_width']!r} + {law['d']!r}*{symbol}_w)"
                place = f"({law['value']!r} + {symbol}_p*{half})"
                formula = re.sub(rf"\b{symbol}\b", place, formula)
                names += [f"{symbol}_w", f"{symbol}_p"]
                laws += [ot.Uniform(-1.0, 1.0)] * 2
                continue
            case other:
                raise ValueError(other)
        names.append(symbol)
        laws.append(drawn)
    function = ot.SymbolicFunction(names, [formula])
    joint = ot.JointDistribution(laws)

    def run():
        results = function(joint.getSample(trials))
        moments = [results.computeMean()[0], results.computeStandardDeviation()[0]]
        return [*moments, *intervals(np, np.asarray(results).ravel())]

    return run


# First-order budgets: each gives the function that makes one. A budget states the inputs, evaluates
# the model and reads value, standard uncertainty, degrees of freedom and the components.


def welch_satterthwaite(u, parts):
    """Degrees of freedom for the peers that have none (JCGM 100:2008, G.2b)."""
    return u**4 / sum(part**4 / dof for part, dof in parts if math.isfinite(dof))


def rows(budget):
    return [(i["symbol"], i["value"], i["u"], i.get("dof", math.inf)) for i in budget["inputs"]]


def gtc_budget(gtc, budget):
    from GTC import reporting

    code, table = compile(expression(budget), "model", "eval"), rows(budget)

    def once():
        inputs = {s: gtc.ureal(x, u, dof, label=s) for s, x, u, dof in table}
        y = gtc.result(eval(code, {}, inputs))
        return y.x, y.u, y.df, [(part.label, part.u) for part in reporting.budget(y)]

    return once


def uncertainties_budget(uncertainties, budget):
    code, table = compile(expression(budget), "model", "eval"), rows(budget)

    def once():
        inputs = {s: uncertainties.ufloat(x, u, s) for s, x, u, _ in table}
        y = eval(code, {}, inputs)
        parts, u = y.error_components(), y.s
        known = ((parts.get(inputs[s], 0.0), dof) for s, _, _, dof in table)
        return y.n, u, welch_satterthwaite(u, known), [(i.tag, part) for i, part in parts.items()]

    return once


def metrolopy_budget(uc, budget):
    """With `ummy`, its light class; `gummy` takes twice as long."""
    code, table = compile(expression(budget), "model", "eval"), rows(budget)

    def once():
        inputs = {s: uc.ummy(x, u=u, dof=dof) for s, x, u, dof in table}
        y = eval(code, {}, inputs)
        return y.x, y.u, y.dof, [(s, float(y.ufrom(i))) for s, i in inputs.items()]

    return once


def suncal_budget(suncal, budget):
    """The model parsed once; only the numbers are stated anew."""
    model, table = suncal.Model("y = " + expression(budget)), rows(budget)

    def once():
        for s, x, u, dof in table:
            variable = model.var(s).measure(x)
            model.var(s).clear_typeb()
            variable.typeb(std=u, df=dof)
        result = model.calculate_gum()
        parts = result.Cx
        return float(result.expected["y"]), float(result.uncertainty["y"]), float(result.degf["y"]), parts

    return once


def openturns_budget(ot, budget):
    table = rows(budget)
    function = ot.SymbolicFunction([s for s, *_ in table], [expression(budget)])

    def once():
        laws = ot.JointDistribution([ot.Normal(x, u) for _, x, u, _ in table])
        vector = ot.CompositeRandomVector(function, ot.RandomVector(laws))
        expanded = ot.TaylorExpansionMoments(vector)
        value, u = expanded.getMeanFirstOrder()[0], math.sqrt(expanded.getCovariance()[0, 0])
        slopes = function.gradient([x for _, x, _, _ in table])
        parts = [(s, abs(slopes[i, 0]) * one) for i, (s, _, one, _) in enumerate(table)]
        known = ((part, dof) for (_, part), (*_, dof) in zip(parts, table))
        return value, u, welch_satterthwaite(u, known), parts

    return once


def peak_mib():
    """Largest resident memory of this process; the kernel's `ru_maxrss` includes its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024


def timed_trials(package, peer, name, trials):
    run = globals()[f"{peer}_trials"](package, CATALOGUE["models"][name], trials)
    wall, processor = time.perf_counter(), time.process_time()
    mean, sd, symmetric, shortest = run()
    processor, wall = time.process_time() - processor, time.perf_counter() - wall
    return {
        "trials": trials, "cpu_s": processor, "wall_s": wall,
        "mean": mean, "sd": sd, "symmetric": symmetric, "shortest": shortest,
    }  # fmt: skip


def timed_budgets(package, peer, name, seconds):
    once = globals()[f"{peer}_budget"](package, CATALOGUE["budgets"][name])
    value, u, dof, _ = once()
    count, wall, processor = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        once()
        count += 1
    processor = time.process_time() - processor
    return {"per_cpu_s": count / processor, "value": value, "u": u, "dof": dof}


def main(peer, name, amount):
    warnings.filterwarnings("ignore")
    module, distribution = PACKAGES[peer]
    try:
        package = importlib.import_module(module)
    except ImportError as missing:
        print(f"{peer} is not installed: {missing}", file=sys.stderr)
        return NOT_INSTALLED
    if name in CATALOGUE["budgets"]:
        figures = timed_budgets(package, peer, name, float(amount))
    else:
        figures = timed_trials(package, peer, name, int(float(amount)))
    named = {"program": peer, "version": version(distribution), "model": name}
    print(json.dumps({**named, **figures, "peak_mib": peak_mib()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
