"""The page of who did not answer: what it says, its files, and the numbers of the population that a researcher enters."""

import csv
import io

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analysis.models import AnalysisRun
from analysis.models.comparisons import KnownComposition
from analysis.results import nonresponse_tables
from analysis.results.figures import scatter
from analysis.runs import execution
from surveys.models import QuestionnaireVersion, Survey
from surveys.questionnaires.definition import content_hash
from teams.models import Event
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    study = builders.make_study()
    survey = Survey.objects.select_related("version").get(study=study)
    content = survey.version.content
    age = {"code": "age", "type": "number", "text": {"en": "How old?"}, "minimum": 0, "maximum": 90, "decimals": False}
    wider = {**content, "background": [*content["background"], age]}
    version = QuestionnaireVersion.objects.create(
        questionnaire=survey.version.questionnaire,
        number=100,
        content=wider,
        content_hash=content_hash(wider),
    )
    Survey.objects.filter(pk=survey.pk).update(version=version, background=["years", "age"])
    return study


@pytest.fixture
def researcher(client, study):
    client.force_login(builders.make_researcher(study), backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    return client


def seal(study, first, last):
    for number in range(first, last):
        rows = [
            answers(*[(person * (item + 2) + number) % 4 + 1 for item in range(9)])
            | {"years": "short" if (person + number) % 3 else "long", "age": 25 + 7 * (person % 5)}
            for person in range(5 + number % 4)
        ]
        builders.seal(builders.make_team(study, f"T{number:02}", academy=f"Academy {number % 3}"), rows)


def analyse(study):
    run = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(run.pk)
    return AnalysisRun.objects.get(pk=run.pk)


def url(name, *args):
    return reverse(name, args=["small", *args])


def text(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_says_what_it_can_and_what_it_cannot(researcher, study):
    seal(study, 0, 6)
    analyse(study)
    page = text(researcher.get(url("nonresponse") + "?by=academy&scale=BB"))
    assert "does not prove that nonresponse did no harm" in page
    assert "University: Academy 1" in page
    assert "Over 6 teams; each counts once" in page
    assert page.count("data:image/svg+xml") == 1
    assert "How long?" in page
    assert "Enter the numbers of the population" in page
    for factor in ("sector", "form", "mode", "size", "institution", "nonsense"):
        assert "of respondents" in text(researcher.get(url("nonresponse") + f"?by={factor}"))
    assert "under 10 teachers" not in text(researcher.get(url("nonresponse") + "?by=size"))
    assert "10–19 teachers" in text(researcher.get(url("nonresponse") + "?by=size"))


def test_numbers_of_the_population_start_a_run_and_stand_beside_the_respondents(researcher, study):
    seal(study, 0, 6)
    analyse(study)
    page = url("composition", "years")
    assert "This field is required" in text(researcher.post(page, {"count_0": "4"}))
    assert "at least one number above 0" in text(
        researcher.post(page, {"count_0": "0", "count_1": "0", "source": "HR"})
    )
    assert not KnownComposition.objects.exists()
    said = text(researcher.post(page, {"count_0": "300", "count_1": "100", "source": "HR, 2026"}, follow=True))
    assert "The analysis is running again" in said
    known = KnownComposition.objects.get()
    assert (known.counts, known.limits, known.source) == ([300, 100], [], "HR, 2026")
    run = AnalysisRun.objects.get(state="queued")
    assert execution.execute(run.pk)
    assert set(run.steps.filter(reused=False).values_list("name", flat=True)) == {"nonresponse"}
    shown = text(researcher.get(url("nonresponse")))
    assert "75.0" in shown
    assert "HR, 2026" in shown
    assert "The difference is" in shown
    assert 'value="300"' in text(researcher.get(page))
    researcher.post(page, {"remove": "1"})
    assert not KnownComposition.objects.exists()
    assert list(Event.objects.filter(kind__startswith="composition").order_by("pk").values_list("kind", flat=True)) == [
        "composition_entered",
        "composition_removed",
    ]


def test_bands_of_a_number_are_chosen_first(researcher, study):
    page = url("composition", "age")
    first = text(researcher.get(page))
    assert 'value="10, 20, 30, 40, 50, 60, 70, 80, 90"' in first
    assert "must increase" in text(researcher.get(page + "?limits=40,30"))
    chosen = text(researcher.get(page + "?limits=30,50"))
    assert "30–49" in chosen
    assert 'name="count_3"' not in chosen
    data = {"limits": "30, 50", "count_0": "1", "count_1": "2", "count_2": "1", "source": "HR"}
    said = text(researcher.post(page, data, follow=True))
    assert "Saved." in said
    assert "runs again" not in said, "nothing is sealed"
    assert KnownComposition.objects.get().limits == [30, 50]
    assert "under 30" in text(researcher.get(page))


def test_only_questions_that_are_asked(researcher, study):
    assert researcher.get(url("composition", "part")).status_code == 404
    assert researcher.get(url("composition", "eligibility")).status_code == 404


def test_files_hold_what_the_page_shows(researcher, study):
    KnownComposition.objects.create(study=study, question="years", counts=[3, 1], source="HR")
    seal(study, 0, 6)
    run = analyse(study)
    answer = researcher.get(url("nonresponse_csv"))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode().removeprefix("\ufeff"))))
    of = {(row["table"], row["name"], row["row"], row["statistic"]): row["value"] for row in rows}
    group = nonresponse_tables.group_rows(run, "academy")[0]
    assert float(of["teams", "academy", group["label"], "rate"]) == group["rate"]
    scores = nonresponse_tables.table(run, "score BB")
    assert float(of["scores", "Second", "spearman", "r"]) == scores["spearman"]["r"]
    assert of["answers", "How long?", "Short", "known_share"] == "0.75"
    assert of["teams", "mode", "online, each by a personal link", "invited"] == ""
    book = openpyxl.load_workbook(io.BytesIO(researcher.get(url("nonresponse_xlsx")).content))
    assert book.sheetnames == ["teams", "scores", "answers", "tests"]
    assert [cell.value for cell in book["tests"][2]][:3] == ["How long?", "chi-square, corrected for teams", 37]


