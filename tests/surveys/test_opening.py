"""Opening is done again until everything is open: a key that cannot be written, a leader who accepts at that moment."""

import datetime
import errno
import os
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
from django.conf import settings
from django.core import mail as django_mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from analysis.board import waiting
from analysis.plan.plans import locked_plan
from surveys import tasks
from surveys.collecting import collections, opening
from surveys.keys import collection_keys
from surveys.mail_kinds import SurveyMail
from surveys.models import Collection, Meeting, Survey
from teams.inviting import invitations, withdrawing
from teams.inviting.invitations import Approach
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.meetings import planning
from teams.models import Attendee, Event, Invitation, Job, OutboxMessage, Participation, Study, Team
from tests.surveys.conftest import in_threads, make_participation, make_study, make_survey

HASH = "f" * 64
NAMES = ("Ergotherapie", "Logopedie", "Mondzorg", "Optometrie")
#: What the page of the plan sends when it opens: the null distributions of rwg(j) as it shows them for 4 answers.
OPENED = {"nulls": ["uniform"], "own_null": "0.1 0.2 0.4 0.3"}


class Disk:
    """A disk on which the keys with these numbers cannot be written, counted from 1; one key after another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *full: int) -> None:
        self.full, self.n, self.sync = set(full), 0, os.fsync
        monkeypatch.setattr(collection_keys.os, "fsync", self)
        monkeypatch.setattr(collection_keys, "AT_ONCE", 1)

    def __call__(self, descriptor: int) -> None:
        if os.path.isfile(f"/proc/self/fd/{descriptor}"):  # a key, not the folder
            self.n += 1
            if self.n in self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
        self.sync(descriptor)


def files() -> list[str]:
    return sorted(path.name for path in Path(settings.COLLECTION_KEYS_DIR).iterdir())


def as_they_are() -> list[str]:
    return sorted(f"{uid.hex}.key" for uid in Collection.objects.values_list("uid", flat=True))


def board(study: Study) -> list[str]:
    return [item.text for item in waiting(study) if item.urgent]


@pytest.fixture
def four(study: Study) -> Survey:
    survey = make_survey(study)
    for name in NAMES:
        make_participation(study, name, Participation.Mode.CONTACT)
    return survey


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("full", [(1,), (3,), (2, 4), (1, 2, 3, 4)])
def test_a_disk_that_is_full_at_a_key_stops_that_team_only_and_beat_opens_it(four, full, monkeypatch, client, roos):
    client.force_login(roos)
    Disk(monkeypatch, *full)
    page = client.post(reverse("survey_open", args=[four.study.slug]), OPENED, follow=True)
    assert page.status_code == 200
    assert Collection.objects.count() == len(NAMES) - len(full)
    assert files() == as_they_are(), "nothing half-written is left"
    four.refresh_from_db()
    assert four.opened_at is not None
    missing = [NAMES[n - 1] for n in full]
    (said,) = board(four.study)
    assert all(name in said for name in missing), said
    page = client.get(reverse("collecting", args=[four.study.slug])).content.decode()
    assert reverse("collecting_open", args=[four.study.slug]) in page
    Job.objects.update(due_at=timezone.now())
    tasks.open_missing()
    assert Collection.objects.count() == len(NAMES)
    assert Meeting.objects.count() == len(NAMES)
    assert files() == as_they_are()
    assert board(four.study) == []
    assert not Job.objects.exists()
    page = client.get(reverse("collecting", args=[four.study.slug])).content.decode()
    assert reverse("collecting_open", args=[four.study.slug]) not in page
    outbox.send_due()
    begins = [letter for letter in django_mail.outbox if "De vragenlijst is open" in letter.subject]
    assert len(begins) == len(NAMES), "each leader hears once that it begins"
    assert Event.objects.filter(kind="survey_opened").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_researcher_opens_what_is_missing_without_waiting(four, monkeypatch, client, roos):
    client.force_login(roos)
    Disk(monkeypatch, 2, 5)
    collections.open_survey(four, HASH)
    page = client.post(reverse("collecting_open", args=[four.study.slug]), follow=True).content.decode()
    assert "alert-danger" in page
    assert Collection.objects.count() == len(NAMES) - 1, "the disk was still full"
    client.post(reverse("collecting_open", args=[four.study.slug]))
    assert Collection.objects.count() == len(NAMES)
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_opening_that_broke_off_before_the_survey_was_open_has_its_button_again(four, monkeypatch, client, roos):
    """The button hung on the plan, and that was locked already. Now the plan is not locked then either."""
    client.force_login(roos)

    def broken(*args: object, **kwargs: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(collections, "begin", broken)
        client.raise_request_exception = False
        assert client.post(reverse("survey_open", args=[four.study.slug]), OPENED).status_code == 500
    assert locked_plan(four.study) is None
    page = client.get(reverse("plan", args=[four.study.slug])).content.decode()
    assert reverse("survey_open", args=[four.study.slug]) in page
    client.post(reverse("survey_open", args=[four.study.slug]), OPENED)
    assert Collection.objects.count() == len(NAMES)
    assert board(four.study) == []


def test_a_team_that_stops_while_it_waits_is_in_nobodys_way(four, monkeypatch):
    Disk(monkeypatch, 1, 2)
    collections.open_survey(four, HASH)
    stopped = collections.not_open(four.study).first()
    Participation.objects.filter(pk=stopped.pk).update(state=Participation.State.WITHDRAWN)
    Job.objects.update(due_at=timezone.now())
    tasks.open_missing()
    assert Collection.objects.count() == len(NAMES) - 1
    assert not Job.objects.exists()
    assert board(four.study) == []


def asked(study: Study, *names: str) -> list[Participation]:
    """Teams whose leaders are asked."""
    known = make_participation(study, "Vroeger", Participation.Mode.ONLINE)
    academy = known.team.academy
    known.delete()
    teams = []
    for name in names:
        named = {"leader_name": "Lou", "leader_email": f"{name.lower()}@noord.example"}
        teams.append(invitations.list_team(study, Team.objects.create(academy=academy, name=name, **named)))
    invitations.invite_directors(study)
    approach = [Approach(team.pk, team.leader_name, team.leader_email) for team in teams]
    assert invitations.accept_academy(invitations.academy_invitation(teams[0]), approach)
    return teams


@pytest.mark.django_db(transaction=True)
def test_who_accepts_while_the_study_opens_gets_a_collection():
    study = make_study()
    survey = make_survey(study)
    (late,) = asked(study, "Logopedie")
    looked, opened = Flag(), Flag()

    def accept() -> None:
        with transaction.atomic():
            invitation = Invitation.objects.get(participation=late)
            assert invitations.accept_team(invitation, mode="online", approached=9)
            late.refresh_from_db()
            collections.open_collection(late)  # not open yet
            looked.set()
            opened.wait(1)  # the study opens between the look and the commit, unless it waits for us

    def open_it() -> int:
        assert looked.wait(10)
        try:
            return collections.open_survey(survey, HASH)
        finally:
            opened.set()

    assert in_threads(accept, open_it) == [None, 1]
    collection = Collection.objects.get(participation=late)
    assert len(collection_keys.read(collection)) == collection_keys.KEY_BYTES


@pytest.mark.django_db(transaction=True)
def test_a_director_who_stops_while_the_study_opens_and_the_batch_do_not_wait_for_each_other(monkeypatch):
    """The batch holds the teams by number, and the director's page names them by name."""
    study = make_study()
    survey = make_survey(study)
    teams = asked(study, "Verpleegkunde", "Logopedie")
    for team in teams:
        assert invitations.accept_team(Invitation.objects.get(participation=team), mode="online", approached=9)
    holds, opened, real = Flag(), Flag(), withdrawing.outbox.queue

    def slow(kind: TeamMail, *args: Any, **kwargs: Any) -> None:
        real(kind, *args, **kwargs)
        if kind == TeamMail.TEAM_WITHDRAWN and not holds.is_set():
            holds.set()
            opened.wait(2)  # the batch comes between two teams; longer than PostgreSQL waits to look for a knot

    def open_it() -> int:
        assert holds.wait(10)
        try:
            return collections.open_survey(survey, HASH)
        finally:
            opened.set()

    monkeypatch.setattr(withdrawing.outbox, "queue", slow)
    director = invitations.academy_invitation(teams[0])
    assert in_threads(lambda: withdrawing.withdraw(director, "workload"), open_it) == [True, 0]
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_button_beat_and_a_leader_together_open_each_team_once():
    study = make_study()
    survey = make_survey(study)
    for name in NAMES:
        make_participation(study, name, Participation.Mode.CONTACT)
    Survey.objects.filter(pk=survey.pk).update(opened_at=timezone.now(), plan_hash=HASH)
    survey.refresh_from_db()
    team = Participation.objects.get(team__name="Mondzorg")
    results = in_threads(
        lambda: collections.open_survey(survey, HASH),
        lambda: collections.open_missing(),
        lambda: collections.open_missing(study),
        lambda: collections.open_collection(team),
    )
    assert not [result for result in results if isinstance(result, Exception)], results
    assert Collection.objects.count() == len(NAMES)
    assert files() == as_they_are()
    outbox.send_due()
    begins = [letter for letter in django_mail.outbox if "De vragenlijst is open" in letter.subject]
    assert len(NAMES) - 1 <= len(begins) <= len(NAMES), "one leader may be on the page"


