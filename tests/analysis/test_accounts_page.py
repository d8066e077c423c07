"""The page of the accounts: every level adds up to the study; files that spreadsheets cannot run; the flow diagram."""

import csv
import io
import itertools
from xml.etree import ElementTree

import openpyxl
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analysis.data.accounting import account, accounts
from analysis.results import flow_diagram
from analysis.results.response_tables import COLUMNS, COUNTS, GROUPS, rows
from analysis.runs.execution import execute, request_run
from surveys.models import Collection, DayCount, Survey
from teams.models import Event, Institution, Invitation, Participation, Study, Team
from tests.analysis import builders

pytestmark = pytest.mark.django_db
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def study() -> Study:
    study = builders.make_study()
    for number, (academy, mode) in enumerate((("A", "online"), ("A", "contact"), ("B", "contact"))):
        team = builders.make_team(study, f"T{number}", approached=10, academy=academy, mode=mode)
        collection = builders.seal(team, [builders.answers(1 + number)] * 6, eligibility=["yes"] * 5 + ["no_other"])
        DayCount.objects.create(collection=collection, day="2026-03-01", n=4)
        DayCount.objects.create(collection=collection, day=f"2026-03-0{number + 2}", n=2)
    declined = builders.make_team(study, "No", academy="C")
    Participation.objects.filter(pk=declined.pk).update(state="declined")
    Invitation.objects.create(study=study, participation=declined, state="declined", reason="reorganisation")
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    return study


@pytest.fixture
def researcher(client, study):
    client.force_login(builders.make_researcher(study))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def url(study: Study, name: str = "accounts", *args: object) -> str:
    return reverse(name, args=[study.slug, *args])


def collection_of(team: str) -> Collection:
    return Collection.objects.get(participation__team__name=team)


def test_every_level_adds_up_to_the_study(study):
    accounted = accounts(study)
    assert (accounted.total.approached, accounted.total.returned, accounted.total.analysed) == (
        30,
        18,
        15,
    )
    for level in GROUPS:
        people = [row.people for row in rows(accounted, level, study)]
        assert all(person.reconciles for person in people)
        for name in COUNTS:
            assert sum(getattr(person, name) for person in people) == getattr(accounted.total, name), (level, name)


@pytest.mark.parametrize("group", [*GROUPS, "nonsense", ""])
def test_the_page_shows_rates_with_their_definitions(researcher, study, group):
    html = researcher.get(url(study), {"by": group}).content.decode()
    for text in ("60.0", "50.0", "returned / approached: 18 / 30", "analysed / approached: 15 / 30", "15 / (30 − 3)"):
        assert text in html
    assert html.count("data:image/svg+xml") == 3  # the flow, and the chart of the days in two widths


def test_a_correction_counts_at_once_and_is_in_the_history(researcher, study):
    collection = collection_of("T0")
    answer = researcher.post(
        url(study, "account_counts", collection.participation_id),
        {"approached": 12, "refused": 3, "reason": "two were forgotten"},
    )
    assert answer.url == url(study)
    people = accounts(study).by(lambda team: team.team)["T0"]
    assert (people.approached, people.refused, people.not_returned) == (12, 3, 3)
    assert people.reconciles
    event = Event.objects.get(kind="counts_corrected")
    assert event.participation_id == collection.participation_id
    assert event.detail == "10 → 12, 0 → 3: two were forgotten"


@pytest.mark.parametrize(
    "wrong",
    [
        {"approached": 12, "refused": 0, "reason": ""},
        {"approached": 0, "refused": 0, "reason": "x"},
        {"approached": 5, "refused": 6, "reason": "x"},
    ],
)
def test_a_correction_needs_a_reason_and_counts_that_can_be(researcher, study, wrong):
    collection = collection_of("T0")
    assert researcher.post(url(study, "account_counts", collection.participation_id), wrong).status_code == 200
    collection.refresh_from_db()
    assert (collection.approached, collection.refused) == (10, 0)
    assert not Event.objects.filter(kind="counts_corrected").exists()


def test_refusals_leave_fewer_to_wait_for():
    study = builders.make_study("other")
    team = builders.make_team(study, "Team", approached=8)
    Collection.objects.create(
        survey=study.survey, participation=team, mode="online", approached=8, refused=2, state="open"
    )
    people = account(study, {}).total
    assert (people.refused, people.pending) == (2, 6)
    assert people.reconciles


