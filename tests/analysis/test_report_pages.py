"""What the pages and PDFs of reports show of several teams, and whom they name."""

import json

import pytest
from django.test import Client

from analysis.models import Unit
from analysis.models.readers import ReportLink
from analysis.publication import links
from analysis.publication.publishing import publish
from analysis.reports import pdf
from analysis.reports.wide import academy_report
from teams.models import Participation, Team
from tests.analysis.builders import make_study, make_team, seal
from tests.analysis.test_reports import analyse, varied

pytestmark = pytest.mark.django_db


def test_a_director_reads_no_name_of_a_team_that_is_not_shown_by_itself(monkeypatch):
    """One with too few answers, a combination whose leader did not agree, one team that did: on the page and in the PDF."""
    study = make_study()
    teams = [make_team(study, f"Hidden{n}", approached=15) for n in range(6)]
    for n, team in enumerate(teams):
        seal(team, varied((3, 6, 7, 8, 9, 8)[n], n))
    Team.objects.filter(pk=teams[5].team_id).update(name="Shown")
    unit = Unit.objects.create(study=study, academy=teams[0].team.academy, name="both")
    unit.participations.set(teams[1:3])
    Participation.objects.filter(pk=teams[5].pk).update(director_sees_team=True)
    run = analyse(study)
    publish(run, None)
    report = academy_report(run, teams[0].team.academy_id, "en")
    assert report.n_not_shown == 5
    handed = {}
    monkeypatch.setattr("analysis.reports.pdf.typeset", lambda _template, _name, data: handed.update(data) or b"")
    pdf.academy_pdf(report)
    link = links.share_with_team(teams[0], 14, None)
    ReportLink.objects.filter(pk=link.pk).update(participation=None, academy=teams[0].team.academy)
    client = Client(headers={"accept-language": "en"})
    client.cookies["django_language"] = "en"
    page = client.get(links.path_of(link), follow=True).content.decode()
    for text in (page, json.dumps(handed, ensure_ascii=False)):
        assert "Shown" in text
        assert "5 teams are not shown by themselves: they have too few answers, or chose not to be." in text
        assert "Hidden" not in text
        assert "Thank the teams" in text
