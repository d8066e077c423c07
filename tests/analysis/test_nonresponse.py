"""Who did not answer: counts by hand, what is told of background answers, and that no two tables tell on one team."""

import json

import pytest

from analysis import disclosure
from analysis.models import AnalysisRun
from analysis.models.comparisons import KnownComposition
from analysis.models.releases import RowRelease
from analysis.models.results import ResultTable
from analysis.runs import execution
from surveys.models import QuestionnaireVersion, Survey
from surveys.questionnaires.definition import content_hash
from teams.models import Participation, Team
from tests.analysis import builders
from tests.analysis.builders import answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    study = builders.make_study()
    Survey.objects.filter(study=study).update(background=["years", "part"])
    return study


def analyse(study):
    run = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(run.pk)
    return AnalysisRun.objects.get(pk=run.pk)


def table(run, name):
    return ResultTable.objects.get(run=run, kind="nonresponse", name=name).content


def seal(study, name, years, *, approached=10, mode="online", part="part", value=3):
    team = builders.make_team(study, name, approached=approached, mode=mode)
    builders.seal(team, [answers(value, value, 5 - value, value) | {"years": year, "part": part} for year in years])
    return team


def group(found, name):
    return next(group for group in found["groups"] if group["group"] == name)


# ------------------------------------------------------------------------------------------------ groups of teams
def test_teams_by_what_is_known_of_them(study):
    """Online 6 of 10 and 2 of 20, in a meeting 8 of 10; one team said no."""
    seal(study, "A", ["short"] * 6)
    seal(study, "B", ["short"] * 2, approached=20)
    seal(study, "C", ["long"] * 8, mode="contact")
    unwilling = builders.make_team(study, "D")
    Participation.objects.filter(pk=unwilling.pk).update(state=Participation.State.DECLINED)
    Team.objects.filter(name="C").update(form=Team.Form.PART_TIME)
    run = analyse(study)
    online = group(table(run, "mode"), "online")
    assert (online["n_teams"], online["approached"], online["returned"]) == (2, 30, 8)
    assert online["rate"] == pytest.approx(8 / 30)
    assert online["share_approached"] == pytest.approx(30 / 40)
    assert online["share_returned"] == pytest.approx(8 / 16)
    assert 0 <= online["low"] < online["rate"] < online["high"] <= 1
    meeting = group(table(run, "mode"), "contact")
    assert (meeting["rate"], meeting["low"], meeting["high"]) == (0.8, None, None)
    assert group(table(run, "size"), "from_20_under_40")["returned"] == 2
    full_time = group(table(run, "form"), "full_time")
    assert (full_time["invited"], full_time["taking_part"], full_time["n_teams"]) == (3, 2, 2)
    (academy,) = table(run, "academy")["groups"]
    assert (academy["invited"], academy["taking_part"], academy["approached"]) == (4, 3, 40)


# ------------------------------------------------------------------------------------------------ rates and scores
def test_rates_beside_scores_every_team_once(study):
    for number, (n, value) in enumerate([(2, 1), (4, 2), (6, 3), (8, 4), (10, 4), (11, 1)]):
        seal(study, f"T{number}", ["short"] * n, value=value)
    content = table(analyse(study), "score BB")
    assert (content["n_teams"], content["surplus"], content["no_score"]) == (5, 1, 0)
    assert content["points"] == [[0.6, 3], [0.8, 4], [1, 4]]  # not of the two small teams; all are in the correlations
    # r = Σ(x − .6)(y − 2.8)/√(Σ(x − .6)² Σ(y − 2.8)²) = 1.6/√(.4 · 6.8)
    assert content["pearson"]["r"] == pytest.approx(1.6 / (0.4 * 6.8) ** 0.5)
    # ranks 1 2 3 4 5 beside 1 2 3 4.5 4.5: 9.5/√(10 · 9.5)
    assert content["spearman"]["r"] == pytest.approx((9.5 / 10) ** 0.5)
    assert content["pearson"]["low"] < content["pearson"]["r"] < content["pearson"]["high"]
    assert content["cells"] == []


def test_many_teams_are_counted_in_cells(study, monkeypatch):
    monkeypatch.setattr("analysis.runs.nonresponse.MOST_POINTS", 2)
    for number in range(3):
        seal(study, f"T{number}", ["short"] * 10, value=4)
    content = table(analyse(study), "score BB")
    assert (content["points"], content["cells"]) == ([], [[19, 19, 3]])
    assert content["pearson"]["problem"] == "too_few_observations"


# ------------------------------------------------------------------------------------------------ background questions
def test_respondents_beside_the_population(study):
    KnownComposition.objects.create(study=study, question="years", counts=[30, 70], source="HR, 2026")
    for name in "ABCD":
        seal(study, name, ["short"] * 5 + ["long"] * 4 + [""])
    content = table(analyse(study), "question years")
    assert (content["counts"], content["n"], content["missing"], content["n_teams"]) == ([20, 16], 40, 4, 4)
    assert (content["groups"], content["known"], content["source"]) == ([["short"], ["long"]], [30, 70], "HR, 2026")
    # w² = (20/36 − .3)²/.3 + (16/36 − .7)²/.7
    assert content["w"] == pytest.approx(((20 / 36 - 0.3) ** 2 / 0.3 + (16 / 36 - 0.7) ** 2 / 0.7) ** 0.5)
    assert content["problem"] == "no_variance", "all teams have the same shares: chance between teams is not known"
    assert content["p"] is None
    alone = table(AnalysisRun.objects.get(), "question part")
    assert (alone["counts"], alone["known"]) == ([40, 0], [])


