"""Who gets the slides and the workbook of a report: whoever reads the report, and while it shows figures."""

from __future__ import annotations

import io

import pytest
from django.test import Client
from django.urls import reverse
from pptx import Presentation

from analysis.disclosure import Withheld
from analysis.models import Publication
from analysis.models.readers import ReportLink
from analysis.office.slides import team_slides
from analysis.office.workbook import report_workbook
from analysis.publication import links
from analysis.publication.publishing import publish
from analysis.publication.served import of_study, of_team
from analysis.publication.talks import write_goal
from surveys.models import Collection
from teams.models import Participation, Study
from tests.analysis.builders import make_researcher, make_study, make_team, seal
from tests.analysis.test_office_files import PPTX, XLSX
from tests.analysis.test_reader_pages import analysed_study, leader_of
from tests.analysis.test_reports import analyse, varied

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Participation:
    _study, teams, run = analysed_study("small", 5, size=10)
    publish(run, None)
    return teams[0]


def kind_of(client: Client, name: str, *args: object) -> str | int:
    answer = client.get(reverse(name, args=args))
    return answer.headers["Content-Type"] if answer.status_code == 200 else answer.status_code


def by_link(link: ReportLink) -> Client:
    client = Client()
    assert client.get(links.path_of(link)).status_code == 302
    return client


def of_everything(team: Participation) -> dict[str, ReportLink]:
    """A link of each kind."""
    made = {kind: links.share_with_team(team, 14, None) for kind in ("team", "academy", "study")}
    ReportLink.objects.filter(pk=made["academy"].pk).update(participation=None, academy=team.team.academy)
    ReportLink.objects.filter(pk=made["study"].pk).update(participation=None)
    return {kind: ReportLink.objects.get(pk=link.pk) for kind, link in made.items()}


def test_who_reads_a_report_gets_its_files_and_nobody_else(team: Participation):
    study = team.study
    leader, stranger, researcher = leader_of(team), Client(), Client()
    researcher.force_login(make_researcher(study))
    other = leader_of(Participation.objects.exclude(pk=team.pk).filter(study=study).first())
    of = of_everything(team)
    for name, kind in (("team_slides", PPTX), ("team_report_tables", XLSX)):
        assert kind_of(leader, name, team.pk) == kind
        assert kind_of(other, name, team.pk) == 404
        assert kind_of(researcher, name, team.pk) == 404
        assert kind_of(stranger, name, team.pk) == 302, "to sign in"
    for kind, link in of.items():
        reader = by_link(link)
        assert kind_of(reader, "shared_report_tables", link.pk) == XLSX
        assert kind_of(reader, "shared_slides", link.pk) == (PPTX if kind == "team" else 404)
        for name in ("shared_report_tables", "shared_slides"):
            assert kind_of(stranger, name, link.pk) == 404
            assert kind_of(reader, name, next(other.pk for other in of.values() if other != link)) == 404
    assert kind_of(researcher, "study_preview_tables", study.slug) == XLSX
    assert kind_of(leader, "study_preview_tables", study.slug) == 404
    links.revoke(of["team"])
    assert kind_of(by_link(of["study"]), "shared_slides", of["team"].pk) == 404


def test_pages_lead_to_the_files_under_the_name_of_the_pdf(team: Participation):
    leader, of = leader_of(team), of_everything(team)
    page = leader.get(reverse("team_report", args=[team.pk])).content.decode()
    for name, end in (("team_slides", "pptx"), ("team_report_tables", "xlsx")):
        address = reverse(name, args=[team.pk])
        assert f'href="{address}"' in page
        answer = leader.get(address)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="teamspiegel-{team.pk}.{end}"'
        assert answer.headers["Cache-Control"] == "private, no-store"
    for kind, link in of.items():
        page = by_link(link).get(reverse("shared_report", args=[link.pk])).content.decode()
        assert f'href="{reverse("shared_report_tables", args=[link.pk])}"' in page
        assert (f'href="{reverse("shared_slides", args=[link.pk])}"' in page) == (kind == "team")
    answer = by_link(of["team"]).get(reverse("shared_slides", args=[of["team"].pk]))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="teamspiegel-team-{team.pk}.pptx"'


def test_the_slides_hold_what_the_team_wrote_down(team: Participation):
    write_goal(team, "AA", target=3, next_steps="Samen naar Assen.", page="")
    link = links.share_with_team(team, 14, None)
    for client, name, pk in ((leader_of(team), "team_slides", team.pk), (by_link(link), "shared_slides", link.pk)):
        deck = Presentation(io.BytesIO(client.get(reverse(name, args=[pk])).content))
        (table,) = (shape.table for shape in deck.slides[-1].shapes if shape.has_table)
        assert any(cell.text == "Samen naar Assen." for row in table.rows for cell in row.cells)


def test_of_a_withheld_report_there_is_no_file(team: Participation):
    leader, of = leader_of(team), of_everything(team)
    Collection.objects.filter(participation=team).update(n_present=1, n_links=0, n_paper=0)
    now = of_team(Participation.objects.select_related("study", "team__academy__institution").get(pk=team.pk))
    assert not now.has_results
    assert team_slides(now.report("nl"), now.agreed) is None
    assert report_workbook(now.report("nl")) is None
    for name in ("team_slides", "team_report_tables"):
        answer = leader.get(reverse(name, args=[team.pk]))
        assert (answer.status_code, answer.headers["Location"]) == (302, reverse("team_report", args=[team.pk]))
    for name in ("shared_slides", "shared_report_tables"):
        answer = by_link(of["team"]).get(reverse(name, args=[of["team"].pk]))
        assert (answer.status_code, answer.headers["Location"]) == (302, reverse("shared_report", args=[of["team"].pk]))


def test_before_publication_and_without_means_there_is_no_file():
    study = make_study()
    teams = [make_team(study, f"Team{n}", approached=15) for n in range(2)]
    for n, team in enumerate(teams):
        seal(team, varied(8, n))
    leader = leader_of(teams[0])
    assert [kind_of(leader, name, teams[0].pk) for name in ("team_slides", "team_report_tables")] == [404, 404]
    publish(analyse(study), None)
    of = of_everything(Participation.objects.select_related("study", "team__academy").get(pk=teams[0].pk))
    assert isinstance(of_study(Study.objects.get()).report("nl").scales, Withheld), "of two teams there is no mean"
    for kind in ("academy", "study"):
        page = by_link(of[kind]).get(reverse("shared_report", args=[of[kind].pk])).content.decode()
        assert ".xlsx" not in page
        assert kind_of(by_link(of[kind]), "shared_report_tables", of[kind].pk) == 302
    assert Publication.objects.count() == 1