# ------------------------------------------------------------------------------------------------ many teams
def many(study: Study, n: int) -> Survey:
    survey = make_survey(study)
    modes = Participation.Mode.values
    for number in range(n):
        make_participation(study, f"Team {number:03}", modes[number % len(modes)])
    return survey


def queries_to_open(study: Study, n: int) -> int:
    survey = many(study, n)
    collections.begin(survey, HASH)
    with CaptureQueriesContext(connection) as queries:
        assert collections.open_missing(study) == n
    return len(queries)


@pytest.mark.django_db
def test_a_batch_asks_as_much_for_sixty_teams_as_for_six():
    few = queries_to_open(make_study("six"), 6)
    assert queries_to_open(make_study("sixty"), 60) <= few + 5, "SQLite takes long inserts in parts"


@pytest.mark.django_db
def test_every_team_of_a_batch_gets_what_a_team_by_itself_gets():
    """Its collection, key, code, mails and line of history: the same rows by both ways."""
    alone, together = make_study("alone"), make_study("together")
    for study in (alone, together):
        survey = many(study, 6)
        contact = Participation.objects.filter(study=study, mode=Participation.Mode.CONTACT).order_by("pk")
        leads = contact[0]
        Participation.objects.filter(pk=leads.pk).update(contact_email="LENA@noord.example ")  # the leader's own
        begun = planning.begin(contact[1])
        planning.fix(begun, timezone.now() + datetime.timedelta(days=9), researcher=None)
        collections.begin(survey, HASH)
    for pk in collections.not_open(alone).values_list("pk", flat=True):
        opening.open_teams(alone.pk, [pk], mail=SurveyMail.COLLECTING_BEGINS)
    assert collections.open_missing(together) == 6
    assert what_came_of(together) == what_came_of(alone)
    assert {len(collection_keys.read(collection)) for collection in Collection.objects.all()} == {
        collection_keys.KEY_BYTES
    }


