"""Opening, closing, reopening, counting."""

import datetime

import pytest
from django.core import mail as django_mail
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time

from surveys.answering import submission
from surveys.collecting import collections, opening, sealing
from surveys.collecting.collections import NotReady
from surveys.collecting.counts import Counts, counts, counts_of
from surveys.keys import collection_keys
from surveys.models import Collection, Meeting
from teams.mail import outbox
from teams.models import Event, Participation
from tests.surveys.conftest import in_threads, make_participation, make_study, make_survey

HASH = "f" * 64


def test_a_survey_without_a_locked_plan_stays_closed(study):
    survey = make_survey(study)
    make_participation(study, "Logopedie", Participation.Mode.ONLINE)
    with pytest.raises(NotReady):
        collections.open_survey(survey, "")
    assert not Collection.objects.exists()
    survey.refresh_from_db()
    assert survey.opened_at is None


def test_opening_opens_a_collection_for_every_team_that_takes_part(study):
    survey = make_survey(study)
    make_participation(study, "Logopedie", Participation.Mode.ONLINE, approached=9)
    make_participation(study, "Mondzorg", Participation.Mode.CONTACT)
    declined = make_participation(study, "Ergotherapie", Participation.Mode.CONTACT)
    Participation.objects.filter(pk=declined.pk).update(state=Participation.State.DECLINED)
    assert collections.open_survey(survey, HASH) == 2
    assert collections.open_survey(survey, HASH) == 2
    logopedie = Collection.objects.get(participation__team__name="Logopedie")
    assert (logopedie.mode, logopedie.approached, logopedie.state) == ("online", 9, "open")
    assert not Meeting.objects.filter(collection=logopedie).exists()
    assert len(collection_keys.read(logopedie)) == 32
    meeting = Meeting.objects.get()
    assert len(meeting.code) == 6
    assert set(meeting.code) <= set(opening.CODE_SIGNS)
    assert Event.objects.filter(kind="survey_opened").count() == 1


def test_whether_teams_see_themselves_in_the_meeting_is_fixed_when_the_survey_opens(study):
    survey = make_survey(study)
    collections.open_survey(survey, HASH, mirror=True)
    collections.open_survey(survey, HASH)
    survey.refresh_from_db()
    assert survey.mirror


def test_teams_do_not_see_themselves_in_the_meeting_unless_the_plan_says_so(study):
    survey = make_survey(study)
    collections.open_survey(survey, HASH)
    collections.open_survey(survey, HASH, mirror=True)
    survey.refresh_from_db()
    assert not survey.mirror


def test_leaders_are_mailed_when_the_survey_opens(study):
    """The page of a team that accepted before promises it: "You get a mail when it begins"."""
    survey = make_survey(study)
    early = make_participation(study, "Mondzorg", Participation.Mode.CONTACT)
    collections.open_survey(survey, HASH)
    collections.open_survey(survey, HASH)
    late = make_participation(study, "Logopedie", Participation.Mode.ONLINE)
    collections.open_collection(late)  # the leader accepts and is on the page
    outbox.send_due()
    begins = [letter for letter in django_mail.outbox if "De vragenlijst is open" in letter.subject]
    assert [(letter.to, "Mondzorg" in letter.subject) for letter in begins] == [([early.leader_email], True)]
    assert reverse("team", args=[early.pk]) in begins[0].body


def test_a_survey_cannot_be_opened_under_another_plan(survey):
    with pytest.raises(NotReady):
        collections.open_survey(survey, "e" * 64)


def test_a_team_that_accepts_later_gets_its_collection_then(survey):
    late = make_participation(survey.study, "Mondzorg", Participation.Mode.CONTACT)
    first = collections.open_collection(late)
    assert first is not None
    assert collections.open_collection(late) == first


def test_no_collection_before_the_survey_is_open(study):
    make_survey(study)
    early = make_participation(study, "Mondzorg", Participation.Mode.CONTACT)
    assert collections.open_collection(early) is None


