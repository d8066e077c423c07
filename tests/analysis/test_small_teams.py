"""Researchers are readers too: of a team of fewer than k people no figure stands on a page or in a file, but by the register."""

import csv
import io
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from analysis import withdrawals
from analysis.data.small_teams import hidden
from analysis.models import AnalysisRun
from analysis.models.releases import ResultRelease
from analysis.models.results import AgreementResult, ItemResult, ResultTable, ScaleResult, TeamCount, TeamEstimate
from analysis.results.reading import results_of
from analysis.runs import execution
from surveys.models import Survey
from teams.models import Academy, Event, Participation
from teams.people import employment
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db

FEW, MANY, NEXT = "Dwergen", "Reuzen", "Reuzen0"  # without NEXT, all teams less the others would be those few


@pytest.fixture
def run():
    """A team of four who all answered alike, 2.75 on the first scale, and three of eight."""
    study = builders.make_study()
    builders.seal(builders.make_team(study, FEW), [answers(4, 3, 1) | {"BB1": 2}] * 4)
    for number in range(3):
        rows = [answers(*[(n * (item + 2) + number) % 4 + 1 for item in range(9)]) for n in range(8)]
        builders.seal(builders.make_team(study, f"{MANY}{number}"), rows)
    survey = Survey.objects.get(study=study)
    asked = execution.request_run(survey)
    assert execution.execute(asked.pk)
    return AnalysisRun.objects.select_related("survey__study", "survey__version", "plan").get(pk=asked.pk)


@pytest.fixture
def user(run):
    return builders.make_researcher(run.survey.study)


@pytest.fixture
def researcher(user) -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


def url(name: str, *args: object) -> str:
    return reverse(name, args=["small", *args])


def row_of(page: str, team: str) -> str:
    match = re.search(rf"<tr>(?:(?!</tr>).)*{team}(?:(?!</tr>).)*</tr>", page, re.S)
    assert match, team
    return re.sub(r"<[^>]+>", " ", match[0])


@pytest.mark.parametrize("name", ["result_teams", "cases", "nonresponse"])
def test_no_page_holds_the_figures_of_a_small_team(researcher, name) -> None:
    page = researcher.get(url(name)).content.decode()
    assert not re.search(r"\d\.\d", row_of(page, FEW)), row_of(page, FEW)
    assert re.search(r"\d\.\d", row_of(page, f"{MANY}1"))
    assert "fewer than 5 people answered" in page


def test_no_estimate_of_a_small_team_on_its_own_page(researcher, run) -> None:
    small = run.survey.study.participations.get(team__name=FEW)
    page = researcher.get(url("case", small.pk)).content.decode()
    assert page.count("fewer than 5 people of this team are analysed") == 3


def test_no_dot_of_a_small_team_in_a_figure(researcher) -> None:
    svg = researcher.get(url("figure", "teams-BB", "svg")).content.decode()
    assert FEW in svg
    assert svg.count("<circle") == 2


def of(researcher: Client, address: str, team: str = FEW) -> list[dict[str, str]]:
    text = b"".join(researcher.get(address).streaming_content).decode("utf-8-sig")
    return [row for row in csv.DictReader(io.StringIO(text)) if row["team"] == team]


def test_the_file_of_results_holds_only_how_many_they_are(researcher, user) -> None:
    rows = of(researcher, url("export_results"))
    assert rows
    for row in rows:
        known = {name: value for name, value in row.items() if value}
        assert set(known) == {"scale_set", "scale", "institution", "academy", "team", "n"}
        assert known["n"] == "4"
    event = Event.objects.get(kind="results_downloaded")
    assert (event.by, event.detail) == (user, "results.csv")


def test_over_all_less_the_teams_is_no_team_of_a_few(researcher) -> None:
    """What is shown over all and of each team leaves at least five people, of two teams."""
    address = url("export_results")
    assert not any(row["mean"] for row in of(researcher, address, NEXT))
    assert all(row["mean"] for row in of(researcher, address, f"{MANY}1"))
    page = researcher.get(url("result_teams")).content.decode()
    assert not re.search(r"\d\.\d", row_of(page, NEXT))


def test_what_is_not_prevented_the_report_of_a_hidden_team_shows_its_mean_rounded(researcher, run) -> None:
    """NEXT, of eight, is hidden on the pages of results only; docs/data-protection.md says what follows from its report."""
    large, small = (run.survey.study.participations.get(team__name=name) for name in (NEXT, FEW))
    page = researcher.get(url("report_preview", large.pk)).content.decode()
    assert re.search(r"\b[1-4]\.\d\b", page)
    assert not re.search(r"\b[1-4]\.\d\b", researcher.get(url("report_preview", small.pk)).content.decode())
    said = " ".join((settings.BASE_DIR / "docs" / "data-protection.md").read_text().split())
    assert "from its own report, where it stands rounded to a tenth, comes near the small team's mean" in said


@pytest.mark.parametrize(
    ("sizes", "few"),
    [
        ({1: 4, 2: 8, 3: 9}, {1, 2}),
        ({1: 2, 2: 3, 3: 9}, {1, 2}),
        ({1: 1, 2: 1, 3: 5, 4: 6}, {1, 2, 3}),
        ({1: 5, 2: 6}, set()),
        ({1: 0, 2: 5}, set()),
        ({1: 4}, {1}),
        ({}, set()),
    ],
)
def test_who_is_hidden(sizes, few) -> None:
    assert hidden(sizes, 5) == few


