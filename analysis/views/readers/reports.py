"""What the pages of reports are made of, for whoever may open one: leader, link holder, researcher's preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analysis import svg
from analysis.disclosure import ItemDistribution, Withheld
from analysis.office.slides import team_slides
from analysis.office.workbook import report_workbook
from analysis.publication import files
from analysis.publication.served import Now, TeamNow
from analysis.publication.standing import published
from analysis.reports import charts, pdf
from analysis.reports.objects import AcademyReport, Finding, Mark, ScaleReport, StudyReport, TeamReport, Wave, WideScale
from analysis.reports.sentences import telling, value_of, withheld_text
from analysis.reports.wording import (
    all_teams,
    cannot_say,
    caption,
    change,
    chart_words,
    decimals_of,
    differences,
    figures_of,
    how_measured,
    item_words,
    large,
    mean_row,
    next_steps,
    not_by_themselves,
    table_head,
    table_row,
    with_figures,
)
from teams.models import Academy, Participation, Study
from teams.models.languages import current_language

Scales = Sequence[ScaleReport] | Sequence[WideScale]
UNFOLDED = 3  # findings, and sentences about a subject, that a page shows at once
OVERVIEW = {"phone": svg.NARROW, "page": charts.PAGE, "desk": charts.DESK}
OFFICE = "application/vnd.openxmlformats-officedocument"
ALONE = {"phone": svg.NARROW, "page": charts.PAGE}


def language_now() -> str:
    """The language of this request."""
    return current_language()


def team_page(
    request: HttpRequest, report: TeamReport, participation: Participation, extra: Mapping[str, Any]
) -> HttpResponse:
    """A team's report."""
    scales = () if isinstance(report.scales, Withheld) else report.scales
    marks = pdf.team_marks(report)
    return render(
        request,
        "analysis/report.html",
        {
            "study": participation.study,
            "participation": participation,
            "report": report,
            **common(report, report.findings, scales, marks),
            "scales": [
                {
                    **in_figures(report, scale, marks),
                    "differences": differences(scale),
                    "change": change(scale),
                    "items": item_rows(scale, report),
                    "bars": scale.has_distributions,
                }
                for scale in scales
            ],
            "colours": list(zip(report.options, charts.diverging(report.n_points), strict=True)),
            "withheld": withheld_text(report.scales.reason, report.k) if isinstance(report.scales, Withheld) else "",
            **extra,
        },
    )


def academy_page(
    request: HttpRequest, report: AcademyReport, study: Study, academy: Academy, extra: Mapping[str, Any]
) -> HttpResponse:
    """A director's report."""
    shown = [(name, team) for name, team in report.teams if isinstance(team, TeamReport)]
    return _wide_page(
        request,
        report,
        {
            "study": study,
            "name": academy.name,
            "place": academy.institution.name,
            "not_by_themselves": not_by_themselves(report),
            "team_table": pdf.team_table(shown) if shown else None,
            "has_teams": True,
            **extra,
        },
    )


def study_page(request: HttpRequest, report: StudyReport, study: Study, extra: Mapping[str, Any]) -> HttpResponse:
    """The report on the whole study."""
    return _wide_page(
        request,
        report,
        {
            "study": study,
            "name": report.study,
            "place": "",
            "sector_table": pdf.sector_table(report) if report.sectors else None,
            **extra,
        },
    )


def waiting_page(request: HttpRequest, study: Study, extra: Mapping[str, Any]) -> HttpResponse:
    """Before publication; or while the reports of one from before objects were kept are being made."""
    return render(
        request,
        "analysis/report_waiting.html",
        {"study": study, "being_made": published(study.pk) is not None, **extra},
    )


def _wide_page(request: HttpRequest, report: AcademyReport | StudyReport, extra: Mapping[str, Any]) -> HttpResponse:
    scales = () if isinstance(report.scales, Withheld) else report.scales
    marks = pdf.wide_marks(report)
    return render(
        request,
        "analysis/wide_report.html",
        {
            "report": report,
            **common(report, report.findings, scales, marks),
            "scales": [in_figures(report, scale, marks) for scale in scales],
            "next_steps": next_steps(report),
            "withheld": withheld_text(report.scales.reason, report.k) if isinstance(report.scales, Withheld) else "",
            **extra,
        },
    )


def common(
    report: TeamReport | AcademyReport | StudyReport, findings: Sequence[Finding], scales: Scales, marks: Sequence[Mark]
) -> dict[str, Any]:
    """What every report page has: one chart with all marks, a card per subject, the findings, and how to read them."""
    rows, words = [mean_row(scale) for scale in scales], chart_words(report)
    return {
        "overview": pictures(rows, words, report.n_points, marks, OVERVIEW) if scales else None,
        "cards": [
            {
                "scale": scale,
                "large": large(scale.shown, decimals_of(scale)),
                "bar": svg.as_data_uri(charts.score_bar(scale.shown, report.n_points)),
                "telling": telling(scale),
                "verdict": scale.since.verdict if scale.since else None,
            }
            for scale in scales
        ],
        "findings": findings[:UNFOLDED],
        "more_findings": findings[UNFOLDED:],
        "all_figures": figures_table(report, scales, marks),
        "caption": caption(report),
        "all_teams": all_teams(report),
        "how_measured": how_measured(report),
        "cannot_say": cannot_say(report),
    }


def in_figures(report: Wave, scale: ScaleReport | WideScale, marks: Sequence[Mark]) -> dict[str, Any]:
    """One subject by itself: its figure in large type, its chart with the figures in it, and what is said of it."""
    figures = figures_of(scale, marks)
    row, words = with_figures(chart_words(report), mean_row(scale), figures)
    shown = value_of(scale.shown) is not None
    return {
        "scale": scale,
        "large": large(scale.shown, decimals_of(scale)),
        "chart": pictures([row], words, report.n_points, marks, ALONE) if shown else None,
        "alt": "; ".join(words.marks[mark] for mark in figures if mark in words.marks),
        "said": scale.said[:UNFOLDED],
        "more_said": scale.said[UNFOLDED:],
    }


def pictures(
    rows: Sequence[charts.MeanRow], words: charts.Words, n_points: int, marks: Sequence[Mark], widths: Mapping[str, int]
) -> dict[str, str]:
    """A chart drawn for each width at which the page shows it."""
    return {
        name: svg.as_data_uri(charts.means_chart(rows, words, n_points, width, marks)) for name, width in widths.items()
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


def pdf_of(now: Now, name: str) -> HttpResponse | None:
    """The PDF of a report in the language of this request; None while it is being made."""
    file = files.ready(now, language_now())
    if file is None or file.content is None:
        return None
    return _download(bytes(file.content), "application/pdf", f"{name}.pdf")


def slides_of(now: Now, name: str) -> HttpResponse | None:
    """The slides for the talk of a team, with what it wrote down so far; None where there is nothing to talk about."""
    if not isinstance(now, TeamNow):
        return None
    slides = team_slides(now.report(language_now()), now.agreed)
    return _download(slides, f"{OFFICE}.presentationml.presentation", f"{name}.pptx") if slides else None


def workbook_of(now: Now, name: str) -> HttpResponse | None:
    """The tables of a report; None where it shows no figure."""
    tables = report_workbook(now.report(language_now()))
    return _download(tables, f"{OFFICE}.spreadsheetml.sheet", f"{name}.xlsx") if tables else None


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response
