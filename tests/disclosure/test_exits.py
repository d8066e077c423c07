"""Every way out shows the same of a team, whatever was corrected after publication: pages, talks, PDFs, by account and link.

Each way is walked as its reader would, and asked one thing: does it show figures of the team? What was made before the
correction counts like what is made on the spot.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse

from analysis import withdrawals
from analysis.disclosure import Withheld
from analysis.models import AnalysisRun, Publication, ReportObject
from analysis.models.readers import ReportLink
from analysis.publication import files, links, objects, served
from analysis.publication.publishing import publish
from surveys.models import Collection
from teams.models import Participation, Study
from tests.analysis.builders import make_study, make_team, seal
from tests.analysis.test_reader_pages import leader_of
from tests.analysis.test_reports import analyse, varied

pytestmark = pytest.mark.django_db
TEAM = "Team b"


@pytest.fixture
def run() -> AnalysisRun:
    """Published, with its PDFs made; the leader of the team let the director see it."""
    study = make_study()
    for n, size in enumerate((6, 12, 7, 9, 4, 11)):
        seal(make_team(study, f"Team {'abcdef'[n]}", approached=15), varied(size, n))
    Participation.objects.filter(study=study, team__name=TEAM).update(director_sees_team=True)
    run = analyse(study)
    files.make_files(publish(run, None).pk)
    return run


def the_team(study: Study) -> Participation:
    return Participation.objects.select_related("study", "team__academy__institution").get(study=study, team__name=TEAM)


def link(study: Study, **of: object) -> ReportLink:
    link = links.share_with_team(the_team(study), 14, None)
    ReportLink.objects.filter(pk=link.pk).update(participation=None, **of)
    return ReportLink.objects.get(pk=link.pk)


def opened(shared: ReportLink) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.cookies["django_language"] = "en"
    client.get(links.path_of(shared))
    return client


def office_shows(client: Client, address: str) -> bool:
    """Whether slides or tables are given out that show figures of the team; else the answer leads back to the page."""
    answer = client.get(address)
    if answer.status_code == 302:
        return False
    assert answer.headers["Content-Type"].startswith("application/vnd.openxmlformats"), answer.status_code
    if address.endswith(".pptx"):
        return True
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    cells = (cell.value for sheet in book.worksheets[1:] for row in sheet.iter_rows() for cell in row)
    return "All figures" in book.sheetnames if address in ALONE else TEAM in cells


#: addresses of files about the team alone
ALONE: set[str] = set()


def file_shows(client: Client, address: str, reader: str) -> bool | None:
    """Whether the PDF that is given out shows the team; None where none is given out."""
    answer = client.get(address)
    if answer.get("Content-Type") != "application/pdf":
        return None
    return b"".join(answer) in MADE_WITH_THE_TEAM[reader]


#: per reader the files that were made while the team was shown
MADE_WITH_THE_TEAM: dict[str, set[bytes]] = {}


def ask(ways: dict[str, Callable[[], bool | None]]) -> dict[str, bool | None]:
    return {name: shows() for name, shows in ways.items()}


def exits(run: AnalysisRun) -> Iterator[tuple[str, Callable[[], bool | None]]]:
    """Every way out by its name, and whether it shows figures of the team (None: nothing is given out)."""
    study = run.survey.study
    team = the_team(study)
    academy = team.team.academy
    leader = leader_of(team)
    leader.cookies["django_language"] = "en"
    of_team = links.share_with_team(team, 14, None)
    of_academy, member = link(study, academy=academy), opened(of_team)
    director = opened(of_academy)

    def page(client: Client, name: str, pk: int) -> bool:
        answer = client.get(reverse(name, args=[pk]))
        if answer.status_code == 302:  # a talk needs results: it leads back to the report, which says why
            return False
        return not isinstance(answer.context["report"].scales, Withheld)

    def in_academy() -> bool:
        report = director.get(reverse("shared_report", args=[of_academy.pk])).context["report"]
        return not isinstance(dict(report.teams)[TEAM], Withheld)

    yield "the leader's report", lambda: page(leader, "team_report", team.pk)
    yield "the leader's talk", lambda: page(leader, "team_talk", team.pk)
    yield "the leader's page of the team", lambda: leader.get(reverse("team", args=[team.pk])).context["has_results"]
    yield "the team's link", lambda: page(member, "shared_report", of_team.pk)
    yield "the team's link, talk", lambda: page(member, "shared_talk", of_team.pk)
    yield "the director's link", in_academy
    yield "the object behind them", lambda: served.of_team(the_team(study)).has_results
    yield (
        "the object behind the director's",
        lambda: not isinstance(dict(served.of_academy(study, academy).report("en").teams)[TEAM], Withheld),
    )
    team_key, academy_key = objects.team_key(team.pk), objects.academy_key(academy.pk)
    yield "the leader's PDF", lambda: file_shows(leader, reverse("team_report_pdf", args=[team.pk]), team_key)
    yield (
        "the team's PDF by link",
        lambda: file_shows(member, reverse("shared_report_pdf", args=[of_team.pk]), team_key),
    )
    tables, slides = (reverse(name, args=[team.pk]) for name in ("team_report_tables", "team_slides"))
    shared_tables, shared_slides = (
        reverse(name, args=[of_team.pk]) for name in ("shared_report_tables", "shared_slides")
    )
    ALONE.update((tables, shared_tables))
    yield "the leader's tables", lambda: office_shows(leader, tables)
    yield "the leader's slides", lambda: office_shows(leader, slides)
    yield "the team's tables by link", lambda: office_shows(member, shared_tables)
    yield "the team's slides by link", lambda: office_shows(member, shared_slides)
    yield (
        "the director's tables",
        lambda: office_shows(director, reverse("shared_report_tables", args=[of_academy.pk])),
    )
    yield (
        "the director's PDF",
        lambda: file_shows(director, reverse("shared_report_pdf", args=[of_academy.pk]), academy_key),
    )


def remember_files() -> None:
    MADE_WITH_THE_TEAM.clear()
    for file in Publication.objects.get().files.all():
        MADE_WITH_THE_TEAM.setdefault(file.reader, set()).add(bytes(file.content))


def counted_too_few(team: Participation) -> None:
    Collection.objects.filter(participation=team).update(n_present=1, n_links=0, n_paper=0)


def fewer_than_k_approached(team: Participation) -> None:
    Collection.objects.filter(participation=team).update(approached=4)


@pytest.mark.parametrize("correct", [counted_too_few, fewer_than_k_approached])
def test_a_corrected_count_closes_every_way_out(run, correct):
    study = run.survey.study
    remember_files()
    ways = dict(exits(run))
    assert ask(ways) == dict.fromkeys(ways, True)
    correct(the_team(study))
    said = ask(ways)
    assert {name for name, shows in said.items() if shows} == set()
    assert [name for name, shows in said.items() if shows is None] == [name for name in said if "PDF" in name]
    # beat sends the files back to the queue, a worker makes them anew, and now they say what the pages say
    # those of the team and of its director: no other report says anything of it
    assert files.make_anew() == 4
    assert files.make_anew() == 0
    assert files.make_files(Publication.objects.get().pk)
    said = ask(ways)
    assert set(said.values()) == {False}, said


def test_a_file_being_made_during_the_correction_is_not_given_out(run, monkeypatch):
    study, publication = run.survey.study, Publication.objects.get()
    remember_files()
    publication.files.update(state="waiting", content=None, attempts=0, lease_until=None)
    read = served.of_reader

    def and_correct(of: Publication, reader: str) -> object:
        now = read(of, reader)
        counted_too_few(the_team(study))
        return now

    monkeypatch.setattr(served, "of_reader", and_correct)
    files.make_files(publication.pk)
    assert not any(ask(dict(exits(run))).values())


def test_what_a_director_may_see_is_asked_again(run):
    study = run.survey.study
    remember_files()
    Participation.objects.filter(pk=the_team(study).pk).update(director_sees_team=False)
    said = ask(dict(exits(run)))
    assert not any(shows for name, shows in said.items() if "director" in name), said
    assert said["the leader's report"]


def test_of_a_team_that_withdrew_nothing_is_left_by_itself(run):
    """It stays in the means that were published; at once nobody reads it by itself, and then its object and PDFs are gone."""
    study = run.survey.study
    team = the_team(study)
    remember_files()
    ways = dict(exits(run))
    stands = served.of_study(study).report("en")
    of_academy = served.of_academy(study, team.team.academy).report("en")
    (row,) = ReportObject.objects.filter(reader=objects.team_key(team.pk))
    Participation.objects.filter(pk=team.pk).update(state=Participation.State.WITHDRAWN)
    director = served.of_academy(study, team.team.academy).report("en")
    assert TEAM not in dict(director.teams)
    assert (director.scales, director.base) == (of_academy.scales, of_academy.base)
    assert not ways["the director's PDF"]()
    withdrawals.carry_out()
    publication = Publication.objects.get()
    assert not ReportObject.objects.filter(reader=row.reader).exists()
    assert not publication.files.filter(reader=row.reader).exists()
    assert not publication.files.filter(
        reader=objects.academy_key(team.team.academy_id), content__isnull=False
    ).exists()
    kept = [json.dumps(report_object.content) for report_object in ReportObject.objects.all()]
    assert not any(TEAM in content or json.dumps(row.content["scales"]) in content for content in kept)
    assert served.of_study(study).report("en") == stands
    files.make_files(publication.pk)
    assert not ways["the director's PDF"]()
    assert served.of_academy(study, team.team.academy).report("en").scales == of_academy.scales


def test_a_corrected_wave_before_closes_what_the_next_shows_of_it(run):
    """The means of the wave before stand in this wave's PDFs too."""
    second = make_study("second")
    Study.objects.filter(pk=second.pk).update(previous=run.survey.study)
    for n, size in enumerate((6, 12, 7, 9)):
        seal(make_team(second, f"Team {'abcd'[n]}", approached=15), varied(size, n + 1))
    publication = publish(analyse(Study.objects.get(pk=second.pk)), None)
    files.make_files(publication.pk)
    assert files.is_ready(served.of_team(the_team(second)), "en")
    counted_too_few(the_team(run.survey.study))
    assert not files.is_ready(served.of_team(the_team(second)), "en")
