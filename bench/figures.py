"""What every benchmark ends with: a table, ``var/bench/NAME.json``, and 1 when a target does not hold."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("TEAMSPIEGEL_VAR") or Path(__file__).resolve().parent.parent / "var") / "bench"


@dataclass(frozen=True)
class Figure:
    figure: str
    value: float
    unit: str
    target: str
    holds: bool


def compiled(folder: str) -> dict[str, str]:
    """The environment in which the modules of Python are compiled once, as where the program is installed; some machines
    forbid it, and then each process of a benchmark spends seconds on it."""
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{folder}/compiled"}


def at_most(figure: str, value: float, limit: float, unit: str) -> Figure:
    return Figure(figure, round(value, 4), unit, f"≤ {limit:g}", value <= limit)


def at_least(figure: str, value: float, limit: float, unit: str) -> Figure:
    return Figure(figure, round(value, 4), unit, f"≥ {limit:g}", value >= limit)


def measured(figure: str, value: float, unit: str) -> Figure:
    """A figure without a target, for comparison."""
    return Figure(figure, round(value, 4), unit, "", True)


class Counting:
    """Counts queries while it is entered: ``with Counting() as queries: …; queries.n``, of any number."""

    def __init__(self) -> None:
        from django.db import connection  # once the settings are there

        self.n, self._wrapped = 0, connection.execute_wrapper(self._one)

    def _one(self, execute: Callable[..., Any], *call: Any) -> Any:
        self.n += 1
        return execute(*call)

    def __enter__(self) -> "Counting":
        self._wrapped.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._wrapped.__exit__(*error)


def report(name: str, figures: list[Figure]) -> int:
    """Print the table, write the file, and return the exit code."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
    width = max(len(figure.figure) for figure in figures)
    for figure in figures:
        verdict = "" if not figure.target else "ok" if figure.holds else "NOT MET"
        line = f"{figure.figure:{width}}  {figure.value:>12,.4g} {figure.unit:<14} {figure.target:>10}  {verdict}"
        print(line.rstrip())
    return 0 if all(figure.holds for figure in figures) else 1
