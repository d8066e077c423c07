"""The commands ``describe``, ``reliability`` and ``agreement`` of ``python -m analysis.psychometrics``.

Scales are given by ``--scale NAME=item,item,…`` (repeatable), by the factors of a model (``--model``), or by ``--items``
as one scale. ``--json`` prints one object under the key names of the oracle files; without it come tables to read.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..entry.reliability_models import omega_with_missing_answers, ordinal_reliability
from ..errors import DataError
from ..ml.result import LabelledMatrix, plain
from ..problems import Problem
from ..scales.correlations import Missing, correlation_matrix, factorability, mardia
from ..scales.descriptives import describe, description_problems, description_to_dict
from ..scales.reliability import omega_to_dict, omega_total, reliability
from ..scales.scoring import reverse_key
from ..syntax.parsing import parse_model
from ..teams.agreement import agreement
from ..teams.icc import Teams, level_correlations, nesting, teams_of
from ..teams.nulls import default_nulls
from ..teams.team_means import mean_over_respondents, mean_over_teams, shrunken_team_means, team_statistics

Scales = dict[str, list[str]]

_SCORE_STATISTICS = (
    "mean",
    "sd",
    "skew_type1",
    "skew_type2",
    "skew_type3",
    "kurtosis_type1",
    "kurtosis_type2",
    "kurtosis_type3",
)
#: Items with more different answers than this are not treated as ordinal.
_MOST_CATEGORIES = 10
_ITEM_NESTING = ("n", "icc1", "icc2", "icc1_n0", "icc1_reml", "design_effect")


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the three commands; each sets ``run``, a function from the arguments to the exit code."""
    for name, run, summary in (
        ("describe", run_describe, "item and scale statistics, distributions, correlations"),
        ("reliability", run_reliability, "alpha with intervals, omega total, item-rest correlations"),
        ("agreement", run_agreement, "ICC, rwg(j), AD_M and design effects of answers nested in teams"),
    ):
        parser = subparsers.add_parser(name, help=summary, description=summary)
        parser.add_argument("data", metavar="DATA.csv", help="one row per respondent, column names in the first row")
        parser.add_argument("--items", metavar="A,B,C", help="items (one scale, where a scale is needed)")
        parser.add_argument("--scale", action="append", default=[], metavar="NAME=A,B,C", help="a scale; repeatable")
        parser.add_argument("--model", metavar="FILE_OR_TEXT", help="a model whose factors are the scales")
        parser.add_argument("--reverse", metavar="A,B", help="reverse-keyed items: lowest + highest - answer")
        parser.add_argument("--lowest", type=float, default=1.0, help="lowest answer (default 1)")
        parser.add_argument("--highest", type=float, default=4.0, help="highest answer (default 4)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.set_defaults(run=run)
        if name == "reliability":
            parser.add_argument("--missing", choices=("listwise", "pairwise", "both"), default="both")
            parser.add_argument("--level", type=float, default=0.95, help="level of the intervals (default 0.95)")
        if name == "agreement":
            parser.add_argument(
                "--cluster", "--group", dest="cluster", required=True, metavar="COL", help="team column"
            )
            parser.add_argument(
                "--categories", type=int, help="number of answer categories (default: highest - lowest + 1)"
            )
            parser.add_argument(
                "--null",
                action="append",
                default=[],
                metavar="NAME=VARIANCE",
                help="a further null variance; repeatable",
            )


def run_describe(arguments: argparse.Namespace) -> int:
    """Describe items and scales. Raises ``DataError`` on bad input; returns exit code 0."""
    data = read_data(arguments.data)
    scales = _scales(arguments)
    names = _unique(name for items in scales.values() for name in items) or _numeric_columns(data)
    items = _items(data, names, arguments)
    result: dict[str, Any] = {"items": description_to_dict(items)}
    problems = list(description_problems(items))
    if scales:
        result["scales"] = {scale: describe_scale(items[members]) for scale, members in scales.items()}
        scores = complete_scores(items, scales)
        result["scale_correlations_pairwise_complete_scores"] = LabelledMatrix(
            tuple(scales), tuple(scales), correlation_matrix(scores, missing="pairwise")
        ).to_dict()
    if items.shape[1] > 1:
        result["factorability_listwise"] = factorability(items).to_dict()
        result["mardia_listwise"] = mardia(items).to_dict()
    result["problems"] = problems
    if arguments.json:
        return _print_json(result)
    _print_table("Items", describe(items))
    if scales:
        _print_table("Scales, complete answers", describe(complete_scores(items, scales)))
        _print_table("Correlations of scales", _square(correlation_matrix(scores, missing="pairwise"), list(scales)))
    _print_problems(problems)
    return 0


def run_reliability(arguments: argparse.Namespace) -> int:
    """Alpha, omega and item statistics per scale. Raises ``DataError`` on bad input; returns exit code 0."""
    if not 0 < arguments.level < 1:
        raise DataError(f"The level of an interval lies between 0 and 1, not at {arguments.level:g}.")
    data = read_data(arguments.data)
    scales = _needed_scales(arguments)
    wanted: tuple[Missing, ...] = ("listwise", "pairwise") if arguments.missing == "both" else (arguments.missing,)
    result: dict[str, Any] = {}
    for scale, names in scales.items():
        items = _items(data, names, arguments)
        entry = describe_scale(items)
        for missing in wanted:
            entry[missing] = reliability(items, missing=missing, level=arguments.level).to_dict()
        entry["item_rest_r_listwise_plain"] = reliability(items).item_rest_r
        omega, n = omega_total(items)
        entry["omega_ml_listwise"] = omega_to_dict(omega, names, n)
        entry |= _model_reliability(items)
        result[scale] = entry
    if arguments.json:
        return _print_json({"scales": result})
    for scale, entry in result.items():
        for missing in wanted:
            _print_reliability(scale, missing, entry)
    return 0


def run_agreement(arguments: argparse.Namespace) -> int:
    """Agreement and nesting per scale. Raises ``DataError`` on bad input; returns exit code 0."""
    data = read_data(arguments.data)
    if arguments.cluster not in data.columns:
        raise DataError(f"There is no column {arguments.cluster!r} for the teams.")
    scales = _needed_scales(arguments)
    teams = teams_of(data[arguments.cluster])
    nulls = _nulls(arguments)
    grouping: dict[str, Any] = {}
    scores = {}
    for scale, names in scales.items():
        items = _items(data, names, arguments)
        scores[scale] = items.mean(axis=1, skipna=False)
        grouping[scale] = describe_grouping(items, scores[scale], teams, nulls, (arguments.lowest, arguments.highest))
    result = {
        "grouping": grouping,
        "statsBy_scale_scores": level_correlations(pd.DataFrame(scores), teams).to_dict(),
    }
    if arguments.json:
        return _print_json(result)
    rows = {scale: entry["scale_score"] for scale, entry in grouping.items()}
    table = pd.DataFrame(rows).T.drop(columns="problems")
    _print_table("Teachers in teams", table.astype(float))
    for scale, entry in grouping.items():
        summary = {name: {k: v for k, v in null.items() if k != "groups"} for name, null in entry["rwg_j"].items()}
        _print_table(f"Agreement on {scale}", pd.DataFrame(summary).T)
        _print_problems(entry["scale_score"]["problems"])
    return 0


def describe_scale(items: pd.DataFrame) -> dict[str, Any]:
    """Return the score statistics of one scale: means of complete rows, and of the items answered."""
    values = items.to_numpy(dtype=np.float64)
    answered = ~np.isnan(values)
    available = np.full(len(values), np.nan)
    np.divide(
        np.where(answered, values, 0.0).sum(axis=1), answered.sum(axis=1), out=available, where=answered.any(axis=1)
    )
    scores = pd.DataFrame({"complete": items.mean(axis=1, skipna=False).to_numpy(), "available": available})
    complete, some = describe(scores).to_dict(orient="records")
    return {
        "items": [str(name) for name in items.columns],
        "n_complete": int(answered.all(axis=1).sum()),
        "score_complete": {name: complete[name] for name in _SCORE_STATISTICS},
        "score_available_items": {name: some[name] for name in ("n", "mean", "sd")},
    }


def _model_reliability(items: pd.DataFrame) -> dict[str, Any]:
    """Omega of all respondents where there are gaps, and ordinal coefficients where the answers are categories."""
    entry: dict[str, Any] = {}
    if items.shape[1] < 3:
        return entry
    if bool(items.isna().any(axis=None)):
        fiml = omega_with_missing_answers(items)
        entry["omega_fiml"] = {
            "omega_model": fiml.omega, "loadings_stdlv": fiml.loadings, "n": fiml.n, "problems": list(fiml.problems),
        }  # fmt: skip
    if int(items.nunique().max()) <= _MOST_CATEGORIES:
        ordinal = ordinal_reliability(items)
        entry["ordinal_listwise"] = {
            "alpha_ordinal": ordinal.alpha, "omega_ordinal_latent_response": ordinal.omega,
            "loadings_std": ordinal.loadings, "polychoric": ordinal.polychoric, "problems": list(ordinal.problems),
        }  # fmt: skip
    return entry


def describe_grouping(
    items: pd.DataFrame, score: pd.Series, teams: Teams, nulls: Mapping[str, float], ends: tuple[float, float]
) -> dict[str, Any]:
    """Return nesting, agreement and team statistics of one scale under the key names of the oracle files."""
    agreed = agreement(items, teams, nulls=nulls).to_dict()
    table = team_statistics(score, teams, scale_ends=ends)
    shrunken = shrunken_team_means(score, teams)
    per_item = {}
    for name in items.columns:
        numbers = nesting(items[name], teams).to_dict()
        per_item[str(name)] = {key: numbers[key] for key in _ITEM_NESTING}
    present = table[table["n"] > 0]
    return {
        "scale_score": nesting(score, teams).to_dict(),
        "items": per_item,
        "rwg_j": agreed["rwg_j"],
        "ad_m": agreed["ad_m"],
        "group_stats": [{"group": name, **row} for name, row in zip(present.index, _records(present), strict=True)],
        "mean_over_respondents": mean_over_respondents(score, teams).to_dict(),
        "mean_over_teams": mean_over_teams(score, teams).to_dict(),
        "empirical_bayes": [
            {"group": name, **row} for name, row in zip(shrunken.table.index, _records(shrunken.table), strict=True)
        ],
    }


def complete_scores(items: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return the means of complete rows per scale (respondents × scales), NaN where an item is missing."""
    return pd.DataFrame({scale: items[list(names)].mean(axis=1, skipna=False) for scale, names in scales.items()})


def read_data(path: str) -> pd.DataFrame:
    """Read a CSV file. Raises ``DataError`` with one sentence where there is none, or none that can be read."""
    try:
        data = pd.read_csv(path)
        if len(data.columns) == 1 and ";" in data.columns[0]:  # as spreadsheets in Dutch write it
            data = pd.read_csv(path, sep=";", decimal=",")
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}.") from error
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path} cannot be read as CSV: {error}") from error
    if data.empty:
        raise DataError(f"{path} has no rows.")
    return data


def _items(data: pd.DataFrame, names: Sequence[str], arguments: argparse.Namespace) -> pd.DataFrame:
    """The named columns as numbers, reverse-keyed ones recoded."""
    unknown = [name for name in names if name not in data.columns]
    if unknown:
        raise DataError(f"There is no column {unknown[0]!r} in the data.")
    for name in names:
        if not pd.api.types.is_numeric_dtype(data[name]):
            raise DataError(f"Column {name!r} holds text, not answers.")
    items = data[list(names)].astype(float)
    if infinite := [name for name in names if np.isinf(items[name]).any()]:
        raise DataError(f"Column {infinite[0]!r} holds an infinite number.")
    reverse = [name for name in _split(arguments.reverse) if name in names]
    missing = [name for name in _split(arguments.reverse) if name not in data.columns]
    if missing:
        raise DataError(f"There is no column {missing[0]!r} to reverse.")
    try:
        return reverse_key(items, reverse, lowest=arguments.lowest, highest=arguments.highest)
    except ValueError as error:
        raise DataError(f"{error} Set --lowest and --highest.") from error


def _scales(arguments: argparse.Namespace) -> Scales:
    """The scales asked for: --scale, then the factors of --model, then --items as one scale."""
    scales: Scales = {}
    for text in arguments.scale:
        name, equals, members = text.partition("=")
        if not equals or not name.strip() or not _split(members):
            raise DataError(f"A scale is written NAME=item,item,…, not {text!r}.")
        scales[name.strip()] = _split(members)
    if arguments.model:
        scales |= _factors(arguments.model)
    if arguments.items:
        if not _split(arguments.items):
            raise DataError("--items names no item.")
        if not scales:
            scales["scale"] = _split(arguments.items)
    twice = [name for items in scales.values() for name in items if items.count(name) > 1]
    if twice:
        raise DataError(f"Item {twice[0]!r} is named twice in one scale.")
    return scales


def _needed_scales(arguments: argparse.Namespace) -> Scales:
    scales = _scales(arguments)
    if not scales:
        raise DataError("Say which items form a scale: --scale NAME=item,item,… or --model or --items.")
    return scales


def _factors(text_or_file: str) -> Scales:
    """The factors of a model and their items."""
    path = Path(text_or_file)
    is_file = "=~" not in text_or_file and path.is_file()
    if "=~" not in text_or_file and not is_file:
        raise DataError(f"{text_or_file!r} is neither a file nor a model.")
    syntax = parse_model(path.read_text(encoding="utf-8") if is_file else text_or_file)
    factors: Scales = {}
    for statement in syntax.statements:
        if statement.op == "=~":
            members = factors.setdefault(statement.lhs, [])
            if statement.rhs not in members:
                members.append(statement.rhs)
    return factors


def _nulls(arguments: argparse.Namespace) -> dict[str, float]:
    categories = arguments.categories or round(arguments.highest - arguments.lowest) + 1
    try:
        nulls = default_nulls(categories)
    except ValueError as error:
        raise DataError(str(error)) from error
    for text in arguments.null:
        name, _, number = text.partition("=")
        try:
            nulls[name] = float(number)
        except ValueError as error:
            raise DataError(f"A null is written NAME=VARIANCE, not {text!r}.") from error
        if not nulls[name] > 0:
            raise DataError(f"The null variance of {name!r} must be over 0.")
    return nulls


def _split(names: str | None) -> list[str]:
    return [name.strip() for name in (names or "").split(",") if name.strip()]


def _unique(names: Any) -> list[str]:
    return list(dict.fromkeys(names))


def _numeric_columns(data: pd.DataFrame) -> list[str]:
    names = [str(name) for name in data.columns if pd.api.types.is_numeric_dtype(data[name])]
    if not names:
        raise DataError("The data have no column of numbers.")
    return names


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]


def _square(matrix: Any, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(matrix, index=names, columns=names)


def _print_json(result: Mapping[str, Any]) -> int:
    print(json.dumps(plain(_serialisable(result)), ensure_ascii=False, allow_nan=False))
    return 0


def _serialisable(value: Any) -> Any:
    """Problems as dictionaries, at any depth; the rest is left to ``plain``."""
    if isinstance(value, Problem):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: _serialisable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_serialisable(item) for item in value]
    return value


def _print_reliability(scale: str, missing: str, entry: dict[str, Any]) -> None:
    numbers = entry[missing]
    omega = entry["omega_ml_listwise"]["omega_model"]
    low, high = (value for key, value in numbers.items() if "feldt" in key)
    print(f"{scale} ({missing}, n = {numbers['n']})")
    print(f"  alpha {numbers['alpha_raw']:.3f}  [{low:.3f}, {high:.3f}]  omega total {omega:.3f}")
    columns = {"item-rest r": numbers["item_rest_r"], "alpha if deleted": numbers["alpha_if_deleted"]}
    print(pd.DataFrame(columns).to_string(float_format=lambda number: f"{number:.3f}"))
    _print_problems(numbers["problems"])
    print()


def _print_table(title: str, table: pd.DataFrame) -> None:
    print(title)
    print(table.to_string(float_format=lambda number: f"{number:.3f}"))
    print()


def _print_problems(problems: Sequence[Problem | dict[str, str]]) -> None:
    for problem in problems:
        print(f"Note: {problem.sentence if isinstance(problem, Problem) else problem['sentence']}")
