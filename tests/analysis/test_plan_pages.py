"""Changing a locked plan with a reason, and the plan as a document."""

import json

import pytest
from django.urls import reverse
from django.utils.translation import override

from analysis.models import AnalysisPlan, AnalysisRun
from analysis.plan.plans import amend_plan, hash_of, lock_plan, locked_plan, rules
from analysis.reports.groups import final_scales_of
from analysis.runs import execution
from surveys.models import Survey
from surveys.questionnaires.publishing import definition_of
from teams.models import User
from tests.analysis import builders

pytestmark = pytest.mark.django_db
#: What the page of the plan sends when it opens: the null distributions of rwg(j) as it shows them for 4 answers.
OPENED = {"nulls": ["uniform"], "own_null": "0.1 0.2 0.4 0.3"}
FORM = {
    "not_eligible": "on",
    "unanswered_over": "25",
    "nulls": ["uniform"],
    "own_null": "0.1 0.2 0.4 0.3",
    "estimators": ["ML", "MLM", "MLR"],
    "minimum_AA": "2",
    "minimum_BB": "2",
    "minimum_CC": "2",
    "k": "5",
    "reverse_keyed": ["AA3"],
    "items_AA": ["AA1", "AA2", "AA3"],
    "items_BB": ["BB1", "BB2", "BB3"],
    "items_CC": ["CC1", "CC2", "CC3"],
    "reason": "Reviewers asked for it; results were seen.",
}


@pytest.fixture
def study():
    return builders.make_study()


@pytest.fixture
def researcher(client, study):
    client.force_login(builders.make_researcher(study), backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    return client


def url(name, *args):
    return reverse(name, args=["small", *args])


def test_a_change_is_another_plan_with_its_reason_and_results_say_so(researcher, study):
    builders.three_teams(study)
    assert execution.execute(execution.request_run(Survey.objects.get(study=study)).pk)
    page = researcher.get(url("plan_amend")).content.decode()
    assert "report it as a change" in page
    answer = researcher.post(
        url("plan_amend"), FORM | {"unanswered_over": "50", "minimum_BB": "3", "estimators": ["ML"]}
    )
    assert answer.url == url("plan")
    plan = locked_plan(study)
    changed = rules(plan.content)
    assert (plan.number, plan.amendment_reason) == (2, FORM["reason"])
    assert (changed.most_unanswered, changed.rule_version, changed.estimators) == (0.5, 2, ("ML",))
    assert [scale.minimum_answered for scale in changed.scales] == [2, 3, 2]
    waiting = AnalysisRun.objects.get(state="queued")
    assert waiting.plan == plan
    assert "plan 1</a>, locked on" in researcher.get(url("results")).content.decode()
    assert execution.execute(waiting.pk)
    page = researcher.get(url("results")).content.decode()
    assert "plan 2</a>, locked on" in page
    assert FORM["reason"] in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Nothing differs"),
        ({"reason": " "}, "This field is required"),
        ({"own_null": ""}, "Choose another null distribution than the uniform"),
        ({"nulls": [], "own_null": ""}, "Choose another null distribution than the uniform"),
        (
            {"nulls": ["slight_skew"]},
            "slight_skew is not one of the available choices",
        ),  # of 4 points none is published
        ({"own_null": "0.25 0.25 0.25 0.25"}, "are the uniform distribution"),
        ({"own_null": "0 0 1 0"}, "With all on one answer"),
        ({"own_null": "0.1 0.2 0.7"}, "4 shares"),
        ({"own_null": "0.1 0.2 0.4 0.4"}, "add up to 1"),
        ({"own_null": "a b c d"}, "Write the numbers"),
        ({"own_null": "nan 0.2 0.4 0.4"}, "add up to 1"),
        ({"minimum_AA": "4"}, "less than or equal to 3"),
        ({"k": "4"}, "greater than or equal to 5"),
        ({"items_AA": ["AA1"]}, "at least two items"),
        ({"items_AA": ["AA1", "AA2"], "minimum_AA": "3"}, "Only 2 questions are left"),
        ({"estimators": []}, "This field is required"),
    ],
)
def test_what_is_no_change_is_refused_in_words(researcher, study, changes, sentence):
    page = researcher.post(url("plan_amend"), FORM | changes)
    assert sentence in page.content.decode()
    assert AnalysisPlan.objects.count() == 1


def test_a_lower_screening_bound_alone_keeps_the_rest(researcher, study):
    before = locked_plan(study).content
    researcher.post(url("plan_amend"), FORM | {"unanswered_over": ""})
    after = locked_plan(study).content
    assert {key for key in before if before[key] != after[key]} == {"screening"}
    assert after["screening"] == {"version": 2, "not_eligible": True, "unanswered_over": None}


def test_without_a_plan_there_is_nothing_to_change(researcher, study):
    AnalysisPlan.objects.all().delete()
    assert researcher.get(url("plan_amend")).url == url("plan")
    assert researcher.get(url("plan_document", 1)).status_code == 404