def test_the_csv_reconciles_and_no_cell_is_a_formula(researcher, study):
    Institution.objects.update(name="=HYPERLINK(1)")
    Team.objects.filter(name="T0").update(name="+T0")
    text = researcher.get(url(study, "accounts_csv")).content.decode()
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert tuple(lines[0]) == COLUMNS
    assert lines[0]["level"] == "study"
    assert {line["level"] for line in lines} == {"study", *GROUPS} - {"wave"}
    for line in lines:
        rest = sum(int(line[name]) for name in ("returned", "refused", "not_returned", "pending"))
        assert int(line["approached"]) + int(line["not_accounted_for"]) == rest
    assert not [cell for line in lines for cell in line.values() if cell.startswith(("=", "+", "-", "@"))]


def test_the_workbook_holds_numbers_and_no_formula(researcher, study):
    Institution.objects.update(name="=1+1")
    book = openpyxl.load_workbook(io.BytesIO(researcher.get(url(study, "accounts_xlsx")).content))
    assert book.sheetnames == ["response", "invitations", "days"]
    response = list(book["response"].iter_rows())
    assert response[1][COLUMNS.index("return_rate")].value == pytest.approx(0.6)
    assert "'=1+1" in {cell.value for line in response for cell in line}
    assert not [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.data_type == "f"]
    assert [[cell.value for cell in line] for line in book["days"].iter_rows()][-1] == ["2026-03-04", 2, 18]
    invited = dict(line for line in book["invitations"].iter_rows(values_only=True))
    assert (invited["teams_invited"], invited["teams_participating"], invited["declined_reorganisation"]) == (4, 3, 1)


def test_the_flow_diagram_is_a_drawing_with_the_counts(researcher, study):
    Study.objects.filter(pk=study.pk).update(title="Learning & <teams>")
    answer = researcher.get(url(study, "accounts_flow"))
    assert answer["Content-Type"] == "image/svg+xml"
    root = ElementTree.fromstring(answer.content)
    assert root.find(f"{SVG}title").text == "Learning & <teams>"
    texts = " ".join(element.text for element in root.iter(f"{SVG}text")).replace("\u00a0", " ")
    for text in ("4 teams of 3 academies invited", "(n = 3; 75.0", "(n = 30)", "(n = 18; 60.0", "(n = 15; 50.0"):
        assert text in texts
    boxes = list(root.iter(f"{SVG}rect"))[1:]
    for box in boxes:  # every box lies in the drawing
        assert float(box.get("x")) + float(box.get("width")) < float(root.get("width"))
        assert float(box.get("y")) + float(box.get("height")) < float(root.get("height"))
    tops = sorted((float(b.get("y")), float(b.get("y")) + float(b.get("height"))) for b in boxes)
    assert all(above[1] < below[0] for above, below in itertools.pairwise(tops))  # and none on another


def test_the_stages_lose_nobody(study):
    accounted = accounts(study)
    lost = accounted.teams_waiting + accounted.teams_declined + accounted.teams_withdrawn
    assert accounted.teams_invited == accounted.teams_participating + lost
    words = " ".join(line for stage in flow_diagram.stages(accounted) for line in stage.aside)
    assert words.replace("\u00a0", " ").count("(n = 12)") == 2  # not returned, and all of them without an answer


def test_a_study_without_teams_has_a_page(client):
    study = builders.make_study("empty")
    client.force_login(builders.make_researcher(study))
    assert client.get(url(study)).status_code == 200
    assert client.get(url(study, "accounts_flow")).status_code == 200


def test_the_wave_before_stands_beside_it_for_who_may_see_it(researcher, study):
    before = builders.make_study("before")
    builders.seal(builders.make_team(before, "T0", approached=5), [builders.answers(2)] * 2)
    Study.objects.filter(pk=study.pk).update(previous=before, wave=2)
    page = researcher.get(url(study), {"by": "wave"})
    assert [row.name for row in page.context["page"]] == ["2: Small"]
    study.roles.get().user.roles.create(kind="researcher", study=before)
    page = researcher.get(url(study), {"by": "wave"})
    assert [(row.name, row.people.approached) for row in page.context["page"]] == [("2: Small", 30), ("1: Before", 5)]


@pytest.mark.parametrize("group", ["team", "academy"])
def test_queries_do_not_grow_with_the_teams(researcher, study, group):
    def queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            researcher.get(url(study), {"by": group})
        return len(queries)

    few = queries()
    for number in range(20):
        builders.seal(builders.make_team(study, f"More{number}", academy=f"M{number}"), [builders.answers(1)])
    assert queries() == few
