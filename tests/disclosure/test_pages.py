"""What readers get is what the attackers read: every number on a page and in a PDF stands in the report object."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.test import Client
from django.urls import reverse

from analysis.models import Publication
from analysis.publication import files as report_files
from analysis.publication import links as report_links
from analysis.publication.publishing import publish
from analysis.reports import pdf
from analysis.reports.objects import TeamReport, WideReport
from analysis.reports.team import team_report
from analysis.reports.wide import academy_report, study_report
from teams.models import Participation
from tests.analysis.builders import make_study, make_team, seal
from tests.analysis.test_reports import analyse, varied
from tests.disclosure.published import numbers_of

pytestmark = pytest.mark.django_db
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


@pytest.fixture
def run():
    study = make_study()
    for n, size in enumerate((6, 12, 7, 9, 4, 11)):
        seal(make_team(study, f"Team {'abcdef'[n]}", approached=15, academy="Academy"), varied(size, n))
    Participation.objects.filter(study=study, team__name="Team b").update(director_sees_team=True)
    run = analyse(study)
    publish(run, None)
    return run


def words_of(page: str) -> str:
    """What a page says: text, alternative texts, and the words in its pictures; not addresses, dates and the frame."""
    body = page[page.index("<article") : page.index("</article>")]
    pictures = [base64.b64decode(data).decode() for data in re.findall(r"base64,([\w+/=]+)", body)]
    drawn = " ".join(word for svg in pictures for word in re.findall(r"<text[^>]*>([^<]*)<", svg))
    labels = " ".join(re.findall(r'(?:alt|aria-label)="([^"]*)"', body))
    plain = re.sub(r"<[^>]*>", " ", body)
    return html.unescape(f"{plain} {labels} {drawn}")


def allowed(report: TeamReport | WideReport) -> set[str]:
    """The report's figures, the ends and points of its scale, and the days of collecting."""
    numbers = numbers_of(report) | {str(n) for n in range(report.n_points + 1)} | {str(report.wave), "8"}
    numbers |= {f"{report.midpoint:.2f}"}
    for day in (report.starts_on, report.ends_on):
        numbers |= {str(day.day), str(day.year)} if day else set()
    return numbers


def test_every_number_on_the_pages_is_a_figure_of_the_report(run):
    study = run.survey.study
    participations = list(
        Participation.objects.filter(study=study).select_related("study", "team__academy__institution").order_by("pk")
    )
    academy = participations[0].team.academy
    links = [report_links.share_with_team(participation, 14, None) for participation in participations]
    links.append(report_links.ReportLink.objects.create(study=study, academy=academy, **like(links[0])))
    links.append(report_links.ReportLink.objects.create(study=study, **like(links[0])))
    reports: list[TeamReport | WideReport] = [team_report(run, p, "en") for p in participations]
    reports += [academy_report(run, academy.pk, "en"), study_report(run, "en")]
    n_numbers = 0
    for link, report in zip(links, reports, strict=True):
        client = Client(headers={"accept-language": "en"})
        client.cookies["django_language"] = "en"
        client.get(report_links.path_of(link))
        page = client.get(reverse("shared_report", args=[link.pk])).content.decode()
        said = set(NUMBER.findall(words_of(page)))
        n_numbers += len(said)
        assert said <= allowed(report), (link, said - allowed(report))
    assert n_numbers > 100


def like(link: report_links.ReportLink) -> dict[str, object]:
    return {"nonce": "a" * 32, "expires_on": link.expires_on}


def test_every_number_in_the_pdfs_is_a_figure_of_the_report(run, monkeypatch):
    """Typst sets only what it is handed: the blocks of data are read, which hold every word and every picture of the PDF."""
    handed: list[dict[str, Any]] = []
    real = pdf.typeset

    def set_and_read(template: Path, name: str, data: dict[str, Any]) -> bytes:
        handed.append(data)
        return real(template, name, data)

    monkeypatch.setattr(pdf, "typeset", set_and_read)
    publication = Publication.objects.get()
    report_files.make_files(publication.pk)
    assert len(handed) == publication.files.count() == 16
    english = [data for data in handed if data["language"] == "en"]
    files = list(publication.files.filter(language="en"))
    for data, file in zip(english, files, strict=True):
        kind, _colon, pk = file.reader.partition(":")
        report: TeamReport | WideReport
        if kind == "team":
            report = team_report(run, Participation.objects.select_related("study", "team").get(pk=pk), "en")
        else:
            report = academy_report(run, int(pk), "en") if kind == "academy" else study_report(run, "en")
        said: set[str] = set()
        for block in data["blocks"]:
            content = {key: value for key, value in block.items() if key not in ("level", "width", "widths")}
            text = re.sub(r'"span": \d+', "", json.dumps(content, ensure_ascii=False))
            drawn = " ".join(re.findall(r"<text[^>]*>([^<]*)<", text))
            said |= set(NUMBER.findall(re.sub(r"<svg.*?</svg>", " ", text) + " " + drawn))
        assert said <= allowed(report), (file, said - allowed(report))
        with pikepdf.open(io.BytesIO(bytes(file.content))) as made:
            assert len(made.pages) >= 1