def what_came_of(study: Study) -> list[Any]:
    rows: list[Any] = []
    for collection in Collection.objects.filter(survey__study=study).order_by("participation__team__name"):
        team = collection.participation
        meeting = Meeting.objects.filter(collection=collection).first()
        attendees = list(Attendee.objects.filter(meeting__participation=team).order_by("part"))
        of = {
            "surveys.collecting_begins": [team.pk],
            "surveys.facilitator_link": [meeting.pk] if meeting else [],
            TeamMail.MEETING_BRIEFING: [attendee.pk for attendee in attendees],
        }
        mails = [
            (kind, letter.due_at.hour, letter.state)
            for kind, pks in of.items()
            for letter in OutboxMessage.objects.filter(kind=kind, object_id__in=pks, study=study).order_by("object_id")
        ]
        events = list(Event.objects.filter(participation=team).order_by("kind").values_list("kind", "detail"))
        met = meeting and (len(meeting.code), meeting.sent_to_contact, bool(meeting.facilitator_nonce))
        rows.append((team.team.name, collection.mode, collection.approached, collection.state, met, mails, events))
    return rows


@pytest.mark.django_db(transaction=True)
def test_a_program_that_dies_between_two_batches_leaves_what_opening_again_completes(monkeypatch):
    study = make_study()
    survey = many(study, 6)
    monkeypatch.setattr(collections, "BATCH", 2)
    n_batches, made = 0, opening.open_teams

    def dies(*args: Any, **kwargs: Any) -> Any:
        nonlocal n_batches
        n_batches += 1
        if n_batches == 3:
            raise KeyboardInterrupt
        return made(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(collections, "open_teams", dies)
        with pytest.raises(KeyboardInterrupt):
            collections.open_survey(survey, HASH)
    assert Collection.objects.count() == 4, "the batches before stand"
    assert files() == as_they_are()
    assert collections.open_missing() == 2
    assert files() == as_they_are()
    assert OutboxMessage.objects.filter(kind=SurveyMail.COLLECTING_BEGINS).count() == 6


@pytest.mark.django_db(transaction=True)
def test_all_keys_of_a_batch_are_on_the_disk_before_a_row_is_written_and_no_lock_is_held(four, monkeypatch):
    collections.begin(four, HASH)
    said: list[str] = []
    make, create = collection_keys.make_all, Collection.objects.bulk_create

    def keys_made(uids: Any) -> Any:
        said.append(f"keys, in a transaction: {connection.in_atomic_block}")
        return make(uids)

    def rows_made(rows: Any) -> Any:
        rows = list(rows)
        assert {f"{row.uid.hex}.key" for row in rows} == set(files())
        said.append("rows")
        return create(rows)

    monkeypatch.setattr(collection_keys, "make_all", keys_made)
    monkeypatch.setattr(Collection.objects, "bulk_create", rows_made)
    assert collections.open_missing(four.study) == len(NAMES)
    assert said == ["keys, in a transaction: False", "rows"]


@pytest.mark.django_db(transaction=True)
def test_one_team_that_cannot_be_opened_stops_no_other_of_its_batch(four, monkeypatch):
    collections.begin(four, HASH)
    bad = Participation.objects.get(team__name="Mondzorg").pk
    made = opening.open_teams

    def broken(study_id: int, teams: list[int], **kwargs: Any) -> Any:
        if bad in teams:
            raise ValueError("something else than the disk")
        return made(study_id, teams, **kwargs)

    monkeypatch.setattr(collections, "open_teams", broken)
    assert collections.open_missing(four.study) == len(NAMES) - 1
    assert list(Job.objects.values_list("key", "error")) == [(str(bad), "ValueError")]
    assert files() == as_they_are()


@pytest.mark.django_db(transaction=True)
def test_the_researcher_opens_outside_the_transaction_of_the_page_and_is_told_how_many(four, client, roos, monkeypatch):
    client.force_login(roos)
    within: list[bool] = []
    made = opening.open_teams

    def seen(*args: Any, **kwargs: Any) -> Any:
        within.append(connection.in_atomic_block)
        return made(*args, **kwargs)

    monkeypatch.setattr(collections, "open_teams", seen)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    page = client.post(reverse("survey_open", args=[four.study.slug]), OPENED, follow=True).content.decode()
    assert "The questionnaire is open, for 4 teams so far." in page
    Collection.objects.filter(participation__team__name="Mondzorg").delete()
    page = client.post(reverse("collecting_open", args=[four.study.slug]), follow=True).content.decode()
    assert "The questionnaire is open for 1 more team." in page
    assert within == [False, False]
