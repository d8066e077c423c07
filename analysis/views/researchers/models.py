"""Factor models side by side, one of them in full, and models of one's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analysis import svg
from analysis.choices.decisions import standing
from analysis.choices.own_models import ModelRefused, add_model, remove_model
from analysis.forms.workspace import OwnModelForm
from analysis.models import AnalysisRun, OwnModel
from analysis.models.results import FactorModelResult
from analysis.plan.plans import locked_plan, rules
from analysis.plan.scales import final_scales
from analysis.reports.quality import Caution, Figure, cautions_of, correlation_figure
from analysis.results import workspace_rows
from analysis.results.figures import FORMS, path_diagram
from analysis.results.model_fit import fit_of, fits_of, warnings_in_words
from analysis.results.run_words import model_in_words, verdict_in_words
from analysis.runs.names import OWN
from analysis.views.researchers.workspace import figure_file
from teams import access
from teams.models import Study

#: Standardised residuals shown, the largest first.
RESIDUALS = 10


@require_http_methods(["GET", "HEAD", "POST"])
def models(request: HttpRequest, slug: str) -> HttpResponse:
    """The models of the last run beside one another, with the conventional bounds; a form for one of your own."""
    study = access.study_for_researcher(request.user, slug)
    run = workspace_rows.last_done(study)
    form = _form(request, study)
    if request.method == "POST" and form is not None and form.is_valid():
        cleaned = form.cleaned_data
        try:
            add_model(
                study,
                cleaned["name"],
                cleaned["syntax"],
                cleaned["estimator"],
                cleaned["reason"],
                access.signed_in(request),
            )
        except ModelRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("Added. The analysis is being run again to fit this model; nothing else is recomputed.")
            )
            return redirect("models", slug)
    own = {f"{OWN}{row.pk}": row for row in OwnModel.objects.filter(study=study)}
    fits = [replace(fit, model=own[fit.name].name) if fit.name in own else fit for fit in (fits_of(run) if run else [])]
    names = {fit.name: fit.model for fit in fits}
    tests = workspace_rows.tables(run, "differences").get("", {}).get("tests", []) if run else []
    wrong = {(fit.name, fit.estimator): fit.cautions for fit in fits}
    return render(
        request,
        "analysis/models.html",
        {
            "study": study,
            "run": run,
            "fits": fits,
            "tests": [
                {
                    **_marked_test(test, wrong),
                    "free_name": names.get(test["free"], ""),
                    "strict_name": names.get(test["strict"], ""),
                }
                for test in tests
            ],
            "own": [row for name, row in own.items() if row.removed_at is None],
            "waiting": [row for name, row in own.items() if row.removed_at is None and name not in names],
            "form": form,
            "warned": _not_told_apart(run),
        },
    )


def _marked_test(test: dict[str, Any], wrong: dict[tuple[str, str], tuple[Caution, ...]]) -> dict[str, Any]:
    """A difference test, its figures with the marks of both models."""
    marks = {name: wrong.get((test[name], test["estimator"]), ()) for name in ("free", "strict")}
    both = tuple(dict.fromkeys((*marks["free"], *marks["strict"])))
    figures = {name: Figure(test.get(name), both) for name in ("chisq", "p", "cfi")}
    tested = test.get("chisq") is not None
    return {**test, **figures, "tested": tested, "free_marks": marks["free"], "strict_marks": marks["strict"]}


def _not_told_apart(run: AnalysisRun | None) -> list[dict[str, Any]]:
    """The pairs of scales of the plan's model that cannot be told apart, with the model that says so."""
    if run is None:
        return []
    lines = []
    rows = FactorModelResult.objects.filter(run=run, estimator="MLR").exclude(name__startswith=OWN).order_by("pk")
    columns = ("pk", "name", "content__distinguish__pairs", "content__problems")
    for pk, name, pairs, problems in rows.values_list(*columns):
        cautions = cautions_of(problems or ())
        for pair in pairs or []:
            if pair["verdict"] == "cannot be told apart" or (pair["ci.upper"] or 0) >= 1:
                lines.append({"pk": pk, "model": model_in_words(name), **_pair(pair, cautions)})
    return lines


def _pair(pair: dict[str, Any], cautions: tuple[Caution, ...]) -> dict[str, Any]:
    """Two scales: their correlation with its marks, and its interval."""
    correlation = correlation_figure(pair["correlation"], cautions)
    return {**pair, "correlation": correlation, "low": pair["ci.lower"], "high": pair["ci.upper"]}


