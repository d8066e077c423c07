"""The only writer of responses. Races run in threads on a real database; a constraint or one update decides them."""

import datetime

import pytest
from django.utils import timezone

from surveys import collections, links, remembered, sealing, submission
from surveys.models import Collection, DayCount, Meeting, Response
from surveys.submission import Closed, InvalidAnswers, Outcome, TooManyJoins
from tests.surveys.conftest import in_threads

ALL = {f"{scale}{n}": 3 for scale in ("GV", "IV", "IS", "OD", "CH", "ER") for n in range(1, 7)}


@pytest.fixture
def key(meeting) -> str:
    return submission.start_in_meeting(meeting, "nl")


# ------------------------------------------------------------------------------------------------ joining


def test_a_code_opens_its_meeting_however_it_is_typed(meeting, django_assert_num_queries):
    typed = f" {meeting.code[:3].lower()}-{meeting.code[3:]} "
    assert submission.join(meeting.code) == meeting
    with django_assert_num_queries(1):
        found = submission.join(typed)
    assert found == meeting


@pytest.mark.parametrize("code", ["", "  ", "AAAAAA", "'; drop table", "é" * 6])
def test_a_wrong_code_opens_nothing(meeting, code):
    assert submission.join(code) is None


def test_a_closed_collection_takes_nobody_new(collection, meeting):
    collections.close_collection(collection)
    assert submission.join(meeting.code) is None
    with pytest.raises(Closed):
        submission.start_in_meeting(meeting)
    assert not Response.objects.exists()


def test_keys_of_meetings_are_random_and_long(meeting):
    keys = {submission.start_in_meeting(meeting) for _n in range(5)}
    assert len(keys) == 5
    assert {len(key) for key in keys} == {43}


@pytest.mark.django_db(transaction=True)
def test_an_offered_key_makes_one_response_however_often_it_is_sent(meeting):
    offered = submission.offer_key(meeting)
    assert not Response.objects.exists()
    results = in_threads(*[lambda: submission.start_in_meeting(meeting, "nl", offered)] * 5)
    assert len(set(results)) == 1
    assert Response.objects.get().key == offered.split(".")[0]


def test_a_key_that_was_not_offered_here_is_not_taken(meeting):
    key = submission.start_in_meeting(meeting, "nl", "A" * 43 + ".forged")
    assert key != "A" * 43


def test_joins_stop_at_three_per_teacher_until_the_facilitator_allows_more(collection, meeting):
    submission.submit_many(collection, [{"answers": {"GV1": 1}}] * 36)
    with pytest.raises(TooManyJoins):
        submission.start_in_meeting(meeting)
    Meeting.objects.filter(pk=meeting.pk).update(joins_confirmed=1)
    submission.start_in_meeting(meeting)
    with pytest.raises(TooManyJoins):
        submission.start_in_meeting(meeting)


@pytest.mark.django_db(transaction=True)
def test_the_limit_of_joins_holds_in_a_race(collection, meeting):
    submission.submit_many(collection, [{"answers": {"GV1": 1}}] * 34)
    results = in_threads(*[lambda: submission.start_in_meeting(meeting)] * 8)
    assert sum(isinstance(result, str) for result in results) == 2
    assert sum(isinstance(result, TooManyJoins) for result in results) == 6
    assert collection.responses.count() == 36


@pytest.mark.django_db(transaction=True)
def test_a_personal_link_opened_in_many_tabs_is_one_response(invitees):
    results = in_threads(*[lambda: submission.start_by_link(invitees[0], "en")] * 6)
    assert len(set(results)) == 1
    response = Response.objects.get()
    assert (response.key, response.by_link, response.language) == (results[0], True, "en")


def test_whoever_started_by_link_may_go_on_after_closing(online, invitees):
    key = submission.start_by_link(invitees[0])
    collections.close_collection(online)
    assert submission.start_by_link(invitees[0]) == key
    with pytest.raises(Closed):
        submission.start_by_link(invitees[1])


# ------------------------------------------------------------------------------------------------ saving


def test_a_save_is_one_statement_after_the_first(key, django_assert_num_queries):
    with django_assert_num_queries(3):  # and where it belongs, and what is asked there
        submission.save(key, 1, {"GV1": 1})
    with django_assert_num_queries(1):
        written = submission.save(key, 2, {"GV1": 2, "GV2": "x"}, eligibility="yes", language="en")
    assert written == submission.Written(Outcome.SAVED, 2, {"GV1": 2, "GV2": "x"}, "yes")
    response = Response.objects.get()
    assert (response.answers, response.sequence, response.language) == ({"GV1": 2, "GV2": "x"}, 2, "en")


def test_in_which_order_somebody_answered_is_not_kept(meeting):
    answers = {"counsellor": "no", "ER1": 1, "GV2": 2, "GV1": 3}
    for order in (answers, dict(reversed(answers.items()))):
        submission.save(submission.start_in_meeting(meeting), 1, order)
    first, second = [list(response.answers) for response in Response.objects.all()]
    assert first == second


