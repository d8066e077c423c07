"""Input for Mplus: one .inp per factor model of the run, and the data it reads.

Mplus cannot be had here, so nothing of it was run: the syntax follows its User's Guide (Muthén and Muthén, 2017).
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from analysis.exporting.archives import zipped
from analysis.exporting.models_of_run import fitted_models
from analysis.exporting.rows import SET_ASIDE, TEAM, ReleasedRows
from analysis.models import AnalysisRun
from analysis.plan import rules

MISSING = -99
BLOCK = 10_000  # rows made into text at a time: as numbers of Python they take ten times the room
#: What Mplus reads: names of 8 characters, lines of 90.
LONGEST_NAME, LONGEST_LINE = 8, 80


def mplus_zip(rows: ReleasedRows, run: AnalysisRun) -> bytes:
    """responses.dat (analysed responses only) and an input file per model."""
    names = short_names(rows.items)
    files = {"responses.dat": data_file(rows)}
    done: set[str] = set()
    for model in fitted_models(run):
        if model.syntax not in done:
            done.add(model.syntax)
            text = input_file(run, model.name, model.syntax, rows, names)
            files[f"{model.name}.inp"] = text.encode()
    return zipped(files)


def short_names(items: Sequence[str]) -> dict[str, str]:
    """A name of at most 8 characters per item: its own, or v1, v2, … for all where one is too long or not unique."""
    if len({item.upper() for item in items}) == len(items) and all(len(item) <= LONGEST_NAME for item in items):
        return {item: item for item in items}
    return {item: f"v{number}" for number, item in enumerate(items, start=1)}


def data_file(rows: ReleasedRows) -> bytes:
    """Numbers with blanks between them: the team's number (if released), then the items as answered."""
    kept = rows.frame[rows.frame[SET_ASIDE] == ""]
    table = np.nan_to_num(kept[list(rows.items)].to_numpy(dtype=float), nan=MISSING).astype(int)
    if TEAM in kept:
        numbers = kept[TEAM].astype("category").cat.codes.to_numpy() + 1
        table = np.column_stack([numbers, table])
    blocks = (table[start : start + BLOCK].tolist() for start in range(0, len(table), BLOCK))
    return b"".join("".join(" ".join(map(str, row)) + "\n" for row in block).encode() for block in blocks)


def input_file(run: AnalysisRun, name: str, syntax: str, rows: ReleasedRows, names: dict[str, str]) -> str:
    """The input for one model: maximum likelihood with errors robust to teams, respondents with all answers."""
    plan = rules(run.plan.content)
    factors = _factors(syntax)
    used = [item for items in factors.values() for item in items]
    clustered = TEAM in rows.frame
    reverse = [item for item in used if item in plan.reverse_keyed]
    columns = [*(["team"] if clustered else []), *(names[item] for item in rows.items)]
    parts = [
        f"TITLE: analysis {run.pk}, {name};",
        "DATA: FILE = responses.dat; LISTWISE = ON;",
        "VARIABLE:",
        _statement(f"NAMES = {' '.join(columns)}"),
        _statement(f"USEVARIABLES = {' '.join(names[item] for item in used)}"),
        f"  MISSING = ALL ({MISSING});",
    ]
    if clustered:
        parts.append("  CLUSTER = team;")
    if reverse:
        parts.append("DEFINE:")
        parts += [f"  {names[item]} = {plan.n_points + 1} - {names[item]};" for item in reverse]
    parts.append(f"ANALYSIS: {'TYPE = COMPLEX; ' if clustered else ''}ESTIMATOR = MLR;")
    parts.append("MODEL:")
    codes = {item.upper() for item in names.values()}
    for number, (factor, items) in enumerate(factors.items(), start=1):
        free = factor.upper() not in codes and len(factor) <= LONGEST_NAME
        label = factor if free else f"f{number}"
        parts.append(_statement(f"{label} BY {' '.join(names[item] for item in items)}"))
    parts.append("OUTPUT: STDYX MODINDICES(10);")
    return "\n".join(parts) + "\n"


def _factors(syntax: str) -> dict[str, list[str]]:
    """Factor → items, of a model with one line per factor (analysis.plan.model_syntax)."""
    found = {}
    for line in syntax.splitlines():
        factor, _operator, items = line.partition("=~")
        found[factor.strip()] = [item.strip() for item in items.split("+")]
    return found


def _statement(text: str) -> str:
    return textwrap.fill(f"{text};", LONGEST_LINE, initial_indent="  ", subsequent_indent="    ")
