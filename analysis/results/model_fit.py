"""The fit of a run's factor models, read from their rows with the marks of what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from analysis.models import AnalysisRun
from analysis.models.results import FactorModelResult
from analysis.psychometrics.problems import TOO_FEW_TEAMS
from analysis.reports.quality import Caution, Figure, cautions_of
from analysis.results.engine_words import problem_in_words
from analysis.results.run_words import model_in_words
from analysis.runs.names import OWN, REFUSED

#: No measure of fit of any study comes near: a larger one is what division by a rounded zero gives.
MOST_OF_ANY_MEASURE = 1e12
#: Fit measures as reported: robust where the estimator has a scaled test.
ROBUST = {
    "chisq": "chisq.scaled",
    "df": "df.scaled",
    "pvalue": "pvalue.scaled",
    "cfi": "cfi.robust",
    "tli": "tli.robust",
    "rmsea": "rmsea.robust",
    "rmsea.ci.lower": "rmsea.ci.lower.robust",
    "rmsea.ci.upper": "rmsea.ci.upper.robust",
}


@dataclass(frozen=True, slots=True)
class Fit:
    """One model's fit, scaled and robust values first; every figure has the marks of the model."""

    pk: int
    name: str
    model: str
    estimator: str
    converged: bool
    sound: bool
    exploratory: bool
    cautions: tuple[Caution, ...]
    chisq: Figure
    df: Figure
    pvalue: Figure
    cfi: Figure
    tli: Figure
    rmsea: Figure
    rmsea_ci_lower: Figure
    rmsea_ci_upper: Figure
    srmr: Figure


def fits_of(run: AnalysisRun) -> list[Fit]:
    """The models of a run in the order of the path; one query, without their long contents."""
    rows = FactorModelResult.objects.filter(run=run).defer("content").order_by("pk")
    return [
        _fit(row, row.problems or (), row.clusters)
        for row in rows.annotate(problems=F("content__problems"), clusters=F("content__n_clusters"))
    ]


def fit_of(row: FactorModelResult) -> Fit:
    """The fit of one model that was read whole."""
    return _fit(row, row.content.get("problems") or (), row.content.get("n_clusters"))


def is_sound(row: FactorModelResult) -> bool:
    """Whether a stored fit may be shown. Analyses of before could keep a chi-square scaled by nothing, of one team."""
    return _is_sound(row.fit, row.content.get("n_clusters"))


def _is_sound(fit: Mapping[str, Any], n_clusters: int | None) -> bool:
    known = [value for value in fit.values() if isinstance(value, float | int)]
    return n_clusters != 1 and all(abs(value) < MOST_OF_ANY_MEASURE for value in known)


def _fit(row: FactorModelResult, problems: Sequence[Mapping[str, Any]], n_clusters: int | None) -> Fit:
    sound = _is_sound(row.fit, n_clusters)
    cautions = cautions_of(problems, converged=row.converged)

    def figure(name: str) -> Figure:
        value = row.fit.get(ROBUST.get(name, name), row.fit.get(name)) if sound else None
        return Figure(value, cautions if value is not None else ())

    return Fit(
        pk=row.pk,
        name=row.name,
        model=model_in_words(row.name),
        estimator=row.estimator,
        converged=row.converged,
        sound=sound,
        exploratory=row.name.startswith(OWN),
        cautions=cautions,
        chisq=figure("chisq"),
        df=figure("df"),
        pvalue=figure("pvalue"),
        cfi=figure("cfi"),
        tli=figure("tli"),
        rmsea=figure("rmsea"),
        rmsea_ci_lower=figure("rmsea.ci.lower"),
        rmsea_ci_upper=figure("rmsea.ci.upper"),
        srmr=figure("srmr"),
    )


def warnings_in_words(row: FactorModelResult, n_analysed: int) -> list[str]:
    """What went wrong or should be known of a factor model."""
    problems = row.content.get("problems")
    if problems is None:  # the engine refused it; analyses of before knew its sentence only
        problems = [{"code": REFUSED, "subject": ""}]
    if not is_sound(row) and all(problem["code"] != TOO_FEW_TEAMS for problem in problems):
        problems = [*problems, {"code": TOO_FEW_TEAMS, "subject": ""}]
    n_obs = row.content.get("n_obs", n_analysed)
    figures = {
        "n": n_analysed - n_obs,
        "all": n_analysed,
        "teams": row.content.get("n_clusters"),
        "parameters": row.content.get("n_free_parameters"),
        "estimator": row.estimator,
    }
    factors = {parameter["lhs"] for parameter in row.content.get("parameters", []) if parameter["op"] == "=~"}
    said = [problem_in_words(problem, factors, figures) for problem in problems]
    return list(dict.fromkeys(said))  # several matrices can have one fault