def test_a_repeat_changes_nothing_and_is_acknowledged(key):
    submission.save(key, 1, {"GV1": 1})
    assert submission.save(key, 1, {"GV1": 1}).outcome == Outcome.SAVED
    assert Response.objects.get().sequence == 1


def test_an_older_save_never_overwrites_and_learns_what_stands_there(key):
    submission.save(key, 1, {"GV1": 1})
    submission.save(key, 2, {"GV1": 1, "GV2": 2})
    for sequence, answers in [(1, {"GV1": 4}), (2, {"GV1": 4})]:
        written = submission.save(key, sequence, answers)
        assert written == submission.Written(Outcome.CONFLICT, 2, {"GV1": 1, "GV2": 2}, "")
    assert Response.objects.get().answers == {"GV1": 1, "GV2": 2}


def test_a_save_that_skips_what_others_saved_is_a_conflict(key):
    submission.save(key, 1, {"GV1": 1})
    assert submission.save(key, 7, {"GV2": 2}).outcome == Outcome.CONFLICT


@pytest.mark.django_db(transaction=True)
def test_of_two_tabs_that_save_at_once_one_wins_and_the_other_merges(key):
    def tab(code):
        answers, sequence = {code: 1}, 1
        while (written := submission.save(key, sequence, answers)).outcome == Outcome.CONFLICT:
            answers, sequence = {**written.answers, **answers}, written.sequence + 1
        return written.outcome

    codes = ["GV1", "GV2", "GV3", "GV4", "GV5"]
    assert in_threads(*[lambda code=code: tab(code) for code in codes]) == [Outcome.SAVED] * 5
    response = Response.objects.get()
    assert response.answers == dict.fromkeys(codes, 1)
    assert response.sequence == 5


@pytest.mark.django_db(transaction=True)
def test_steps_sent_without_javascript_at_once_are_all_kept(key):
    codes = ["GV1", "GV2", "GV3", "GV4", "GV5"]
    in_threads(*[lambda code=code: submission.merge(key, {code: 2}) for code in codes])
    assert Response.objects.get().answers == dict.fromkeys(codes, 2)


@pytest.mark.parametrize(
    "answers",
    [
        {"GV9": 1},
        {"GV1": 0},
        {"GV1": 5},
        {"GV1": "1"},
        {"GV1": True},
        {"GV1": None},
        {"GV1": 1.0},
        {"GV1": [1]},
        {"years_in_team": 1},
        {"years_in_team": "never"},
        {"eligibility": "yes"},
        ["GV1"],
    ],
)
def test_answers_that_the_questionnaire_does_not_know_are_refused(key, answers):
    with pytest.raises(InvalidAnswers):
        submission.save(key, 1, answers)
    assert Response.objects.get().sequence == 0


def test_a_background_question_that_the_study_does_not_ask_is_refused(survey, meeting):
    submission.save(submission.start_in_meeting(meeting), 1, {"counsellor": "yes"})
    survey.background = ["years_in_team"]
    survey.save(update_fields=["background"])
    remembered.forget()
    with pytest.raises(InvalidAnswers):
        submission.save(submission.start_in_meeting(meeting), 1, {"counsellor": "yes"})


@pytest.mark.parametrize("eligibility", ["maybe", 1, ["yes"]])
def test_an_unknown_eligibility_is_refused(key, eligibility):
    with pytest.raises(InvalidAnswers):
        submission.save(key, 1, {}, eligibility=eligibility)


@pytest.mark.parametrize("sequence", [0, -1, 2**31, "1", True, None])
def test_a_sequence_that_is_none_is_refused(key, sequence):
    with pytest.raises(InvalidAnswers):
        submission.save(key, sequence, {})


def test_an_unknown_key_is_told_apart(db):
    assert submission.save("nobody", 1, {}).outcome == Outcome.UNKNOWN
    assert submission.merge("nobody", {}).outcome == Outcome.UNKNOWN
    assert submission.find("") is None


# ------------------------------------------------------------------------------------------------ submitting


def test_submitting_is_counted_once_however_often_it_is_sent(key):
    for _n in range(3):
        written = submission.submit(key, 1, ALL, eligibility="yes")
        assert written.outcome == Outcome.SUBMITTED
    response = Response.objects.get()
    assert (response.state, response.answers, response.sequence) == ("submitted", ALL, 1)
    assert DayCount.objects.get().n == 1


def test_after_submitting_nothing_changes(key):
    submission.submit(key, 1, {"GV1": 1})
    assert submission.save(key, 2, {"GV1": 4}).outcome == Outcome.SUBMITTED
    assert submission.submit(key, 2, {"GV1": 4}).outcome == Outcome.SUBMITTED
    assert submission.merge(key, {"GV1": 4}).outcome == Outcome.SUBMITTED
    assert Response.objects.get().answers == {"GV1": 1}


def test_submitting_what_was_saved_under_the_same_number_works(key):
    submission.save(key, 1, {"GV1": 1})  # its acknowledgement got lost
    assert submission.submit(key, 1, {"GV1": 1}).outcome == Outcome.SUBMITTED


