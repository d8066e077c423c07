"""What the pages of reports are made of, for whoever may open one: leader, link holder, researcher's preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analysis import svg
from analysis.disclosure import ItemDistribution, Withheld
from analysis.models import AnalysisRun, Publication
from analysis.publication import files
from analysis.reports import charts, pdf
from analysis.reports.groups import final_scales_of
from analysis.reports.objects import AcademyReport, Finding, Mark, ScaleReport, StudyReport, TeamReport, Wave, WideScale
from analysis.reports.team import Goals, team_report
from analysis.reports.wide import academy_report, study_report
from analysis.reports.wording import (
    cannot_say,
    caption,
    change,
    chart_words,
    differences,
    how_measured,
    item_words,
    mean_row,
    table_head,
    table_row,
    team_reasons,
    withheld_text,
)
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import definition_of
from teams.models import Academy, Participation
from teams.models.languages import current_language

Scales = Sequence[ScaleReport] | Sequence[WideScale]


def language_now() -> str:
    """The language of this request."""
    return current_language()


def team_page(
    request: HttpRequest,
    run: AnalysisRun,
    participation: Participation,
    goals: Goals | None,
    extra: Mapping[str, Any],
) -> HttpResponse:
    """A team's report. ``goals``: what the team wrote down after the wave before, only for the team and its leader."""
    report = team_report(run, participation, language_now(), goals)
    scales = () if isinstance(report.scales, Withheld) else report.scales
    return render(
        request,
        "analysis/report.html",
        {
            "study": participation.study,
            "participation": participation,
            "report": report,
            **common(report, report.findings, scales),
            "caption": caption(report),
            "scales": [
                {
                    "scale": scale,
                    "differences": differences(scale),
                    "change": change(scale),
                    "items": item_rows(scale, report),
                    "bars": scale.has_distributions,
                }
                for scale in scales
            ],
            "colours": list(zip(report.options, charts.diverging(report.n_points), strict=True)),
            "withheld": withheld_text(report.scales.reason, report.k) if isinstance(report.scales, Withheld) else "",
            "subjects": _subjects(run) if isinstance(report.scales, Withheld) else (),
            "all_figures": figures_table(report, scales, pdf.team_marks(report)),
            **extra,
        },
    )


def _subjects(run: AnalysisRun) -> list[dict[str, str]]:
    """What the questionnaire was about, for a team without results: it can talk about it all the same."""
    return [
        {"name": in_language(scale.name, language_now()), "meaning": in_language(scale.meaning, language_now())}
        for scale in final_scales_of(run, definition_of(run.survey.version))
    ]


def academy_page(request: HttpRequest, run: AnalysisRun, academy: Academy, extra: Mapping[str, Any]) -> HttpResponse:
    """A director's report."""
    report = academy_report(run, academy.pk, language_now())
    shown = [(name, team) for name, team in report.teams if isinstance(team, TeamReport)]
    return _wide_page(
        request,
        report,
        {
            "study": run.survey.study,
            "name": academy.name,
            "place": academy.institution.name,
            "team_reasons": team_reasons(report),
            "team_table": pdf.team_table(shown) if shown else None,
            "has_teams": True,
            **extra,
        },
    )


def study_page(request: HttpRequest, run: AnalysisRun, extra: Mapping[str, Any]) -> HttpResponse:
    """The report on the whole study."""
    report = study_report(run, language_now())
    return _wide_page(
        request,
        report,
        {
            "study": run.survey.study,
            "name": report.study,
            "place": "",
            "sector_table": pdf.sector_table(report) if report.sectors else None,
            **extra,
        },
    )


def _wide_page(request: HttpRequest, report: AcademyReport | StudyReport, extra: Mapping[str, Any]) -> HttpResponse:
    scales = () if isinstance(report.scales, Withheld) else report.scales
    return render(
        request,
        "analysis/wide_report.html",
        {
            "report": report,
            **common(report, report.findings, scales),
            "caption": caption(report),
            "scales": scales,
            "withheld": withheld_text(report.scales.reason, report.k) if isinstance(report.scales, Withheld) else "",
            "all_figures": figures_table(report, scales, pdf.wide_marks(report)),
            **extra,
        },
    )


def common(report: Wave, findings: Sequence[Finding], scales: Scales) -> dict[str, Any]:
    """What every report page has: findings with their charts and tables, and how to read them."""
    return {
        "findings": [
            {
                "finding": finding,
                "chart": means_charts(report, scales, finding.marks) if finding.marks else None,
                "table": figures_table(report, scales, finding.marks),
            }
            for finding in findings
        ],
        "how_measured": how_measured(report),
        "cannot_say": cannot_say(report),
    }


def means_charts(report: Wave, scales: Scales, marks: Sequence[Mark]) -> dict[str, str]:
    """A chart of scores for a phone and for a page."""
    rows, words = [mean_row(scale) for scale in scales], chart_words(report)
    return {
        name: svg.as_data_uri(charts.means_chart(rows, words, report.n_points, width, marks))
        for name, width in (("narrow", svg.NARROW), ("wide", svg.WIDE))
    }


def figures_table(report: Wave, scales: Scales, marks: Sequence[Mark]) -> dict[str, Any]:
    """The table beside a chart."""
    return {"head": table_head(report, marks), "rows": [table_row(scale, marks) for scale in scales]}


def item_rows(scale: ScaleReport, report: TeamReport) -> list[dict[str, object]]:
    """The items of a scale as rows: text, bar where answers are shown, words."""
    rows = []
    for item in scale.items:
        row: dict[str, object] = {"item": item, "text": item_words(item, report)}
        if isinstance(item.shown, ItemDistribution):
            row["bar"] = svg.as_data_uri(charts.answers_bar(item.shown.percentages, report.n_points))
        rows.append(row)
    return rows


def pdf_of(publication: Publication | None, reader: str, name: str) -> HttpResponse | None:
    """The PDF of a reader in the language of this request; None while it is being made."""
    file = files.ready(publication, reader, language_now())
    if file is None or file.content is None:
        return None
    response = HttpResponse(bytes(file.content), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response