def test_an_answer_of_few_is_taken_together_or_nothing_is_told(study):
    for name in "ABC":
        seal(study, name, ["short"] * 9 + ["long"])
    assert table(analyse(study), "question years") == {"withheld": "answers"}


def test_a_question_that_nobody_answered(study):
    KnownComposition.objects.create(study=study, question="years", counts=[30, 70], source="HR, 2026")
    for name in "ABC":
        seal(study, name, [""] * 9)
    assert table(analyse(study), "question years") == {"withheld": "nobody"}


def test_background_is_not_counted_in_fewer_than_three_teams(study):
    for name in "AB":
        seal(study, name, ["short"] * 10 + ["long"] * 10)
    run = analyse(study)
    assert table(run, "question years") == {"withheld": "teams"}
    seal(study, "C", ["short"] * 10 + ["long"] * 10)
    run = analyse(study)
    assert table(run, "question years")["counts"] == [30, 30]


def test_a_table_does_not_grow_by_one_team(study):
    for name in "ABC":
        seal(study, name, ["short"] * 10 + ["long"] * 10)
    first = table(analyse(study), "question years")
    seal(study, "D", ["short"] * 6 + ["long"] * 1)
    again = table(analyse(study), "question years")
    assert (again["counts"], again["n_teams"]) == (first["counts"], 3), "D alone would be the difference"
    for name in "EF":
        seal(study, name, ["short"] * 10 + ["long"] * 10)
    assert table(analyse(study), "question years")["n_teams"] == 6
    Participation.objects.filter(team__name="D").update(state=Participation.State.WITHDRAWN)
    Survey.objects.filter(study=study).update(n_seals=99)
    last = table(analyse(study), "question years")
    assert (last["counts"], last["n_teams"]) == (first["counts"], 3), "what was told before can stand again"


def test_rows_released_with_background_count_as_told(study):
    teams = [seal(study, name, ["short"] * 10 + ["long"] * 10).pk for name in "ABCD"]
    RowRelease.objects.create(
        study=study, purpose="x", background=["years"], participations=teams[:3], n_rows=1, smallest_cell=5
    )
    assert table(analyse(study), "question years")["n_teams"] == 3


# ------------------------------------------------------------------------------------------------ numbers
@pytest.fixture
def ages(study):
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
    Survey.objects.filter(pk=survey.pk).update(version=version, background=["age"])
    for name in "ABC":
        team = builders.make_team(study, name, approached=30)
        builders.seal(team, [answers(1, 2) | {"age": age} for age in (25, 28, 33, 36, 37, 44, 47, 48, 52, 68)])
    return study


def test_numbers_are_counted_in_bands(ages):
    content = table(analyse(ages), "question age")
    assert content["limits"] == [10, 20, 30, 40, 50, 70, 80, 90]
    assert content["counts"] == [0, 0, 6, 9, 9, 6, 0, 0, 0], "the fifties are three people, and so are the sixties"
    KnownComposition.objects.create(study=ages, question="age", limits=[30.0, 50.0], counts=[1, 2, 1], source="HR")
    other = table(analyse(ages), "question age")
    assert (other["limits"], other["counts"], other["known"]) == ([30, 50], [6, 18, 6], [1, 2, 1])
    KnownComposition.objects.update(limits=[29.0, 48.0], counts=[1, 2, 1])
    assert table(analyse(ages), "question age") == {"withheld": "bands"}, "from 48 to 49 are three people"


def test_results_are_json_and_equal_again(ages):
    first, again = (
        list(
            ResultTable.objects.filter(run=analyse(ages), kind="nonresponse").order_by("name").values("name", "content")
        )
        for _ in range(2)
    )
    assert first == again
    assert json.dumps(first, allow_nan=False)


# ------------------------------------------------------------------------------------------------ the judge
@pytest.mark.parametrize(
    ("counts", "groups"),
    [
        ([8, 2, 3, 7], [(0,), (1, 2), (3,)]),
        ([5, 0, 5], [(0,), (1,), (2,)]),
        ([9, 1], None),
        ([2, 2], None),
        ([0, 0], [(0,), (1,)]),
        ([6, 1, 0, 9], [(0, 1), (2,), (3,)]),
        ([6, 6, 3, 0, 0], [(0,), (1, 2), (3,), (4,)]),
    ],
)
def test_answers_are_taken_together_with_neighbours(counts, groups):
    assert disclosure.answers_together(counts, 5) == groups


def test_teams_that_may_be_counted_together():
    first = {1, 2, 3}
    assert disclosure.teams_counted({1, 2}, []) is None
    assert disclosure.teams_counted(first, []) == first
    assert disclosure.teams_counted({1, 2, 3, 4}, [first]) == first
    assert disclosure.teams_counted({1, 2, 3, 4, 5, 6}, [first]) == {1, 2, 3, 4, 5, 6}
    assert disclosure.teams_counted({2, 3, 4, 5}, [first]) is None, (
        "1 is gone: nothing can stand beside the first table"
    )
