"""The commands ``cfa``, ``compare`` and ``invariance`` of ``python -m analysis.psychometrics``."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from ..entry.compare import METHODS, compare
from ..entry.estimate import ESTIMATORS, MISSING, fit
from ..entry.invariance import EQUALITIES, invariance
from ..errors import AnalysisInputError
from ..ml.result import FitResult
from ..syntax.model import EQUAL_OVER_GROUPS
from ..syntax.parsing import parse_model
from .describe import read_data
from .report_text import comparison_text, fit_text, invariance_text

# NAME=…, where the = is not that of =~
_NAMED = re.compile(r"\s*([^\s=~]+)\s*=(?!~)(.*)", re.DOTALL)


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the three commands; each sets ``run``, a function from the arguments to the exit code."""
    parser = _add(subparsers, "cfa", "fit one factor model")
    parser.add_argument("--model", required=True, metavar="FILE_OR_TEXT", help="the model in lavaan's syntax")
    parser.add_argument("--group", metavar="COL", help="column of the groups of a multi-group model")
    parser.add_argument(
        "--group-equal", default="", metavar="WHAT,…", help=f"equal over groups: {', '.join(EQUAL_OVER_GROUPS)}"
    )
    parser.add_argument("--no-modification", action="store_true", help="leave out modification indices")
    parser.set_defaults(run=run_cfa)

    parser = _add(subparsers, "compare", "difference tests of nested models")
    parser.add_argument(
        "--model", "--models", action="extend", nargs="+", required=True, metavar="[NAME=]FILE_OR_TEXT",
        help="two or more models, in any order",
    )  # fmt: skip
    parser.add_argument("--group", metavar="COL", help="column of the groups of a multi-group model")
    parser.add_argument("--method", choices=METHODS, help="the test (default: the one that goes with the estimator)")
    parser.set_defaults(run=run_compare)

    parser = _add(subparsers, "invariance", "measurement invariance over groups")
    parser.add_argument("--model", required=True, metavar="FILE_OR_TEXT", help="the model in lavaan's syntax")
    parser.add_argument("--group", required=True, metavar="COL", help="column of the groups")
    parser.add_argument(
        "--levels", default=",".join(EQUALITIES), metavar="LEVEL,…", help=f"levels (default: {', '.join(EQUALITIES)})"
    )
    parser.set_defaults(run=run_invariance)


def _add(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(name, help=summary, description=summary)
    parser.add_argument("data", metavar="DATA.csv", help="one row per respondent, column names in the first row")
    parser.add_argument(
        "--estimator", type=str.upper, choices=ESTIMATORS, help="default: MLR with --cluster, ML otherwise"
    )
    parser.add_argument("--cluster", metavar="COL", help="column of the teams")
    parser.add_argument("--missing", choices=MISSING, default="listwise", help="missing answers (default: listwise)")
    parser.add_argument("--std-lv", action="store_true", help="fix factor variances at 1, not a first loading")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def run_cfa(arguments: argparse.Namespace) -> int:
    """Fit one model. Raises :class:`AnalysisInputError` on bad input; exit code 2 where there are no estimates."""
    model = read_model(arguments.model)
    result = fit(
        model,
        read_data(arguments.data),
        group=arguments.group,
        group_equal=_split(arguments.group_equal),
        modification=not arguments.no_modification,
        **_options(arguments, model),
    )
    if arguments.json:
        _print_json(_levels_by_column(result.to_dict(), arguments.cluster))
    else:
        print(fit_text(result))
    return _exit_code(result)


def run_compare(arguments: argparse.Namespace) -> int:
    """Fit the models and test their differences. Raises :class:`AnalysisInputError` on bad input."""
    models = _named_models(arguments.model)
    data = read_data(arguments.data)
    fits = {
        name: fit(model, data, group=arguments.group, modification=False, **_options(arguments, model))
        for name, model in models.items()
    }
    result = compare(fits, arguments.method)
    if arguments.json:
        _print_json(result.to_dict() | {"fits": {name: fitted.to_dict() for name, fitted in fits.items()}})
    else:
        print(comparison_text(result))
    return 0


def run_invariance(arguments: argparse.Namespace) -> int:
    """Fit the levels of invariance and test each against the one before. Raises :class:`AnalysisInputError`."""
    model = read_model(arguments.model)
    result = invariance(
        model,
        read_data(arguments.data),
        arguments.group,
        levels=_split(arguments.levels),
        **_options(arguments, model),
    )
    if arguments.json:
        _print_json(result.to_dict())
    else:
        print(invariance_text(result))
    return _exit_code(*result.fits.values())


def read_model(file_or_text: str) -> str:
    """A model text, from a file where the argument is the name of one; ``\\n`` written out is a new line."""
    try:
        path = Path(file_or_text)
        if path.is_file():
            return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        # a text too long for a file name, or one that is not text
        if "~" not in file_or_text:
            raise AnalysisInputError(f"the model file {file_or_text!r} cannot be read as text") from None
    if "~" not in file_or_text:
        raise AnalysisInputError(f"there is no file {file_or_text!r}, and as a model text it has no line like 'f =~ x'")
    return file_or_text.replace("\\n", "\n")


def _named_models(arguments: list[str]) -> dict[str, str]:
    models: dict[str, str] = {}
    for number, argument in enumerate(arguments, start=1):
        match = _NAMED.fullmatch(argument)
        name, text = (match.group(1), match.group(2)) if match else (_file_name(argument, number), argument)
        if name in models:
            raise AnalysisInputError(f"two models are called {name!r}")
        models[name] = read_model(text)
    return models


def _file_name(argument: str, number: int) -> str:
    return f"model{number}" if "~" in argument else Path(argument).stem


def _options(arguments: argparse.Namespace, model: str) -> dict[str, Any]:
    estimator = arguments.estimator
    if estimator is None:
        estimator = "MLR" if arguments.cluster and not parse_model(model).two_level else "ML"
    return {
        "estimator": estimator,
        "cluster": arguments.cluster,
        "missing": arguments.missing,
        "std_lv": arguments.std_lv,
    }


def _levels_by_column(result: dict[str, Any], cluster: str | None) -> dict[str, Any]:
    """The level between clusters under the name of their column, as lavaan prints it."""
    for key in ("factor_correlations", "r_square", "residual_correlations"):
        if isinstance(result.get(key), dict) and "between" in result[key] and cluster:
            result[key][cluster] = result[key].pop("between")
    return result


def _exit_code(*results: FitResult) -> int:
    """0 where any fit has estimates; otherwise the reasons go to standard error, each once."""
    if any(result.has_estimates for result in results):
        return 0
    print(" ".join(dict.fromkeys(sentence for result in results for sentence in result.warnings)), file=sys.stderr)
    return 2


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _print_json(result: dict[str, Any]) -> None:
    print(json.dumps(result, ensure_ascii=False, allow_nan=False))
