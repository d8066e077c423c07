"""The only writer of responses. Races run in threads on a real database; a constraint or one update decides them."""

import datetime
import itertools

import pytest
from django.utils import timezone

from surveys.answering import cache, limits, offers, submission
from surveys.answering.submission import Closed, InvalidAnswers, Outcome, TooManyJoins
from surveys.collecting import collections, sealing
from surveys.keys.row_keys import row_key
from surveys.linking import personal_links
from surveys.models import Collection, DayCount, Meeting, Response, SealedResponse
from surveys.questionnaires.publishing import definition_of
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
        joined = submission.join(typed)
    assert joined == meeting


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
def test_what_was_offered_makes_one_response_however_often_it_is_sent(meeting):
    offered, holder = offers.offer(meeting), offers.new_holder()
    assert not Response.objects.exists()
    results = in_threads(*[lambda: submission.start_in_meeting(meeting, "nl", offered, holder)] * 5)
    assert len(set(results)) == 1
    assert Response.objects.get().key == row_key(results[0])


def test_a_key_follows_from_both_what_was_offered_and_the_device(online, meeting):
    offered, holder = offers.offer(meeting), offers.new_holder()
    key = submission.start_in_meeting(meeting, "nl", offered, holder)
    other = Meeting.objects.create(collection=online, code="AAAAAA", facilitator_nonce="n")
    odd = [
        (offered, offers.new_holder()),
        (offers.offer(meeting), holder),
        (offers.offer(other), holder),
        (holder, offered),
        ("A" * 22 + ".forged", holder),
        (offered, "A" * 22 + ".forged"),
        ("", ""),
    ]
    keys = {submission.start_in_meeting(meeting, "nl", *both) for both in odd}
    assert len(keys | {key}) == len(odd) + 1
    assert not [word for word in f"{offered} {holder}".replace(".", " ").split() if word in key]
    assert [submission.begun_with(meeting, *both) for both in odd[2:]] == [None] * 5
    assert submission.begun_with(meeting, offered, holder) == key


def fill(meeting):
    """How many could begin until the room was full."""
    for n in range(200):
        try:
            submission.start_in_meeting(meeting)
        except TooManyJoins:
            return n
    raise AssertionError("it is never full")


def test_joins_stop_between_three_and_six_per_teacher_until_the_facilitator_allows_more(collection, meeting):
    offered, holder = offers.offer(meeting), offers.new_holder()
    key = submission.start_in_meeting(meeting, "nl", offered, holder)
    n = 1 + fill(meeting)
    assert 36 <= n <= 72
    assert collection.responses.count() == n, "who found it full began nothing"
    assert submission.start_in_meeting(meeting, "nl", offered, holder) == key, "who had begun goes on"
    collections.allow_more_joins(meeting)
    assert 36 <= fill(meeting) <= 72
    assert limits.is_full(submission.room_name(collection, 1))
    limits.forget_old()
    assert fill(meeting) == 0


def test_in_a_small_team_too_the_limit_is_one_of_many_numbers(collection, meeting, monkeypatch):
    Collection.objects.filter(pk=collection.pk).update(approached=3)
    for drawn in (0, 30):
        monkeypatch.setattr(limits.secrets, "randbelow", lambda n, drawn=drawn: min(drawn, n - 1))
        assert fill(meeting) == 9 + drawn
        collections.allow_more_joins(meeting)


def test_when_a_room_is_full_tells_nobody_how_many_others_began(collection, meeting, monkeypatch):
    """The same moment comes with nobody else and with many, at another number drawn; and who deletes gives no place back."""
    seen = set()
    for others in (0, 1, 12):
        limits.forget()
        monkeypatch.setattr(limits.secrets, "randbelow", lambda n, others=others: 5 + others)
        keys = [submission.start_in_meeting(meeting) for _n in range(others)]
        seen.add(fill(meeting))
        for key in keys:
            submission.delete(key)
        assert fill(meeting) == 0
    assert len(seen) == 1


def test_personal_links_take_no_place_of_the_room(collection, meeting, monkeypatch):
    monkeypatch.setattr(limits.secrets, "randbelow", lambda _n: 0)
    personal_links.issue_links(collection, ["a@noord.example", "b@noord.example"])
    for invitee in collection.invitees.all():
        submission.start_by_link(invitee)
    assert fill(meeting) == 36


def test_a_flood_draws_a_number_of_its_own(collection, meeting, monkeypatch):
    """Or whoever makes one reads how many began between the two moments."""
    drawn = itertools.cycle([7, 3])
    monkeypatch.setattr(limits.secrets, "randbelow", lambda _n: next(drawn))
    monkeypatch.setattr(limits, "_counted_of_all", lambda: limits.FLOOD)
    assert fill(meeting) == 12 + 3
    monkeypatch.setattr(limits, "_counted_of_all", lambda: 0)
    assert fill(meeting) == 36 + 7 - 15


@pytest.mark.django_db(transaction=True)
def test_the_limit_of_joins_holds_in_a_race(collection, meeting):
    limits.take_place(submission.room_name(collection, 0), 12)
    with limits._memory() as memory:
        memory.execute("UPDATE room SET n = 2")
    results = in_threads(*[lambda: submission.start_in_meeting(meeting)] * 8)
    assert sum(isinstance(result, str) for result in results) == 2
    assert sum(isinstance(result, TooManyJoins) for result in results) == 6
    assert collection.responses.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_personal_link_opened_in_many_tabs_is_one_response(invitees):
    results = in_threads(*[lambda: submission.start_by_link(invitees[0], "en")] * 6)
    assert len(set(results)) == 1
    response = Response.objects.get()
    assert (response.key, response.language) == (row_key(results[0]), "en")


def test_whoever_started_by_link_may_go_on_after_closing(online, invitees):
    key = submission.start_by_link(invitees[0])
    collections.close_collection(online)
    assert submission.start_by_link(invitees[0]) == key
    with pytest.raises(Closed):
        submission.start_by_link(invitees[1])


# ------------------------------------------------------------------------------------------------ saving


def test_a_save_is_one_statement_after_the_first(key, survey, django_assert_num_queries):
    definition_of(survey.version)  # which a process remembers
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
    cache.forget()
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
    assert response.answers in [{"GV1": n} for n in (1, 2, 3, 4)]
    assert {str(written.answers) for written in results} == {"{}"}, "what was handed in is given back to nobody"
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
    assert not DayCount.objects.exists(), "a day that counts nobody would tell that somebody deleted"


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
    assert SealedResponse.objects.count() == 1


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


def test_links_and_the_code_make_rows_that_are_alike(collection, meeting):
    personal_links.issue_links(collection, ["absent@noord.example"])
    made = [submission.start_by_link(collection.invitees.get(), "nl"), submission.start_in_meeting(meeting, "nl")]
    for write in (submission.save, submission.submit):
        for key in made:
            write(key, 1 + (write == submission.submit), ALL, eligibility="yes", language="nl")
        rows = [{**row, "key": ""} for row in Response.objects.values()]
        assert rows[0] == rows[1]
