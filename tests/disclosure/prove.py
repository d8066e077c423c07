"""`make prove-disclosure`: 10,000 histories against the integer programs, and every listed universe by enumeration.

    python -m tests.disclosure.prove [--histories N] [--seed N] [--processes N] [--minutes N]

A case is one history or one universe. A disclosure, and a program that the solver does not finish, is a failed case. After
``--minutes`` no more is begun: what was tried by then decides, and the last line says how many that were.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
django.setup()

from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402

from tests.disclosure.attack import Effort, first  # noqa: E402
from tests.disclosure.attacker import Undecided  # noqa: E402
from tests.disclosure.enumeration import UNIVERSES, disclosures  # noqa: E402
from tests.disclosure.histories import histories  # noqa: E402
from tests.disclosure.people import Wave  # noqa: E402

CHUNK = 100


def prove_histories(number: int, count: int) -> tuple[Effort, list[str]]:
    """Attack ``count`` histories made from seed ``number``."""
    effort, failed = Effort(), []

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(histories())
    def one(waves: tuple[Wave, ...]) -> None:
        try:
            found = first(waves, effort)
        except (Undecided, AssertionError) as problem:
            failed.append(f"{type(problem).__name__}: {problem}\n{waves}")
        else:
            if found is not None:
                failed.append(f"{found}\n{waves}")

    one()
    return effort, failed


def prove_universe(number: int) -> tuple[str, int, list[str]]:
    universe = UNIVERSES[number]
    n_worlds = sum(1 for _ in universe.worlds())
    return universe.name, n_worlds, [f"{universe.name}: {found}" for found in disclosures(universe)][:3]


def results(n_histories: int, start: int, processes: int, seconds: float) -> Iterator[tuple[str, int, list[str]]]:
    """(progress, cases done, failed) of each piece of work as it comes in; after ``seconds`` nothing new is begun."""
    begun = time.monotonic()
    with ProcessPoolExecutor(processes) as pool:
        universes = [pool.submit(prove_universe, number) for number in range(len(UNIVERSES))]
        sizes = [min(CHUNK, n_histories - done) for done in range(0, n_histories, CHUNK)]
        chunks = [pool.submit(prove_histories, start + number, size) for number, size in enumerate(sizes)]
        total = Effort()
        for future in as_completed([*universes, *chunks]):
            if time.monotonic() - begun > seconds:
                for waiting in chunks:
                    waiting.cancel()
            if future.cancelled():
                continue
            if future in universes:
                name, n_worlds, failed = future.result()
                yield f"universe: {name}, {n_worlds} worlds", 1, failed[:1]
                continue
            effort, failed = future.result()
            for field in vars(effort):
                setattr(total, field, getattr(total, field) + getattr(effort, field))
            yield (
                f"histories: {total.n_histories} of {n_histories}; versions published {total.n_versions}, refused "
                f"{total.n_refused}; targets {total.n_targets}, of which by integer program {total.n_programs}",
                effort.n_histories,
                failed,
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=math.inf)
    options = parser.parse_args()
    started, n_done, n_failed = time.monotonic(), 0, 0
    for progress, done, failed in results(options.histories, options.seed, options.processes, 60 * options.minutes):
        n_done += done
        n_failed += len(failed)
        print(f"[{time.monotonic() - started:6.0f} s] {progress}; {n_failed} failed", flush=True)
        for problem in failed:
            print(problem, flush=True)
    print(f"{n_done - n_failed} passed, {n_failed} failed")
    return 1 if n_failed or not n_done else 0


if __name__ == "__main__":
    sys.exit(main())
