"""The psychometrics engine beside R: speed ratios against lavaan and psych, cost at a million respondents.

R runs in the same bench where ``Rscript`` with lavaan and psych is present (bench/psychometrics_peer.R); otherwise the figures
of tests/oracles/README.md stand in, and the table says so. All seconds are CPU seconds of one thread.
"""

import os

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

import json  # noqa: E402
import resource  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import median  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from analysis.psychometrics import fit  # noqa: E402
from analysis.psychometrics.ml.cfa import fit_maximum_likelihood  # noqa: E402
from analysis.psychometrics.ml.sample import draw_sample  # noqa: E402
from analysis.psychometrics.scales.reliability import reliability  # noqa: E402
from analysis.psychometrics.syntax.model import build_table  # noqa: E402
from analysis.psychometrics.teams.icc import nesting  # noqa: E402
from bench.figures import Figure, at_least, at_most, measured, report  # noqa: E402

ORACLES = Path(__file__).resolve().parent.parent / "tests" / "oracles"
SCALES = ("ia", "id", "er", "st", "co", "le")
#: CPU seconds of lavaan 0.7-2 on the machine of the oracles (tests/oracles/README.md).
README_SECONDS = {"core": 3.99, "wlsmv": 2.13, "twolevel": 1.78, "ml_six": 0.15, "fiml": 33.0}
A_MILLION, ITS_TEAMS = 1_000_000, 20_000
TIMES = 7


def items_of(*scales: str) -> list[str]:
    return [f"{scale}{number}" for scale in scales for number in range(1, 7)]


def line(factor: str, *scales: str) -> str:
    return f"{factor} =~ " + " + ".join(items_of(*scales))


SIX = "\n".join(line(scale, scale) for scale in SCALES)
FOUR = "\n".join([line("info", "ia", "id", "er"), *(line(scale, scale) for scale in ("st", "co", "le"))])
TWO_LEVEL = f"level: 1\n{line('stw', 'st')}\nlevel: 2\n{line('stb', 'st')}"


def core(data: pd.DataFrame) -> None:
    """Four and six factors by ML and by MLR with clusters, with all fit measures; alphas and ICCs of six scales."""
    for model in (FOUR, SIX):
        fit(model, data, modification=False)
        fit(model, data, estimator="MLR", cluster="team_id", modification=False)
    for scale in SCALES:
        reliability(data[items_of(scale)])
        nesting(data[items_of(scale)].mean(axis=1), data["team_id"])


def cpu_seconds(
    task: Callable[[], object], times: int = TIMES, summary: Callable[[list[float]], float] = median
) -> float:
    """CPU seconds of a task after one run to warm up: the median of some runs, or another summary of them."""
    task()
    taken = []
    for _ in range(times):
        start = time.process_time()
        task()
        taken.append(time.process_time() - start)
    return summary(taken)