def test_the_list_of_who_was_set_aside_names_no_team_and_is_not_for_colleagues(researcher, user, run) -> None:
    survey = run.survey
    builders.seal(builders.make_team(survey.study, "Stilte"), [{}] + [answers(2, 3)] * 5)
    assert execution.execute(execution.request_run(survey).pk)
    page = researcher.get(url("screening")).content.decode()
    table = page.split("Responses set aside")[1].split("</table>")[0]
    assert "9/9" in table
    assert "Stilte" not in table
    employment.declare(user, survey.study, list(Academy.objects.all()))
    assert researcher.get(url("screening")).status_code == 403


def test_what_an_analysis_kept_of_a_team_that_withdraws_goes_with_it(researcher, run) -> None:
    """Rows of one person are that person's answers, and so are those over all, less the next analysis's."""
    survey, small = run.survey, run.survey.study.participations.get(team__name=FEW)
    Participation.objects.filter(pk=small.pk).update(state=Participation.State.WITHDRAWN)
    assert withdrawals.carry_out() == 1
    assert not AnalysisRun.objects.filter(survey=survey).exists()
    for model in (ScaleResult, ItemResult, AgreementResult, TeamEstimate, TeamCount, ResultTable):
        assert not model.objects.exists(), model
    assert execution.surveys_due() == [survey]
    assert FEW not in researcher.get(url("result_teams")).content.decode()


def test_by_the_register_the_figures_leave_with_their_purpose(researcher, user) -> None:
    assert researcher.post(url("results_release"), {"small-purpose": ""}).status_code == 302
    assert not ResultRelease.objects.exists()
    researcher.post(url("results_release"), {"small-purpose": "A meta-analysis of teams"})
    release = ResultRelease.objects.get()
    assert (release.purpose, release.released_by) == ("A meta-analysis of teams", user)
    page = researcher.get(url("exports")).content.decode()
    assert "A meta-analysis of teams" in page
    assert url("export_all_results", release.pk) in page
    rows = of(researcher, url("export_all_results", release.pk))
    assert all(row["mean"] and row["sd"] for row in rows)
    details = set(Event.objects.filter(kind__startswith="results_").values_list("kind", "detail"))
    assert details == {
        ("results_released", "A meta-analysis of teams"),
        ("results_downloaded", "results-all.csv: A meta-analysis of teams"),
    }


def test_a_release_of_another_study_is_none(researcher, run) -> None:
    other = builders.make_study(slug="other")
    release = ResultRelease.objects.create(study=other, purpose="x")
    assert researcher.get(url("export_all_results", release.pk)).status_code == 404


def test_scripts_get_no_figures_of_a_small_team_either(run) -> None:
    teams = results_of(run, "researcher")["teams"]
    assert {tuple(sorted(k for k, v in cell.items() if v is not None)) for cell in teams[FEW].values()} == {("n",)}
    assert all(cell["mean"] for cell in teams[f"{MANY}1"].values())


@pytest.mark.parametrize(
    ("name", "args"), [("figure", ("teams-BB", "svg")), ("nonresponse_csv", ()), ("nonresponse_xlsx", ())]
)
def test_every_file_of_results_is_in_the_history(researcher, user, name, args) -> None:
    assert researcher.get(url(name, *args)).status_code == 200
    assert Event.objects.get(kind="results_downloaded").by == user


# ------------------------------------------------------------------------------------------------ colleagues
ROWS = [
    ("get", "open_texts", ()),
    ("get", "open_texts_file", ()),
    ("post", "open_text_review", ()),
    ("post", "exports", ()),
    ("get", "release_file", (1, "csv")),
    ("post", "release_prepare", (1, "csv")),
    ("post", "results_release", ()),
    ("get", "export_all_results", (1,)),
]


@pytest.mark.parametrize(("method", "name", "args"), ROWS)
def test_rows_of_answers_are_not_for_who_works_there(researcher, user, run, method, name, args) -> None:
    study = run.survey.study
    employment.declare(user, study, list(Academy.objects.all()))
    answer = getattr(researcher, method)(url(name, *args), {"purpose": "x", "small-purpose": "x"})
    assert answer.status_code == 403
    assert "You said that you work in: Academy" in answer.content.decode()
    assert not study.row_releases.exists()
    assert not study.result_releases.exists()


@pytest.mark.parametrize(("method", "name", "args"), ROWS)
def test_everybody_is_asked_first_also_about_an_academy_that_came_later(
    researcher, user, run, method, name, args
) -> None:
    user.employments.all().delete()
    answer = getattr(researcher, method)(url(name, *args), {"purpose": "x", "small-purpose": "x"})
    assert answer.status_code == 302
    assert answer.url.startswith(url("study_employment"))
    assert not run.survey.study.row_releases.exists()


def test_the_page_asks_of_each_academy_and_goes_on(researcher, user, run) -> None:
    study = run.survey.study
    user.employments.all().delete()
    page = researcher.get(url("exports")).content.decode()
    assert "First say whether you work in one of the academies" in page
    address = url("study_employment")
    for ticks in ({}, {"academies": [Academy.objects.get().pk], "none": "on"}):
        assert "Tick the academies where you work" in researcher.post(address, ticks).content.decode()
    assert not employment.is_declared(user, study)
    answer = researcher.post(address, {"none": "on", "next": url("open_texts")})
    assert (answer.status_code, answer.url) == (302, url("open_texts"))
    assert employment.is_declared(user, study)
    assert employment.works_in(user, study) == []
    assert Event.objects.filter(kind="employment_declared", by=user).latest("pk").study == study
    away = researcher.post(address, {"none": "on", "next": "https://elsewhere.example/"})
    assert away.url == url("study_people")