def test_the_document_holds_rules_questions_and_a_hash_that_can_be_checked(researcher, study):
    plan = locked_plan(study)
    page = researcher.get(url("plan_document", 1)).content.decode()
    assert plan.content_hash in page
    assert "25 %" in page
    assert "Two" in page
    data = json.loads(researcher.get(url("plan_json", 1)).content)
    assert hash_of(data["content"]) == data["hash"] == plan.content_hash
    assert (data["plan"], data["reason_of_the_change"]) == (1, None)


def test_questions_reverse_keys_and_k_can_be_amended_and_results_follow(researcher, study):
    builders.seal(builders.make_team(study, "A"), [builders.answers(4, 4, 1, 4, 4, 1, 2, 3, 2)] * 6)
    assert execution.execute(execution.request_run(Survey.objects.get(study=study)).pk)
    changes = {"items_CC": ["CC1", "CC2"], "reverse_keyed": ["AA3", "BB3"], "k": "6"}
    assert researcher.post(url("plan_amend"), FORM | changes).status_code == 302
    changed = rules(locked_plan(study).content)
    assert [scale.items for scale in changed.scales][2] == ("CC1", "CC2")
    assert changed.reverse_keyed == ("AA3", "BB3")
    study.refresh_from_db()
    assert (study.k, changed.k) == (6, 6)
    run = AnalysisRun.objects.get(state="queued")
    assert execution.execute(run.pk)
    means = dict(run.scaleresults.filter(participation=None, scale_set="final").values_list("scale", "mean"))
    assert means == {"AA": 4.0, "BB": 4.0, "CC": 2.5}
    item = next(
        item
        for scale in final_scales_of(run, definition_of(run.survey.version))
        for item in scale.items
        if item.code == "BB3"
    )
    assert item.reverse_keyed


# ------------------------------------------------------------------------------------------------ teams that see themselves in the meeting
@pytest.fixture
def unopened(study):
    """The study as it was before its plan was locked."""
    AnalysisPlan.objects.all().delete()
    Survey.objects.filter(study=study).update(plan_hash="", opened_at=None)
    return study


@pytest.mark.parametrize("mirror", [True, False])
def test_whether_teams_see_themselves_in_the_meeting_is_chosen_when_the_plan_is_locked(researcher, unopened, mirror):
    page = researcher.get(url("plan")).content.decode()
    assert "It makes teams less comparable" in page
    assert 'name="mirror"' in page
    assert "checked" not in page.split('name="mirror"')[1].partition(">")[0]
    researcher.post(url("survey_open"), OPENED | ({"mirror": "on"} if mirror else {}))
    plan, survey = AnalysisPlan.objects.get(), Survey.objects.get()
    assert survey.mirror is rules(plan.content).mirror is mirror
    assert ("mirror" in plan.content) is mirror, "plans without it keep the hash that they had"
    assert plan.content_hash == hash_of(plan.content) == survey.plan_hash
    said = "as soon as whoever leads it closes it for good"
    for page in (url("plan"), url("plan_document", 1)):
        assert (said in " ".join(researcher.get(page).content.decode().split())) is mirror
    assert researcher.get(url("plan_json", 1)).json()["content"].get("mirror", False) is mirror


def test_the_nulls_are_chosen_when_the_plan_is_locked(researcher, unopened):
    page = researcher.get(url("plan")).content.decode()
    assert "those that are chosen above" in page
    assert 'value="0.1 0.2 0.4 0.3"' in page
    answer = researcher.post(url("survey_open"), {"nulls": ["uniform"], "own_null": "", "mirror": "on"})
    page = answer.content.decode()
    assert "Choose another null distribution than the uniform" in page
    assert "checked" in page.split('name="mirror"')[1].partition(">")[0], "what was chosen stays"
    assert not AnalysisPlan.objects.exists()
    assert Survey.objects.get().opened_at is None
    researcher.post(url("survey_open"), {"nulls": ["uniform"], "own_null": "0 0.2 0.4 0.4"})
    plan = AnalysisPlan.objects.get()
    assert plan.content["agreement"] == {"nulls": ["uniform", "own"], "own": [0, 0.2, 0.4, 0.4]}
    assert Survey.objects.get().plan_hash == plan.content_hash == hash_of(plan.content)


def test_opening_that_was_interrupted_follows_the_plan_that_was_locked(researcher, unopened):
    lock_plan(unopened, None, mirror=True)
    assert 'name="mirror"' not in researcher.get(url("plan")).content.decode()
    researcher.post(url("survey_open"), OPENED)
    assert Survey.objects.get().mirror


@pytest.mark.parametrize("mirror", [True, False])
def test_no_change_of_the_plan_switches_it_on_or_off(researcher, unopened, mirror):
    plan = lock_plan(unopened, None, mirror=mirror)
    user = User.objects.get()
    other = {**plan.content, "mirror": not mirror, "k": 8}
    with override("en"), pytest.raises(ValueError, match="cannot be changed: teachers read it"):
        amend_plan(unopened, other, "We thought better of it", user)
    assert "cannot be changed: teachers read it" in researcher.get(url("plan_amend")).content.decode()
    researcher.post(url("plan_amend"), FORM | {"unanswered_over": "50"})
    assert rules(locked_plan(unopened).content).mirror is mirror
    assert locked_plan(unopened).number == 2