def seconds_of_r() -> tuple[dict[str, float], str]:
    """CPU seconds per task of R on this machine, or the README's, and where they come from."""
    program = shutil.which("Rscript")
    if program:
        peer = Path(__file__).with_name("psychometrics_peer.R")
        data = ORACLES / "simstudy_complete.csv"
        done = subprocess.run([program, str(peer), str(data)], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            rows = dict(row.split(maxsplit=1) for row in done.stdout.splitlines() if row.strip())
            version = rows.pop("lavaan").strip()
            return README_SECONDS | {name: float(value) for name, value in rows.items()}, f"lavaan {version}, here"
    return README_SECONDS, "lavaan 0.7-2, oracle README"


def against_r(data: pd.DataFrame) -> list[Figure]:
    r, source = seconds_of_r()
    print(f"R: {source}.\n")
    missing = pd.read_csv(ORACLES / "simstudy_missing.csv")
    ours = {
        "core": cpu_seconds(lambda: core(data)),
        "wlsmv": cpu_seconds(lambda: fit(SIX, data, estimator="WLSMV", modification=False), 3),
        "twolevel": cpu_seconds(lambda: fit(TWO_LEVEL, data, cluster="team_id", modification=False)),
    }
    titles = {
        "core": ("core job: 4f + 6f, ML + cluster MLR, alphas, ICCs, 476 x 36", 10.0),
        "wlsmv": ("WLSMV, six factors", 5.0),
        "twolevel": ("two-level, one scale", 5.0),
    }
    figures = []
    for task, (title, factor) in titles.items():
        figures.append(measured(f"{title}: ours", ours[task], "CPU s"))
        figures.append(measured(f"{title}: R", r[task], "CPU s"))
        figures.append(at_least(f"{title}: faster by", r[task] / ours[task], factor, "times"))
    fiml = cpu_seconds(lambda: fit(SIX, missing, missing="fiml", modification=False), 3)
    figures.append(measured("FIML, six factors, 104 patterns: ours", fiml, "CPU s"))
    # half a minute of R is not worth repeating in every run
    figures.append(
        measured("FIML, six factors, 104 patterns: R, by the oracle README", README_SECONDS["fiml"], "CPU s")
    )
    return figures


def independence_of_n(data: pd.DataFrame) -> list[Figure]:
    """ML once the covariance matrix is there: 476 respondents against two hundred times as many."""
    table = build_table(SIX)
    taken = {}
    for copies in (1, 200):
        sample = draw_sample(pd.concat([data] * copies, ignore_index=True), table.observed)
        taken[sample.n_obs] = cpu_seconds(
            lambda sample=sample: fit_maximum_likelihood(table, sample, modification=False), 25, min
        )
    few, many = taken
    return [
        measured(f"ML six factors after the covariance, N = {few:,}", taken[few], "CPU s"),
        measured(f"ML six factors after the covariance, N = {many:,}", taken[many], "CPU s"),
        at_most("ML: cost at 200 times as many respondents", taken[many] / taken[few], 1.25, "times"),
    ]


def a_million() -> list[Figure]:
    """In a process of its own, so that the peak of memory is that of this job alone."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.psychometrics", "--million"], capture_output=True, text=True, check=True
    )
    result = json.loads(done.stdout.splitlines()[-1])
    if not result["converged"]:
        raise SystemExit("the model for a million respondents did not converge")
    return [
        # one thread: on a machine with nothing else to do its CPU seconds are the seconds one waits
        at_most("1,000,000 x 36, 20,000 teams, cluster MLR, six factors", result["cpu_seconds"], 10.0, "CPU s"),
        measured("1,000,000 x 36: by the clock, with whatever else is running", result["seconds"], "s"),
        at_most("1,000,000 x 36: peak memory, data frame included", result["gigabytes"], 1.5, "GB"),
    ]


def fit_a_million() -> None:
    """Draw a million respondents of the study, fit six factors, print seconds and the peak of memory as JSON."""
    random = np.random.default_rng(36)
    source = pd.read_csv(ORACLES / "simstudy_complete.csv")[items_of(*SCALES)]
    values = source.to_numpy(dtype=np.float64)[random.integers(0, len(source), A_MILLION)]
    data = pd.DataFrame(values, columns=source.columns)
    data["team_id"] = random.integers(0, ITS_TEAMS, A_MILLION)
    wall, cpu = time.perf_counter(), time.process_time()
    result = fit(SIX, data, estimator="MLR", cluster="team_id", modification=False)
    figures = {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        # kilobytes on Linux
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        "converged": result.converged,
    }
    print(json.dumps(figures))


def main() -> int:
    data = pd.read_csv(ORACLES / "simstudy_complete.csv")
    return report("psychometrics", [*against_r(data), *independence_of_n(data), *a_million()])


if __name__ == "__main__":
    if sys.argv[1:] == ["--million"]:
        fit_a_million()
    else:
        sys.exit(main())
