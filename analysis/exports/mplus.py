"""Input for Mplus: one .inp per factor model of the run, and the data it reads.

Mplus cannot be had here, so nothing of it was run: the syntax follows its User's Guide (Muthén and Muthén, 2017).
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import IO

from analysis.data.given import NO_ANSWER
from analysis.exports.archives import write_zip
from analysis.exports.rows import ReleasedRows
from analysis.models import AnalysisRun
from analysis.plan.plans import rules
from analysis.results.models_of_run import fitted_models

MISSING = -99
#: What Mplus reads: names of 8 characters, lines of 90.
LONGEST_NAME, LONGEST_LINE = 8, 80
#: Words with a meaning in a model or a list of variables.
RESERVED = frozenset({"ALL", "AT", "BY", "IF", "ON", "PON", "PWITH", "TEAM", "THEN", "TO", "WITH", "XWITH"})


def write_mplus(rows: ReleasedRows, run: AnalysisRun, out: IO[bytes]) -> None:
    """Write responses.dat (analysed responses only) and an input file per model as one archive."""
    names = short_names(rows.items)
    inputs: dict[str, str | Callable[[IO[bytes]], None]] = {}
    done: set[str] = set()
    for model in fitted_models(run):
        if model.syntax not in done:
            done.add(model.syntax)
            inputs[f"{model.name}.inp"] = input_file(run, model.name, model.syntax, rows, names)
    write_zip(out, {"responses.dat": lambda file: write_data(rows, file)} | inputs)


def short_names(items: Sequence[str]) -> dict[str, str]:
    """A name of at most 8 characters per item: its own, or v1, v2, … for all where one is too long or not unique.

    Nor may a name be that of the team's column or a word of the program's language.
    """
    if {item.upper() for item in items} & RESERVED:
        return {item: f"v{number}" for number, item in enumerate(items, start=1)}
    if len({item.upper() for item in items}) == len(items) and all(len(item) <= LONGEST_NAME for item in items):
        return {item: item for item in items}
    return {item: f"v{number}" for number, item in enumerate(items, start=1)}


def write_data(rows: ReleasedRows, out: IO[bytes]) -> None:
    """Write numbers with blanks between them: the team's number (if released), then the items as answered."""
    import numpy as np

    numbers = None if rows.team is None else np.unique(rows.team.astype(str), return_inverse=True)[1] + 1
    for block in rows.blocks():
        kept = rows.set_aside[block] == ""
        table = np.where(rows.codes[block] <= NO_ANSWER, MISSING, rows.codes[block])[kept]
        if numbers is not None:
            table = np.column_stack([numbers[block][kept], table])
        out.write("".join(" ".join(map(str, row)) + "\n" for row in table.tolist()).encode())


def input_file(run: AnalysisRun, name: str, syntax: str, rows: ReleasedRows, names: dict[str, str]) -> str:
    """The input for one model: maximum likelihood with errors robust to teams, respondents with all answers."""
    plan = rules(run.plan.content)
    factors = _factors(syntax)
    used = [item for items in factors.values() for item in items]
    clustered = rows.team is not None
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
    """Factor → items, of a model with one line per factor (analysis.plan.plans.model_syntax)."""
    factors = {}
    for line in syntax.splitlines():
        factor, _operator, items = line.partition("=~")
        factors[factor.strip()] = [item.strip() for item in items.split("+")]
    return factors


def _statement(text: str) -> str:
    return textwrap.fill(f"{text};", LONGEST_LINE, initial_indent="  ", subsequent_indent="    ")
