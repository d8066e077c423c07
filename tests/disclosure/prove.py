"""`make prove-disclosure`: histories against the integer programs by ranges of seeds, and every listed universe by enumeration.

    python -m tests.disclosure.prove [--histories N] [--processes N] [--minutes N] [--afresh]

A range is 100 histories made from one seed. What came of each range and universe is kept in docs/proofs/disclosure.csv as it
ends, with the commit and a hash of the code that decides (the rules, the publishing code and the attackers): the next run leaves
out what was tried with the same code, so that 100,000 histories can be reached over several runs. ``--afresh`` looks at
nothing kept and keeps nothing. A disclosure, and a program that the solver does not finish, is a failed case. After
``--minutes`` no more is begun: what was tried by then decides, and the last line says how much that was.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
django.setup()

from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402

from tests.disclosure.attack import Effort, first  # noqa: E402
from tests.disclosure.attacker import Undecided  # noqa: E402
from tests.disclosure.enumeration import UNIVERSES, disclosures  # noqa: E402
from tests.disclosure.histories import histories  # noqa: E402
from tests.disclosure.people import Wave  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "docs" / "proofs" / "disclosure.csv"
#: The rules, what publishes by them, and who attacks: a result holds for these files as they are.
DECIDING = (
    "analysis/disclosure/*.py",
    *(f"analysis/mirror/{name}.py" for name in ("making", "seen")),
    "analysis/runs/pictures.py",
    *(f"analysis/publication/{name}.py" for name in ("objects", "served")),
    "analysis/publication/versions.py",
    *(f"analysis/reports/{name}.py" for name in ("groups", "material", "shown", "team", "wide")),
    *(f"tests/disclosure/{name}.py" for name in ("attack", "attacker", "enumeration", "facts", "histories")),
    *(f"tests/disclosure/{name}.py" for name in ("known_worlds", "people", "prove", "published", "study", "worlds")),
)
CHUNK = 100
SEED = 20261122


@dataclass(frozen=True)
class Outcome:
    """What came of one range of histories or one universe; ``first`` and ``last`` number the histories of a range."""

    what: str  # "histories", or the name of a universe
    first: int
    last: int
    commit: str
    code: str
    published: int = 0
    refused: int = 0
    targets: int = 0  # of a universe: its worlds
    programs: int = 0
    disclosures: int = 0  # and programs not decided
    seconds: int = 0


def prove_histories(number: int) -> tuple[Effort, list[str], float]:
    """Attack the histories of range ``number``."""
    effort, failed, started = Effort(), [], time.monotonic()

    @seed(SEED + number)
    @settings(
        max_examples=CHUNK,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(histories())
    def attacked(waves: tuple[Wave, ...]) -> None:
        try:
            disclosure = first(waves, effort)
        except (Undecided, AssertionError) as problem:
            where = traceback.extract_tb(problem.__traceback__)[-1]
            failed.append(f"{type(problem).__name__}: {problem} ({where.name}, {where.line})\n{waves}")
        else:
            if disclosure is not None:
                failed.append(f"{disclosure}\n{waves}")

    attacked()
    return effort, failed, time.monotonic() - started


def prove_universe(number: int) -> tuple[int, list[str], float]:
    """Enumerate a universe: its number of worlds and the first disclosures."""
    universe, started = UNIVERSES[number], time.monotonic()
    n_worlds = sum(1 for _ in universe.worlds())
    return (
        n_worlds,
        [f"{universe.name}: {disclosure}" for disclosure in disclosures(universe)][:3],
        time.monotonic() - started,
    )


def code_that_decides() -> str:
    """A hash of the files that a result depends on."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in DECIDING for path in ROOT.glob(pattern)):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def commit_now() -> str:
    """The commit in the working tree, "" outside a repository; with a + where files were changed since."""
    try:
        process = subprocess.run(
            ["git", "describe", "--always", "--exclude=*", "--dirty=+"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return process.stdout.strip()


def kept() -> list[Outcome]:
    """What earlier runs kept."""
    if not KEPT.exists():
        return []
    types = {field.name: int if field.type == "int" else str for field in fields(Outcome)}
    with KEPT.open(newline="") as file:
        return [Outcome(**{name: types[name](value) for name, value in row.items()}) for row in csv.DictReader(file)]


def keep(outcome: Outcome) -> None:
    """Add a line to what is kept."""
    is_new = not KEPT.exists()
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    with KEPT.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow([field.name for field in fields(Outcome)])
        writer.writerow(astuple(outcome))


def outcomes(
    ranges: list[int], universes: list[int], processes: int, seconds: float, code: str
) -> Iterator[tuple[Outcome, list[str]]]:
    """What comes of each piece of work as it ends; after ``seconds`` nothing new is begun."""
    begun, commit = time.monotonic(), commit_now()
    with ProcessPoolExecutor(processes) as pool:
        of_universe = {pool.submit(prove_universe, number): UNIVERSES[number].name for number in universes}
        of_range = {pool.submit(prove_histories, number): number for number in ranges}
        for future in as_completed([*of_universe, *of_range]):
            if time.monotonic() - begun > seconds:
                for waiting in of_range:
                    waiting.cancel()
            if future.cancelled():
                continue
            if future in of_universe:
                n_worlds, failed, took = future.result()
                name = of_universe[future]
                yield (
                    Outcome(name, 0, 0, commit, code, targets=n_worlds, disclosures=len(failed), seconds=round(took)),
                    failed,
                )
                continue
            effort, failed, took = future.result()
            number = of_range[future]
            yield (
                Outcome(
                    "histories",
                    CHUNK * number,
                    CHUNK * number + effort.n_histories - 1,
                    commit,
                    code,
                    published=effort.n_versions,
                    refused=effort.n_refused,
                    targets=effort.n_targets,
                    programs=effort.n_programs,
                    disclosures=len(failed),
                    seconds=round(took),
                ),
                failed,
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000, help="try up to this one, in ranges of 100")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--afresh", action="store_true", help="leave nothing out and keep nothing")
    options = parser.parse_args()
    started, code = time.monotonic(), code_that_decides()
    done = [] if options.afresh else [outcome for outcome in kept() if outcome.code == code]
    clean = {(outcome.what, outcome.first) for outcome in done if not outcome.disclosures}
    ranges = [n for n in range(-(-options.histories // CHUNK)) if ("histories", CHUNK * n) not in clean]
    universes = [n for n, universe in enumerate(UNIVERSES) if (universe.name, 0) not in clean]
    print(f"code {code}: {len(clean)} ranges and universes were clean before; {len(ranges) + len(universes)} to try")
    new: list[Outcome] = []
    for outcome, failed in outcomes(ranges, universes, options.processes, 60 * options.minutes, code):
        new.append(outcome)
        if not options.afresh:
            keep(outcome)
        print(f"[{time.monotonic() - started:6.0f} s] {outcome}", flush=True)
        for problem in failed:
            print(problem, flush=True)
    tried = [*new, *(outcome for outcome in done if (outcome.what, outcome.first) in clean)]
    of_histories = [outcome for outcome in tried if outcome.what == "histories"]
    n_failed = sum(outcome.disclosures for outcome in new)
    print(
        f"{sum(outcome.last - outcome.first + 1 for outcome in of_histories)} histories ({sum(outcome.published for outcome in of_histories)} "
        f"versions published, {sum(outcome.refused for outcome in of_histories)} refused; {sum(outcome.targets for outcome in of_histories)} "
        f"targets, {sum(outcome.programs for outcome in of_histories)} of them by integer program) and "
        f"{len(tried) - len(of_histories)} of {len(UNIVERSES)} universes with this code: {n_failed} failed"
    )
    return 1 if n_failed or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
