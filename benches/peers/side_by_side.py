"""The engine beside its peers in one run, interleaved: peer, heng, peer, heng, round by round.

Builds nothing; `cargo bench -p heng-uncertainty --bench peer --no-run` makes the program that it
times. Prints Markdown tables, then the targets of the engine in words. See ../README.md.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NOT_INSTALLED = 77

# OpenTURNS keeps every drawn input: 7 GiB for the bath at 10^7.
MONTE_CARLO = {"numpy": 10**7, "metrolopy": 10**7, "suncal": 10**7, "openturns": 10**6}
BUDGETS = ["gtc", "uncertainties", "metrolopy", "suncal", "openturns"]
SPELLING = {
    "numpy": "NumPy, blocks", "metrolopy": "MetroloPy", "suncal": "suncal", "openturns": "OpenTURNS",
    "gtc": "GTC", "uncertainties": "uncertainties",
}  # fmt: skip
START = ("gauge", 10**6)
GAUGE_FILE = ROOT / "fixtures/budgets/gauge-block-jcgm101-9-5.toml"


class Missing(Exception):
    """A peer that is not installed, or cannot do the run."""


def run(command):
    """The line of JSON that a run prints, with the wall time of the whole process."""
    start = time.perf_counter()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    start_to_answer = time.perf_counter() - start
    if done.returncode == NOT_INSTALLED:
        raise Missing("not installed")
    if done.returncode != 0:
        raise Missing((done.stderr.strip().splitlines() or ["no message"])[-1])
    return {**json.loads(done.stdout), "start_to_answer_s": start_to_answer}


class Bench:
    """All runs of one session."""

    def __init__(self, options):
        self.options = options
        self.runs = {}
        self.left_out = {}

    def keep(self, key, figures):
        self.runs.setdefault(key, []).append(figures)
        return figures

    def heng(self, *arguments):
        return run([self.options.program, *arguments])

    def peer(self, name, *arguments):
        """None for a peer that is left out; it is not asked again."""
        if name in self.left_out:
            return None
        try:
            return run([sys.executable, HERE / "peer.py", name, *arguments])
        except Missing as reason:
            self.left_out[name] = str(reason)
            return None

    def pair(self, key, name, peer_arguments, heng_arguments):
        """A peer and then the engine, so that both see the same load of the machine."""
        found = self.peer(name, *peer_arguments)
        if found:
            self.keep(key, (found, self.heng(*heng_arguments)))

    def round(self):
        for trials in self.options.trials:
            for model in self.options.models:
                for name, most in MONTE_CARLO.items():
                    if trials <= most:
                        key = ("trials", model, trials, name)
                        self.pair(key, name, (model, trials), (model, trials, 1))
                one, two = (self.heng(model, trials, threads) for threads in (1, 2))
                self.keep(("cores", model, trials), (one, two))
        for name in BUDGETS:
            self.pair(("budgets", name), name, ("h1", 1), ("h1", 0.5))
        if self.options.heng:
            self.keep(("start",), self.start_of_heng())

    def start_of_heng(self):
        trials = str(START[1])
        command = [self.options.heng, "budget", GAUGE_FILE, "--trials", trials, "--coverage", "0.95"]
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        return time.perf_counter() - start


def seconds(value):
    return f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def times(ratios):
    """Median, and least to most over the rounds."""
    return f"{median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"


def ratios_of(pairs, figure="cpu_s"):
    return [peer[figure] / heng[figure] for peer, heng in pairs]


def table(head, lines):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join(["---"] * len(head)) + "|"
    for line in lines:
        yield "| " + " | ".join(line) + " |"
    yield ""


def power(trials):
    return f"10^{len(str(trials)) - 1}" if str(trials).strip("0") == "1" else str(trials)


def trials_table(runs):
    def line(key, pairs):
        _, model, trials, name = key
        peer, heng = zip(*pairs)
        middle = lambda side, figure: median(run[figure] for run in side)  # noqa: E731
        return [
            model, power(trials), SPELLING[name], seconds(middle(peer, "cpu_s")), seconds(middle(heng, "cpu_s")),
            times(ratios_of(pairs)), f"{middle(peer, 'peak_mib'):.0f}", f"{middle(heng, 'peak_mib'):.0f}",
        ]  # fmt: skip

    yield "### Monte Carlo, one core: moments and both 95 % intervals\n"
    head = ["model", "trials", "peer", "peer, s", "heng, s", "heng faster by", "peer, MiB", "heng, MiB"]
    lines = [line(key, pairs) for key, pairs in sorted(runs.items(), key=by_model) if key[0] == "trials"]
    yield from table(head, lines)


def by_model(item):
    """In the order in which they were run first, with the models together."""
    key = item[0]
    models = ["gauge", "mass", "bath"]
    return (models.index(key[1]), key[2]) if key[0] in ("trials", "cores") else (len(models), 0)


def cores_table(runs):
    def line(key, pairs):
        one, two = zip(*pairs)
        walls = [median(run["wall_s"] for run in side) for side in (one, two)]
        processor = median(b["cpu_s"] / a["cpu_s"] for a, b in pairs)
        return [key[1], power(key[2]), *map(seconds, walls), times(ratios_of(pairs, "wall_s")), f"{processor:.2f}"]

    yield "### heng on two cores: wall seconds\n"
    head = ["model", "trials", "one thread", "two threads", "faster by", "processor time, times"]
    lines = [line(key, pairs) for key, pairs in sorted(runs.items(), key=by_model) if key[0] == "cores"]
    yield from table(head, lines)


def start_table(runs):
    yield f"### From start to answer: the whole process, {START[0]}, {power(START[1])} trials, wall seconds\n"
    lines = []
    for name in MONTE_CARLO:
        pairs = runs.get(("trials", *START, name), [])
        if pairs:
            lines.append([SPELLING[name], seconds(median(peer["start_to_answer_s"] for peer, _ in pairs))])
    alone = [one["start_to_answer_s"] for one, _ in runs.get(("cores", *START), [])]
    if alone:
        lines.append(["heng, a program with the engine alone, one thread", seconds(median(alone))])
    if ("start",) in runs:
        lines.append(["`heng budget` (also checks, sensitivities, tables)", seconds(median(runs["start",]))])
    yield from table(["program", "s"], lines)


def budgets_table(runs):
    yield "### First-order budgets, JCGM 100 H.1: budgets a second of processor time\n"
    lines = []
    mine = {"per_cpu_s": [], "per_cpu_s_table": []}
    for name in BUDGETS:
        pairs = runs.get(("budgets", name), [])
        if pairs:
            rates = [peer["per_cpu_s"] for peer, _ in pairs]
            factors = [heng["per_cpu_s"] / peer["per_cpu_s"] for peer, heng in pairs]
            spread = f"{median(factors):,.0f} ({min(factors):,.0f} to {max(factors):,.0f})"
            lines.append([SPELLING[name], f"{median(rates):,.0f}", spread])
            for kind, found in mine.items():
                found += [heng[kind] for _, heng in pairs]
    if lines:
        lines.append(["heng, all stated anew, whole table", f"{median(mine['per_cpu_s_table']):,.0f}", ""])
        lines.append(["heng, `Propagator`", f"{median(mine['per_cpu_s']):,.0f}", ""])
    yield from table(["program", "budgets/s", "heng's `Propagator` faster by"], lines)


def disagreements(runs):
    """A fast wrong answer is no figure: every standard deviation beside the median of all."""
    groups = {}
    for key, pairs in runs.items():
        if key[0] == "trials":
            groups.setdefault(key[1:3], []).extend(run for pair in pairs for run in pair)
    for (model, trials), group in groups.items():
        middle = median(run["sd"] for run in group)
        # Six standard errors of a normal law's standard deviation: five of these laws'.
        allowed = 6 * middle / (2 * trials) ** 0.5
        for found in group:
            if abs(found["sd"] - middle) > allowed:
                yield f"- **{found['program']} disagrees**: {model}, sd {found['sd']:.6g} against {middle:.6g}."
    for key, pairs in runs.items():
        if key[0] == "budgets":
            for found in (run for pair in pairs for run in pair):
                if abs(found["u"] - 31.6638791) > 1e-6 or abs(found["dof"] - 16.7518557) > 1e-6:
                    yield f"- **{found['program']} disagrees**: H.1, u {found['u']}, dof {found['dof']}."


def targets(runs):
    """What the engine wants to reach, and what it did; nothing fails by it."""

    def against(model, trials, names):
        """Median factor to the fastest of those peers."""
        factors = [median(ratios_of(runs[key])) for name in names if (key := ("trials", model, trials, name)) in runs]
        return min(factors, default=None)

    best = ["metrolopy", "suncal", "openturns"]
    for model, trials, names, least in [
        ("gauge", 10**6, ["metrolopy"], 10), ("gauge", 10**6, ["suncal"], 12), ("bath", 10**6, best, 12),
        ("mass", 10**6, ["metrolopy"], 5), ("gauge", 10**7, best, 15), ("bath", 10**7, best, 15),
    ]:  # fmt: skip
        who = SPELLING[names[0]] if len(names) == 1 else "the best of the metrology packages"
        what = f"{model}, {power(trials)} trials: {{}} times as fast as {who}, wanted {least}"
        yield verdict(what, against(model, trials, names), least)
    for model in ["gauge", "bath"]:
        pairs = [pair for key, pairs in runs.items() if key[:3] == ("trials", model, 10**7) for pair in pairs]
        peak = max((heng["peak_mib"] for _, heng in pairs), default=None)
        yield verdict(f"{model}, 10^7 trials: {{}} MiB, at most 100", peak, 100, most=True)
    for key, pairs in runs.items():
        if key[0] == "cores" and key[2] == 10**7:
            yield verdict(f"{key[1]}, two cores: {{}} times as fast, wanted 1.8", median(ratios_of(pairs, "wall_s")), 1.8)
    rates = [heng["per_cpu_s"] for key, pairs in runs.items() if key[0] == "budgets" for _, heng in pairs]
    yield verdict("H.1: {} million budgets a second, wanted 2", median(rates) / 1e6 if rates else None, 2)


def verdict(text, found, limit, most=False):
    if found is None:
        return f"- {text.format('?')}: not measured."
    reached = found <= limit if most else found >= limit
    return f"- {text.format(f'{found:.1f}')}: {'reached' if reached else '**not reached**'}."


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def built_program():
    """The newest program of the bench target `peer`."""
    folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/deps"
    found = [path for path in folder.glob("peer-*") if not path.suffix and os.access(path, os.X_OK)]
    if not found:
        sys.exit(f"no program in {folder}: cargo bench -p heng-uncertainty --bench peer --no-run")
    return max(found, key=lambda path: path.stat().st_mtime)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trials", type=lambda text: int(float(text)), nargs="+", default=[10**6, 10**7])
    parser.add_argument("--models", nargs="+", default=["gauge", "mass", "bath"], choices=["gauge", "mass", "bath"])
    parser.add_argument("--program", type=Path, help="the built bench target; else the newest one")
    parser.add_argument("--heng", type=Path, help="the heng program, to time `heng budget`")
    chosen = parser.parse_args()
    chosen.program = chosen.program or built_program()
    return chosen


def main():
    bench = Bench(options())
    loads = [os.getloadavg()[0]]
    for number in range(bench.options.rounds):
        print(f"round {number + 1} of {bench.options.rounds}", file=sys.stderr)
        bench.round()
        loads.append(os.getloadavg()[0])
    runs = bench.runs
    seen = (run for key, pairs in runs.items() if key[0] in ("trials", "budgets") for pair in pairs for run in pair)
    versions = sorted({f"{found['program']} {found['version']}" for found in seen})
    print(f"{processor()}, {os.cpu_count()} cores; load {min(loads):.1f} to {max(loads):.1f}; {bench.options.rounds} rounds,")
    print("medians, least to most over the rounds. " + ", ".join(versions) + ".\n")
    for part in (trials_table, cores_table, start_table, budgets_table):
        print("\n".join(part(runs)))
    print("### Targets\n")
    print("\n".join([*targets(runs), *disagreements(runs)]))
    for name, reason in bench.left_out.items():
        print(f"- Left out: {SPELLING[name]} ({reason}).")


if __name__ == "__main__":
    main()