def test_files_before_an_analysis_are_not_there(researcher, study):
    assert researcher.get(url("nonresponse_csv")).status_code == 404


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.1, 0.4, "scored higher"),
        (-0.4, -0.1, "scored lower"),
        (-0.1, 0.3, "No clear relation"),
        (None, None, "too few"),
    ],
)
def test_the_sentence_follows_the_interval(low, high, words):
    found = {"spearman": {"low": low, "high": high, "r": 0, "p": 1, "problem": "" if low else "too_few_observations"}}
    assert words in nonresponse_tables.sentence(found, "Second")


def test_queries_do_not_grow_with_teams(researcher, study):
    counts = []
    for first, last in ((0, 4), (4, 24)):
        seal(study, first, last)
        analyse(study)
        measured = []
        for address in ("nonresponse", "nonresponse_csv"):
            with CaptureQueriesContext(connection) as queries:
                answer = researcher.get(url(address) + "?by=academy")
                assert answer.status_code == 200
                _ = answer.getvalue() if answer.streaming else answer.content
            measured.append(len(queries))
        counts.append(measured)
    assert counts[0] == counts[1]


def test_the_plot_stands_in_its_frame():
    svg = scatter([[0, 1], [1, 4]], [], 20, 4, ("a", "b & c"))
    assert svg.count("<circle") == 2
    assert 'cx="52.0" cy="292.0"' in svg
    assert 'cx="452.0" cy="12.0"' in svg
    assert "b &amp; c" in svg
    cells = scatter([], [[0, 0, 1], [19, 19, 4]], 20, 4, ("a", "b"))
    assert 'x="432.0" y="12.0" width="20.0" height="14.0"' in cells
    assert 'width="10.0" height="7.0"' in cells, "a quarter of the teams is a quarter of the area"