def _form(request: HttpRequest, study: Study) -> OwnModelForm | None:
    plan = locked_plan(study)
    if plan is None:
        return None
    scales = final_scales(plan, standing(study))
    return OwnModelForm(request.POST or None, scales=scales, items=rules(plan.content).items)


@require_POST
def model_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take a model of one's own out of later analyses."""
    study = access.study_for_researcher(request.user, slug)
    if remove_model(get_object_or_404(OwnModel, study=study, pk=pk), access.signed_in(request)):
        messages.success(request, _("Removed. Analyses so far still contain it."))
    else:
        messages.info(request, _("This model was removed already."))
    return redirect("models", slug)


def _row(request: HttpRequest, slug: str, pk: int) -> tuple[Study, FactorModelResult, OwnModel | None]:
    study = access.study_for_researcher(request.user, slug)
    rows = FactorModelResult.objects.select_related("run").defer("run__counts")
    row = get_object_or_404(rows, pk=pk, run__survey__study=study)
    own = None
    if row.name.startswith(OWN):
        own = OwnModel.objects.filter(study=study, pk=row.name.removeprefix(OWN)).first()
    return study, row, own


@require_safe
def factor_model(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One model: fit, path diagram, loadings, correlations, which scales can be told apart, residuals, what went wrong."""
    study, row, own = _row(request, slug, pk)
    content = row.content
    parameters = content.get("parameters", [])
    pairs = content.get("distinguish", {}).get("pairs", [])
    fit = fit_of(row)
    analysed = AnalysisRun.objects.filter(pk=row.run_id).values_list("counts__analysed", flat=True).first() or 0
    return render(
        request,
        "analysis/factor_model.html",
        {
            "study": study,
            "row": row,
            "own": own,
            "fit": fit,
            "model": own.name if own else model_in_words(row.name),
            "n_obs": content.get("n_obs"),
            "warnings": warnings_in_words(row, analysed),
            "loadings": [
                {
                    **parameter,
                    "std": correlation_figure(parameter["std.all"], fit.cautions),
                    "std_se": parameter["std.all.se"],
                }
                for parameter in parameters
                if parameter["op"] == "=~"
            ],
            "correlations": [
                {**correlation, "r": correlation_figure(correlation["r"], fit.cautions)}
                for correlation in content.get("correlations", [])
            ],
            "pairs": [
                {
                    **_pair(pair, fit.cautions),
                    "verdict": verdict_in_words(pair["verdict"]),
                    "p_unit": (pair["unit_correlation"] or {}).get("Pr(>Chisq)"),
                    "p_merged": (pair["merged"] or {}).get("Pr(>Chisq)"),
                }
                for pair in pairs
            ],
            "indices": content.get("modification_indices", [])[:10],
            "residuals": _residuals(content),
            "diagram": svg.as_data_uri(_diagram(row)) if row.converged else "",
        },
    )


def _residuals(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The largest differences between observed and implied correlations; of a model of one level and group."""
    matrix = content.get("residual_correlations") or {}
    if "values" not in matrix:
        return []
    residuals = [
        {"first": matrix["rows"][i], "second": matrix["cols"][j], "residual": value}
        for i, values in enumerate(matrix["values"])
        for j, value in enumerate(values[:i])
        if value is not None
    ]
    return sorted(residuals, key=lambda pair: -abs(pair["residual"]))[:RESIDUALS]


def _diagram(row: FactorModelResult) -> str:
    factors: dict[str, list[tuple[str, float | None]]] = {}
    parameters = row.content.get("parameters", [])
    for parameter in parameters:
        if parameter["op"] == "=~":
            factors.setdefault(parameter["lhs"], []).append((parameter["rhs"], parameter["std.all"]))
    arcs = {
        (correlation["first"], correlation["second"]): correlation["r"]
        for correlation in row.content.get("correlations", [])
    }
    return path_diagram(factors, arcs, [f"{caution.word}: {caution.explanation}" for caution in fit_of(row).cautions])


@require_safe
def model_figure(request: HttpRequest, slug: str, pk: int, form: str) -> HttpResponse:
    """The path diagram as a file for an article."""
    _study, row, _own = _row(request, slug, pk)
    if form not in FORMS or not row.converged:
        raise Http404
    return figure_file(_diagram(row), f"{slug}-model-{row.pk}", form)