def test_submitting_over_another_tabs_answers_is_a_conflict_first(key):
    submission.save(key, 1, {"GV1": 1})
    written = submission.submit(key, 1, {"GV2": 2})
    assert (written.outcome, written.answers) == (Outcome.CONFLICT, {"GV1": 1})
    assert Response.objects.get().state == "draft"


@pytest.mark.django_db(transaction=True)
def test_of_many_submits_at_once_one_counts(key):
    results = in_threads(*[lambda n=n: submission.submit(key, 1, {"GV1": n}) for n in (1, 2, 3, 4)])
    assert [written.outcome for written in results] == [Outcome.SUBMITTED] * 4
    response = Response.objects.get()
    assert {tuple(written.answers.items()) for written in results} == {tuple(response.answers.items())}
    assert DayCount.objects.get().n == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_submit_at_once_are_all_counted(meeting):
    keys = [submission.start_in_meeting(meeting) for _n in range(8)]
    in_threads(*[lambda key=key: submission.submit(key, 1, ALL) for key in keys])
    assert Response.objects.filter(state="submitted").count() == 8
    assert DayCount.objects.get().n == 8


def test_who_started_before_closing_may_finish_until_sealing(collection, key):
    collections.close_collection(collection)
    assert submission.save(key, 1, {"GV1": 1}).outcome == Outcome.SAVED
    assert submission.submit(key, 2, ALL).outcome == Outcome.SUBMITTED


@pytest.mark.parametrize("write", [submission.save, submission.submit])
def test_once_a_sealing_has_begun_nothing_is_acknowledged(collection, key, write):
    collections.close_collection(collection)
    Collection.objects.filter(pk=collection.pk).update(sealing=True)
    assert write(key, 1, {"GV1": 1}).outcome == Outcome.UNKNOWN
    assert not submission.delete(key)
    assert Response.objects.get().answers == {}
    assert not DayCount.objects.exists()


# ------------------------------------------------------------------------------------------------ deleting


def test_a_draft_and_a_submitted_response_can_be_deleted(meeting):
    first, second = submission.start_in_meeting(meeting), submission.start_in_meeting(meeting)
    submission.submit(first, 1, ALL)
    assert DayCount.objects.get().n == 1
    assert submission.delete(first)
    assert submission.delete(second)
    assert not submission.delete(first)
    assert not Response.objects.exists()
    assert DayCount.objects.get().n == 0


def test_after_deleting_a_late_save_does_not_bring_answers_back(key):
    submission.delete(key)
    assert submission.save(key, 1, {"GV1": 1}).outcome == Outcome.UNKNOWN
    assert not Response.objects.exists()


def test_after_deleting_the_same_link_starts_anew(invitees):
    key = submission.start_by_link(invitees[0])
    submission.submit(key, 1, ALL)
    submission.delete(key)
    assert submission.start_by_link(invitees[0]) == key
    assert Response.objects.get().answers == {}


def test_after_sealing_nothing_can_be_deleted(collection, key):
    collections.close_collection(collection)
    sealing.seal(collection)
    assert not submission.delete(key)
    assert Response.objects.count() == 1


# ------------------------------------------------------------------------------------------------ many at once


def test_many_are_written_and_counted_per_day(collection):
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    rows = [
        {"answers": ALL, "eligibility": "yes", "day": yesterday},
        {"answers": {}, "eligibility": "no_too_short"},
        {"answers": {"GV1": "x", "counsellor": "no"}, "state": "draft"},
    ]
    assert submission.submit_many(collection, rows) == 3
    assert sorted(Response.objects.values_list("state", flat=True)) == ["draft", "submitted", "submitted"]
    assert dict(DayCount.objects.values_list("day", "n")) == {yesterday: 1, timezone.localdate(): 1}


def test_of_many_with_a_bad_one_none_is_written(collection):
    with pytest.raises(InvalidAnswers, match="row 2: GV1"):
        submission.submit_many(collection, [{"answers": ALL}, {"answers": {"GV1": 9}}])
    assert not Response.objects.exists()


def test_a_sealed_collection_takes_no_import(collection):
    collections.close_collection(collection)
    sealing.seal(collection)
    with pytest.raises(Closed):
        submission.submit_many(collection, [{"answers": ALL}])


def test_a_thousand_are_written_in_few_queries(collection, django_assert_max_num_queries):
    with django_assert_max_num_queries(20):  # SQLite takes about 100 rows in one statement
        submission.submit_many(collection, [{"answers": ALL}] * 1000)
    assert collection.responses.count() == 1000


def test_links_do_not_count_as_joins_of_the_meeting(collection, meeting):
    links.issue_links(collection, ["a@noord.example"])
    submission.start_by_link(collection.invitees.get())
    Collection.objects.filter(pk=collection.pk).update(approached=1)
    for _n in range(3):
        submission.start_in_meeting(meeting)
    with pytest.raises(TooManyJoins):
        submission.start_in_meeting(meeting)
