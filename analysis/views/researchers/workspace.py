"""The researcher's workspace: who was set aside, items and scales, teams, groups of teams, waves. Pages read rows only."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analysis import svg
from analysis.history import Happened
from analysis.models import AnalysisRun
from analysis.models.results import ResultTable, ScaleResult, ScaleSet, TeamCount
from analysis.plan.plans import rules
from analysis.results import nonresponse_tables, workspace_rows
from analysis.results.figures import FORMS, Dot, converted, correlation_table, dot_plot, heat_map
from analysis.results.reading import item_lines, scale_lines
from analysis.results.run_words import group_in_words, screening_in_words, sign_in_words
from analysis.runs.names import SCORE
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import definition_of
from teams import access, history
from teams.models import Study
from teams.views.employment import for_no_colleague


def _found(request: HttpRequest, slug: str) -> tuple[Study, AnalysisRun | None, dict[str, Any]]:
    study = access.study_for_researcher(request.user, slug)
    run = workspace_rows.last_done(study)
    return study, run, {"study": study, "run": run}


def _scale_set(request: HttpRequest) -> str:
    return ScaleSet.THEORETICAL if request.GET.get("scales") == ScaleSet.THEORETICAL else ScaleSet.FINAL


@require_safe
@for_no_colleague
def screening(request: HttpRequest, slug: str) -> HttpResponse:
    """Every response set aside, with rule and value; signs of careless answering and gaps, for information."""
    _study, run, context = _found(request, slug)
    if run is not None:
        definition = definition_of(run.survey.version)
        of_teams = request.GET.get("list") == "teams"
        page = workspace_rows.screening_page(run, None if of_teams else request.GET.get("page"))
        team_page, teams = workspace_rows.team_rows(
            run, ScaleSet.FINAL, "", request.GET.get("page") if of_teams else None
        )
        gaps = ResultTable.objects.filter(run=run, kind="gaps").values_list("content", flat=True).first() or {}
        context |= {
            "page": page,
            "rows": [
                (
                    row,
                    screening_in_words(row, definition),
                    [sign_in_words(sign) for sign in workspace_rows.SIGNS if sign in row.flags],
                )
                for row in page
            ],
            "unanswered": workspace_rows.bars(gaps.get("unanswered", [])),
            "signs": [(sign_in_words(sign), n) for sign, n in gaps.get("signs", {}).items()],
            "n_returned": gaps.get("n", 0),
            "items": [(line, in_language(line.text)) for line in item_lines(run, ScaleSet.THEORETICAL)],
            "overall": TeamCount.objects.filter(run=run, participation=None).first(),
            "teams": teams,
            "team_page": team_page,
            "n_items": gaps.get("n_items", 0),
        }
    return render(request, "analysis/screening.html", context)


@require_safe
def items(request: HttpRequest, slug: str) -> HttpResponse:
    """Items and scales: distributions, reliability, correlations, and both by way of asking and beside the previous wave."""
    study, run, context = _found(request, slug)
    if run is not None:
        definition = definition_of(run.survey.version)
        scale_set = _scale_set(request)
        names = workspace_rows.scale_names(definition)
        modes = workspace_rows.mode_tables(run)
        correlations = workspace_rows.tables(run, "correlations")
        before = workspace_rows.last_done(study.previous) if study.previous is not None else None
        lines = item_lines(run, scale_set)
        earlier = {line.code: line for line in item_lines(before, ScaleSet.THEORETICAL)} if before else {}
        scale_before = {line.code: line for line in scale_lines(before, scale_set)} if before else {}
        context |= {
            "scale_set": scale_set,
            "points": range(1, definition.n_points + 1),
            "scales": [
                (
                    line,
                    names[line.code],
                    scale_before.get(line.code),
                    [table["scales"].get(line.code) for table in modes.values()],
                )
                for line in scale_lines(run, scale_set)
            ],
            "items": [
                (
                    line,
                    in_language(line.text),
                    _shares(line.result.counts),
                    earlier.get(line.code),
                    [table["items"].get(line.code) for table in modes.values()],
                )
                for line in lines
            ],
            "modes": [(group_in_words("mode", mode), table) for mode, table in modes.items()],
            "before": before,
            "maps": [
                (
                    name,
                    svg.as_data_uri(heat_map(table["names"], table["values"])),
                    correlation_table(table["names"], table["values"]),
                )
                for name, table in sorted(correlations.items(), reverse=True)
            ],
        }
    return render(request, "analysis/items.html", context)


def _shares(counts: list[int]) -> list[tuple[int, int]]:
    """Per answer the number and its share in hundredths, for a bar."""
    total = sum(counts) or 1
    return [(n, round(100 * n / total)) for n in counts]


@require_safe
def result_teams(request: HttpRequest, slug: str) -> HttpResponse:
    """The teams on one scale: dots with intervals, agreement, spread between teams."""
    _study, run, context = _found(request, slug)
    lines = scale_lines(run, ScaleSet.FINAL) if run is not None else []
    chosen = next((line for line in lines if line.code == request.GET.get("scale")), lines[0] if lines else None)
    if run is not None and chosen is not None:
        page, teams = workspace_rows.team_rows(run, ScaleSet.FINAL, chosen.code, request.GET.get("page"))
        context |= {
            "lines": [(line.code, in_language(line.name)) for line in lines],
            "chosen": chosen,
            "name": in_language(chosen.name),
            "teams": teams,
            "nulls": rules(run.plan.content).nulls,
            "page": page,
            "query": f"scale={chosen.code}",
            "plot": svg.as_data_uri(_plot(run, chosen.code, in_language(chosen.name), teams)),
        }
    return render(request, "analysis/result_teams.html", context)


def _plot(run: AnalysisRun, code: str, name: str, teams: list[workspace_rows.TeamRow]) -> str:
    overall = ScaleResult.objects.get(run=run, scale_set=ScaleSet.FINAL, scale=code, participation=None)
    dots = [
        Dot(
            row.label,
            row.scores.mean if row.scores else None,
            row.scores.ci_low if row.scores else None,
            row.scores.ci_high if row.scores else None,
        )
        for row in teams
    ]
    words = _("dashed: mean over respondents")
    return dot_plot(dots, definition_of(run.survey.version).n_points, f"{name} ({words})", overall.mean)


@require_safe
def result_groups(request: HttpRequest, slug: str) -> HttpResponse:
    """Groups of teams compared by a multilevel model."""
    _study, run, context = _found(request, slug)
    if run is not None:
        context["factors"] = workspace_rows.group_tables(
            run, workspace_rows.scale_names(definition_of(run.survey.version))
        )
    return render(request, "analysis/result_groups.html", context)


@require_safe
def result_waves(request: HttpRequest, slug: str) -> HttpResponse:
    """This wave beside the previous one: all teams together by scale, and the same teams one by one on a chosen scale."""
    study, run, context = _found(request, slug)
    if run is not None:
        names = workspace_rows.scale_names(definition_of(run.survey.version))
        tables = workspace_rows.tables(run, "waves")
        before = workspace_rows.last_done(study.previous) if study.previous is not None else None
        unshown = {code: workspace_rows.waves_unshown(run, code, before) for code in tables}
        compared = [code for code, table in tables.items() if not table["problem"]]
        chosen = request.GET.get("scale") if request.GET.get("scale") in compared else next(iter(compared), "")
        nothing = workspace_rows.WavesUnshown(frozenset(), frozenset(), overall=False)
        of_chosen = unshown.get(chosen or "", nothing)
        page, teams = workspace_rows.wave_rows(run, chosen or "", request.GET.get("page"), of_chosen)
        context |= {
            "scales": [
                {
                    **table,
                    "code": code,
                    "name": names.get(code, code),
                    "levels": workspace_rows.invariance_levels(table),
                    "overall": table.get("overall") if unshown[code].overall else None,
                    "withheld": bool(table.get("overall")) and not unshown[code].overall,
                }
                for code, table in tables.items()
            ],
            "compared": [(code, names.get(code, code)) for code in compared],
            "chosen": chosen,
            "name": names.get(chosen or "", ""),
            "page": page,
            "teams": teams,
            "query": f"scale={chosen}",
        }
    return render(request, "analysis/result_waves.html", context)


@require_safe
def figure(request: HttpRequest, slug: str, name: str, form: str) -> HttpResponse:
    """A figure as a file for an article: ``correlations-items``, ``correlations-scales``, ``teams-CODE``, ``nonresponse-CODE``."""
    study, run, _context = _found(request, slug)
    if run is None or form not in FORMS:
        raise Http404
    kind, _dash, rest = name.partition("-")
    if kind == "correlations":
        table = workspace_rows.tables(run, "correlations").get(rest)
        if table is None:
            raise Http404
        drawing = heat_map(table["names"], table["values"])
    elif kind == "teams":
        line = next((line for line in scale_lines(run, ScaleSet.FINAL) if line.code == rest), None)
        if line is None:
            raise Http404
        _page, teams = workspace_rows.team_rows(run, ScaleSet.FINAL, rest, request.GET.get("page"))
        drawing = _plot(run, rest, in_language(line.name), teams)
    elif kind == "nonresponse":
        line = next((line for line in scale_lines(run, ScaleSet.FINAL) if line.code == rest), None)
        rates = nonresponse_tables.table(run, f"{SCORE}{rest}")
        if line is None or rates is None:
            raise Http404
        drawing = nonresponse_tables.plot(run, rates, in_language(line.name))
    else:
        raise Http404
    history.record(study, Happened.RESULTS_DOWNLOADED, by=access.signed_in(request), detail=f"{name}.{form}"[:500])
    return figure_file(drawing, f"{study.slug}-{slugify(name)}", form)


def figure_file(drawing: str, name: str, form: str) -> HttpResponse:
    """A figure to keep."""
    response = HttpResponse(converted(drawing, form), content_type=FORMS[form])
    response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    response["Cache-Control"] = "no-store"
    return response
