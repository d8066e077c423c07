"""The team's report as a tagged PDF (PDF/UA-1), set by Typst from the same dataclass that the web page shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from analysis import charts
from analysis.disclosure import Capped, ItemDistribution, ItemMean, MeanShown, NearlyAll, Withheld
from analysis.reports import ItemReport, ScaleReport, TeamReport
from analysis.sentences import number
from analysis.wording import caption, chart_words, how_to_read, scale_value, withheld_text

TEMPLATE = Path(__file__).with_name("report.typ")
FONTS = settings.BASE_DIR / "static" / "vendor" / "fonts"


def team_report_pdf(report: TeamReport) -> bytes:
    """The report as PDF/UA-1 bytes, in the language the report was made in."""
    with override(report.language):
        data = _content(report)
    pdf = typst.compile(
        TEMPLATE,
        format="pdf",
        font_paths=[FONTS],
        ignore_system_fonts=True,  # the same pages on every machine
        sys_inputs={"report": json.dumps(data)},
        pdf_standards=["ua-1"],
    )
    assert isinstance(pdf, bytes)
    return pdf


def _content(report: TeamReport) -> dict[str, Any]:
    scales = () if isinstance(report.scales, Withheld) else report.scales
    rows = [charts.mean_row(scale) for scale in scales]
    chart = charts.means_chart(rows, chart_words(report), report.n_points, charts.WIDE, report.language) if rows else ""
    published = date_format(report.published_at, "j F Y") if report.published_at else ""
    return {
        "language": report.language,
        "title": report.team,
        "author": "Teamspiegel",
        "study": f"{report.study} · {report.academy}, {report.institution}",
        "simulated": _("Simulated study: none of these teams and people exist.") if report.simulated else "",
        "footer": " · ".join(part for part in (report.team, published) if part),
        "response": _("%(returned)s of %(approached)s teachers returned the questionnaire.")
        % {"returned": report.returned, "approached": report.approached},
        "withheld": withheld_text(report.scales.reason, report.k) if isinstance(report.scales, Withheld) else "",
        "chart": chart,
        "caption": caption(report),
        "words": {
            "short": _("In short"),
            "how": _("How to read this report"),
            "chart_alt": _("Chart of the scores per subject; the same figures are in the table below."),
        },
        "how": how_to_read(report),
        "table": {
            "head": [
                _("Subject"),
                _("Your team"),
                _("Probably between"),
                _("All teams"),
                _("Previous measurement"),
            ],
            "rows": [_table_row(scale) for scale in scales],
        },
        "scales": [
            {
                "name": scale.name,
                "meaning": scale.meaning[:1].upper() + scale.meaning[1:],
                "sentences": list(scale.sentences),
                "head": [_("Question"), *report.options, _("mean")],
                "rows": [_item_row(item, report) for item in scale.items],
            }
            for scale in scales
        ],
    }


def _table_row(scale: ScaleReport) -> list[str]:
    shown = scale.shown
    between = "–"
    if isinstance(shown, MeanShown) and shown.low is not None and shown.high is not None:
        between = f"{number(shown.low, 1)} – {number(shown.high, 1)}"
    previous = scale_value(scale.previous, 1) if scale.previous else "–"
    return [scale.name, scale_value(shown, 1), between, scale_value(scale.benchmark, 2), previous]


def _item_row(item: ItemReport, report: TeamReport) -> list[Any]:
    n = report.n_points
    match item.shown:
        case ItemDistribution(mean, percentages):
            return [item.text, *(f"{share} %" for share in percentages), number(mean, 1)]
        case ItemMean(mean):
            return [item.text, {"span": n, "text": ""}, number(mean, 1)]
        case Capped():
            return [item.text, {"span": n, "text": ""}, scale_value(item.shown, 1)]
        case NearlyAll(category):
            text = _("Everyone, all but two at most: “%(option)s”") % {"option": report.options[category - 1]}
            return [item.text, {"span": n + 1, "text": text}]
        case Withheld():
            return [item.text, {"span": n + 1, "text": "–"}]
