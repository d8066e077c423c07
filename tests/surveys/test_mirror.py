"""Closing a meeting for the team to see its own figures there: when it may, what it does, and who comes at the same moment."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from surveys.answering import submission
from surveys.collecting import collections, mirror, sealing
from surveys.linking import personal_links
from surveys.models import Collection, Meeting, PaperForm, PresentBy, Response, SealedResponse, Survey
from surveys.paper import entry, form
from teams.models import Event, Participation
from tests.surveys.conftest import in_threads, make_participation, make_survey
from tests.surveys.teacher import at, begin, post
from tests.surveys.test_facilitator import enter
from tests.teams.test_races import in_between


@pytest.fixture
def survey(study) -> Survey:
    """One team that meets and one that answers online, in a study whose plan lets teams see themselves in the meeting."""
    survey = make_survey(study)
    make_participation(study, "Verpleegkunde", Participation.Mode.RESEARCHER)
    make_participation(study, "Fysiotherapie", Participation.Mode.ONLINE, approached=8)
    collections.open_survey(survey, "f" * 64, mirror=True)
    return survey


def answer(meeting: Meeting, n: int = 1, **answers: int) -> list[str]:
    keys = [submission.start_in_meeting(meeting) for _n in range(n)]
    for key in keys:
        submission.submit(key, 1, answers or {"GV1": 2})
    return keys


def cannot(collection: Collection) -> str:
    """Why not, in the words of the page, and that nothing is done then."""
    collection = Collection.objects.select_related("survey", "participation").get(pk=collection.pk)
    before = collection.state
    with override("nl"):
        why = mirror.why_not(collection)
    assert why
    assert not mirror.close_and_show(collection)
    collection.refresh_from_db()
    assert collection.state == before
    assert not Meeting.objects.filter(collection=collection, picture_asked_at__isnull=False).exists()
    assert not Event.objects.filter(kind="closed_for_picture").exists()
    return why


# ------------------------------------------------------------------------------------------------ the step
def test_closing_to_see_the_figures_closes_for_good(collection, meeting):
    (key,) = answer(meeting)
    before = timezone.now()
    assert mirror.why_not(collection) is None
    assert mirror.close_and_show(collection, by_link=True)
    meeting.refresh_from_db()
    assert collection.state == Collection.State.CLOSED
    assert collections.is_being_sealed(collection)
    assert before <= meeting.picture_asked_at == collection.closes_for_good_at
    assert Event.objects.get(kind="closed_for_picture").by_link
    assert sealing.seal_due() == 1
    assert not submission.delete(key)
    assert SealedResponse.objects.get().answers == {"GV1": 2}


def test_whoever_comes_second_changes_nothing(collection, meeting):
    answer(meeting)
    assert mirror.close_and_show(collection)
    meeting.refresh_from_db()
    asked_at = meeting.picture_asked_at
    assert not mirror.close_and_show(collection)
    meeting.refresh_from_db()
    assert meeting.picture_asked_at == asked_at
    assert Event.objects.filter(kind="closed_for_picture").count() == 1


def test_a_meeting_that_was_closed_in_the_usual_way_may_still_see_its_figures(collection, meeting):
    answer(meeting)
    collections.close_collection(collection)
    assert mirror.close_and_show(collection)
    assert collections.is_being_sealed(collection)


def test_nothing_opens_it_again_and_no_form_is_typed(collection, meeting):
    answer(meeting)
    mirror.close_and_show(collection)
    assert not collections.reopen_collection(collection)
    with pytest.raises(submission.Closed):
        entry.new_form(collection)
    with pytest.raises(submission.Closed):
        submission.start_in_meeting(meeting)
    assert not entry.correct_handed_in(collection, 4)
    assert sealing.seal_due() == 1


# ------------------------------------------------------------------------------------------------ why not
def test_not_where_the_plan_does_not_say_so(collection, meeting):
    answer(meeting)
    Survey.objects.update(mirror=False)
    assert "in het overleg" in cannot(collection)


def test_not_for_a_team_that_does_not_meet(online, invitees):
    assert "niet in een overleg" in cannot(online)


def test_not_while_somebody_is_answering(collection, meeting):
    answer(meeting, 5)
    key = submission.start_in_meeting(meeting)
    submission.start_in_meeting(meeting)
    assert "2 mensen" in cannot(collection)
    submission.delete(key)
    assert "1 persoon" in cannot(collection)
    collections.close_collection(collection)
    assert "1" not in cannot(collection), "once the room is closed its counts are told no more"


@pytest.mark.parametrize("handed_in", [True, False])
def test_not_while_there_are_personal_links_whether_or_not_they_were_used(collection, meeting, handed_in):
    answer(meeting)
    personal_links.issue_links(collection, ["ada@noord.example"])
    first = cannot(collection)
    if handed_in:
        submission.submit(submission.start_by_link(collection.invitees.get()), 1, {"GV1": 4})
    assert cannot(collection) == first, "it would tell whoever leads the meeting who answered when"


def test_not_before_anybody_handed_in(collection):
    assert "nog niemand" in cannot(collection).lower()


def test_not_while_forms_on_paper_are_not_entered(collection, meeting):
    collections.set_present(meeting, 8, paper=1)
    assert "papier" in cannot(collection)
    answer(meeting)
    assert "papier" in cannot(collection)
    collections.set_present(meeting, 8, paper=None)
    entry.new_form(collection)
    assert "getypt" in cannot(collection)
    PaperForm.objects.all().delete()
    assert mirror.close_and_show(collection)


def test_not_for_answers_that_were_imported(collection, meeting):
    answer(meeting)
    Meeting.objects.update(present_by=PresentBy.IMPORT)
    assert "geïmporteerd" in cannot(collection)


def test_not_once_it_is_sealed_or_the_team_stopped(collection, meeting):
    answer(meeting)
    collections.close_collection(collection)
    collections.seal_now(collection)
    assert "al definitief" in cannot(collection)
    sealing.seal(collection)
    assert "al definitief" in cannot(collection)
    Participation.objects.update(state=Participation.State.WITHDRAWN)
    assert "doet niet meer mee" in cannot(collection)


# ------------------------------------------------------------------------------------------------ the page of the meeting
def page_of(client: Client, meeting: Meeting) -> str:
    return client.get(reverse("facilitator", args=[meeting.pk])).content.decode()


def test_the_page_says_what_happens_and_asks_once_more(collection, meeting):
    answer(meeting)
    text = page_of(enter(meeting), meeting)
    assert "Bekijk nu de cijfers van jullie team" in text
    assert "niemand kan zijn antwoorden nog veranderen of verwijderen" in text
    assert f'action="{reverse("facilitator_show", args=[meeting.pk])}"' in text
    assert 'name="show-present"' in text


def test_the_page_of_other_studies_has_none_of_it(collection, meeting):
    Survey.objects.update(mirror=False)
    client = enter(meeting)
    assert "mirror" not in page_of(client, meeting)
    response = client.post(reverse("facilitator_show", args=[meeting.pk]), {"close-unknown": "on"}, follow=True)
    assert "In dit onderzoek" in response.content.decode()
    assert Collection.objects.get(pk=collection.pk).state == "open"


def test_the_button_waits_with_the_counts(collection, meeting):
    answer(meeting)
    key = submission.start_in_meeting(meeting)
    client = enter(meeting)
    text = page_of(client, meeting)
    assert "1 persoon" in text
    assert reverse("facilitator_show", args=[meeting.pk]) not in text
    known = text.split('id="mirror-seen" name="mirror" value="')[1].partition('"')[0]
    address = reverse("facilitator_counts", args=[meeting.pk]) + f"?seen=open&mirror={known}"
    assert b"mirror" not in client.get(address).content, "what did not change stays, and whoever is on it"
    submission.submit(key, 1, {})
    changed = client.get(address).content.decode()
    assert 'id="mirror" hx-swap-oob="true"' in changed
    assert reverse("facilitator_show", args=[meeting.pk]) in changed


def test_closing_on_the_page_records_who_is_there(collection, meeting):
    answer(meeting)
    client = enter(meeting)
    address = reverse("facilitator_show", args=[meeting.pk])
    response = client.post(address, follow=True)
    assert Collection.objects.get(pk=collection.pk).state == "open"
    assert "alert-danger" in response.content.decode()
    client.post(address, {"show-present": "9"})
    meeting.refresh_from_db()
    assert meeting.present == 9
    assert meeting.picture_asked_at is not None
    text = client.post(
        address, follow=True
    ).content.decode()  # a second device, or a second press: to the same place, calmly
    assert "alert-warning" not in text
    assert Event.objects.filter(kind="closed_for_picture").count() == 1
    assert Event.objects.get(kind="closed_for_picture").by_link


def test_a_room_that_was_closed_uncounted_is_opened_again_to_count(collection, meeting):
    answer(meeting)
    collections.close_collection(collection)
    client = enter(meeting)
    text = page_of(client, meeting)
    assert "Niemand heeft geteld wie er is" in text
    assert "daarom kan het niet op deze pagina" not in text, "it can, as soon as it is counted"
    client.post(reverse("facilitator_show", args=[meeting.pk]))
    assert Event.objects.filter(kind="closed_for_picture").count() == 0
    Meeting.objects.update(present=8)
    assert reverse("facilitator_show", args=[meeting.pk]) in page_of(client, meeting)


@pytest.mark.parametrize("mirror_is_on", [True, False])
def test_who_sends_links_and_who_plans_the_meeting_read_of_it(client, roos, collection, mirror_is_on):
    Survey.objects.update(mirror=mirror_is_on)
    client.force_login(roos, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "nl"
    participation = collection.participation
    for name, words in (("collecting_team", "niet in het overleg zien"), ("meeting", "Plan wat extra tijd")):
        page = client.get(reverse(name, args=[participation.study.slug, participation.pk])).content.decode()
        assert (words in page) is mirror_is_on, name


# ------------------------------------------------------------------------------------------------ at the same moment
at_once = pytest.mark.django_db(transaction=True)


@at_once
def test_two_who_close_at_once_close_once(collection, meeting, monkeypatch):
    answer(meeting, 3)
    first, second = in_between(monkeypatch, mirror, "why_not")
    results: list[Any] = in_threads(
        first(lambda: mirror.close_and_show(Collection.objects.get(pk=collection.pk))),
        second(lambda: mirror.close_and_show(Collection.objects.get(pk=collection.pk))),
    )
    assert sorted(results) == [False, True], results
    assert Event.objects.filter(kind="closed_for_picture").count() == 1


@at_once
def test_whoever_joins_as_it_closes_is_waited_for_or_finds_it_closed(collection, meeting, monkeypatch):
    answer(meeting, 3)
    first, second = in_between(monkeypatch, mirror, "why_not")
    results = in_threads(
        first(lambda: mirror.close_and_show(Collection.objects.get(pk=collection.pk))),
        second(lambda: submission.start_in_meeting(meeting)),
    )
    assert (results[0] is True) == isinstance(results[1], submission.Closed), results
    assert Response.objects.filter(state="draft").exists() == (results[0] is False)


@at_once
def test_it_does_not_close_on_somebody_who_joined_a_moment_before(collection, meeting, monkeypatch):
    answer(meeting, 3)
    first, second = in_between(monkeypatch, submission, "_language")
    results = in_threads(
        first(lambda: submission.start_in_meeting(meeting)),
        second(lambda: mirror.close_and_show(Collection.objects.get(pk=collection.pk))),
    )
    assert isinstance(results[0], str), results
    if results[1] is True:  # it was there first after all: then whoever joined was told so
        pytest.fail("closed on somebody who began")


@at_once
def test_who_hands_in_as_it_closes_is_among_the_answers(collection, meeting, monkeypatch):
    answer(meeting, 3)
    key = submission.start_in_meeting(meeting)
    first, second = in_between(monkeypatch, mirror, "_who_is_answering")
    results = in_threads(
        first(lambda: mirror.close_and_show(Collection.objects.get(pk=collection.pk))),
        second(lambda: submission.submit(key, 1, {"GV1": 4})),
    )
    assert results[1].outcome == submission.Outcome.SUBMITTED, results
    assert results[0] is False, "it saw somebody answering"
    assert mirror.close_and_show(collection)
    assert sealing.seal_due() == 1
    assert SealedResponse.objects.filter(answers={"GV1": 4}).count() == 1


@at_once
def test_opening_again_and_closing_for_good_at_once_leaves_one_of_them(collection, meeting, monkeypatch):
    answer(meeting, 3)
    collections.close_collection(collection)
    first, second = in_between(monkeypatch, mirror, "why_not")
    results = in_threads(
        first(lambda: mirror.close_and_show(Collection.objects.get(pk=collection.pk))),
        second(lambda: collections.reopen_collection(Collection.objects.get(pk=collection.pk))),
    )
    collection.refresh_from_db()
    meeting.refresh_from_db()
    assert results == [True, False]
    assert (collection.state, meeting.picture_asked_at is not None) == ("closed", True)


@at_once
def test_nobody_counts_and_closes_in_another_order(collection, meeting):
    """Two devices of whoever leads: one counts and closes, the other only closes. None waits for the other for ever."""
    answer(meeting, 3)
    address = reverse("facilitator_show", args=[meeting.pk])
    clients = [enter(meeting), enter(meeting)]
    results = in_threads(
        *[
            lambda client=client, fields=fields: client.post(address, fields).status_code
            for client, fields in zip(clients, ({"show-present": "9"}, {"show-present": "8"}), strict=True)
        ]
    )
    assert results == [302, 302]
    assert Event.objects.filter(kind="closed_for_picture").count() == 1


# ------------------------------------------------------------------------------------------------ what teachers read before
SHOWN = "cijfers van jullie team op het scherm komen, als 5 of meer mensen"
FOR_GOOD = "de afname definitief sluit om de cijfers van je team te laten zien"


@pytest.fixture
def nl(teacher):
    teacher.cookies["django_language"] = "nl"
    return teacher


@pytest.mark.parametrize("shared", ["", "?shared=yes"])
def test_teachers_read_beforehand_that_the_team_may_see_its_figures_and_when_deleting_ends(nl, meeting, shared):
    welcome = nl.get(reverse("meeting_welcome", args=[meeting.code]) + shared).content.decode()
    assert SHOWN in welcome
    assert FOR_GOOD in welcome
    assert "tot de afname in je team is afgelopen en" not in welcome


def test_the_page_of_thanks_says_when_deleting_ends(nl, meeting):
    key = begin(nl, meeting)
    post(nl, "answer_submit", key=key, sequence=1, answers={})
    assert FOR_GOOD in nl.get(at("answer_done", key)).content.decode()


def test_by_a_personal_link_nothing_of_it_is_said_as_nothing_of_it_happens(nl, collection, online, invitees):
    personal_links.issue_links(collection, ["ada@noord.example"])
    for invitee in (collection.invitees.get(), invitees[0]):
        page = nl.get(personal_links.personal_url(invitee), follow=True).content.decode()
        assert "tot de afname in je team is afgelopen en" in page
        assert SHOWN not in page
        assert FOR_GOOD not in page


def test_other_studies_promise_what_they_did(nl, meeting):
    Survey.objects.update(mirror=False)
    welcome = nl.get(reverse("meeting_welcome", args=[meeting.code])).content.decode()
    assert SHOWN not in welcome
    assert FOR_GOOD not in welcome
    assert "tot de afname in je team is afgelopen en" in welcome


def test_what_is_read_aloud_says_it_whatever_the_study_wrote(survey, meeting):
    Survey.objects.filter(pk=survey.pk).update(meeting_texts={"briefing": {"nl": "Welkom.\n\nDank je wel."}})
    text = page_of(enter(meeting), meeting)
    welcome, mirrored, thanks = (
        text.find(words) for words in ("Welkom.", "sluit ik dan de afname definitief", "Dank je wel.")
    )
    assert 0 < welcome < mirrored < thanks
    Survey.objects.update(mirror=False)
    assert "sluit ik dan" not in page_of(enter(meeting), meeting)


@pytest.mark.parametrize("mirror_is_on", [True, False])
def test_the_form_on_paper_says_it_too(collection, mirror_is_on):
    Survey.objects.update(mirror=mirror_is_on)
    collection = Collection.objects.get(pk=collection.pk)
    with override("nl"):
        said = any(SHOWN in paragraph for paragraph in form._content(collection, "nl")["introduction"])
    assert said is mirror_is_on