@pytest.mark.django_db(transaction=True)
def test_of_two_processes_that_open_a_collection_one_does(survey):
    late = make_participation(survey.study, "Mondzorg", Participation.Mode.CONTACT)
    results = in_threads(*[lambda: collections.open_collection(late)] * 4)
    assert len({result.pk for result in results}) == 1
    assert Meeting.objects.filter(collection=results[0]).count() == 1
    assert len(collection_keys.read(results[0])) == 32


def test_codes_are_drawn_again_until_one_is_free(survey, monkeypatch):
    taken = Meeting.objects.get().code
    drawn = iter([taken, taken, "AAAAAA"])
    monkeypatch.setattr(opening, "_draw_code", lambda: next(drawn))
    late = collections.open_collection(make_participation(survey.study, "Mondzorg", Participation.Mode.CONTACT))
    assert late.meeting.code == "AAAAAA"


def test_closing_starts_the_grace_period_and_can_be_undone(collection, meeting):
    with freeze_time("2026-11-22 12:00:00"):
        assert collections.close_collection(collection)
        assert not collections.close_collection(collection)
    assert collection.state == Collection.State.CLOSED
    assert collection.closes_for_good_at == datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
    assert submission.join(meeting.code) is None
    assert collections.reopen_collection(collection)
    assert not collections.reopen_collection(collection)
    assert submission.join(meeting.code) == meeting
    assert collection.closes_for_good_at is None


def test_an_open_collection_is_not_sealed(collection):
    with pytest.raises(NotReady):
        collections.seal_now(collection)


def test_sealing_now_ends_the_grace_period_and_wakes_a_worker(
    collection, monkeypatch, django_capture_on_commit_callbacks
):
    woken = []
    monkeypatch.setattr(collections, "wake_sealing", lambda: woken.append(True))
    with django_capture_on_commit_callbacks(execute=True):
        collections.close_collection(collection)
    assert not woken
    with django_capture_on_commit_callbacks(execute=True):
        assert collections.seal_now(collection)
    assert woken == [True]
    assert collection.closes_for_good_at <= timezone.now()


def test_without_a_grace_period_closing_is_sealing(monkeypatch, django_capture_on_commit_callbacks, db):
    woken = []
    monkeypatch.setattr(collections, "wake_sealing", lambda: woken.append(True))
    study = make_study("quick", grace_hours=0)
    survey = make_survey(study)
    make_participation(study, "Mondzorg", Participation.Mode.CONTACT)
    collections.open_survey(survey, HASH)
    with django_capture_on_commit_callbacks(execute=True):
        collections.close_collection(survey.collections.get())
    assert woken == [True]
    assert sealing.seal_due() == 1
    assert survey.collections.get().state == Collection.State.SEALED


def test_counts_are_live_and_then_frozen(collection, meeting):
    collections.set_present(meeting, 7)
    first = submission.start_in_meeting(meeting)
    submission.start_in_meeting(meeting)
    submission.submit(first, 1, {"GV1": 3})
    live = counts(collection)
    assert live == Counts(started=2, submitted=1, present=7, links=0, approached=12)
    assert live.on_their_way == 1
    collections.close_collection(collection)
    assert not collections.set_present(meeting, 9)
    sealing.seal(collection)
    assert counts(collection) == live


def test_counts_take_as_many_queries_for_two_as_for_twenty(survey, django_assert_num_queries):
    two = list(survey.collections.all())
    with django_assert_num_queries(3):
        counts_of(two)
    for n in range(18):
        collections.open_collection(make_participation(survey.study, f"Team {n}", Participation.Mode.CONTACT))
    twenty = list(survey.collections.all())
    assert len(twenty) == 20
    with django_assert_num_queries(3):
        counts_of(twenty)


def test_a_new_facilitators_link_replaces_the_old_one(meeting):
    old = meeting.facilitator_nonce
    collections.renew_facilitator_link(meeting)
    assert meeting.facilitator_nonce != old
    assert len(meeting.facilitator_nonce) == 32
