"""Opening is done again until everything is open: a key that cannot be written, a leader who accepts at that moment."""

import errno
import os
from pathlib import Path
from threading import Event as Flag

import pytest
from django.conf import settings
from django.core import mail as django_mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from analysis.board import waiting
from analysis.plan.plans import locked_plan
from surveys import tasks
from surveys.collecting import collections
from surveys.keys import collection_keys
from surveys.models import Collection, Meeting, Survey
from teams.inviting import invitations
from teams.inviting.invitations import Approach
from teams.mail import outbox
from teams.models import Event, Invitation, Job, Participation, Study, Team
from tests.surveys.conftest import in_threads, make_participation, make_study, make_survey

HASH = "f" * 64
NAMES = ("Ergotherapie", "Logopedie", "Mondzorg", "Optometrie")


class Disk:
    """A disk on which the keys with these numbers cannot be written, counted from 1."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *full: int) -> None:
        self.full, self.n, self.sync = set(full), 0, os.fsync
        monkeypatch.setattr(collection_keys.os, "fsync", self)

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


@pytest.mark.parametrize("full", [(1,), (3,), (2, 4), (1, 2, 3, 4)])
def test_a_disk_that_is_full_at_a_key_stops_that_team_only_and_beat_opens_it(four, full, monkeypatch, client, roos):
    client.force_login(roos)
    Disk(monkeypatch, *full)
    page = client.post(reverse("survey_open", args=[four.study.slug]), follow=True)
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


def test_opening_that_broke_off_before_the_survey_was_open_has_its_button_again(four, monkeypatch, client, roos):
    """The button hung on the plan, and that was locked already. Now the plan is not locked then either."""
    client.force_login(roos)

    def broken(*args: object, **kwargs: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(collections, "open_survey", broken)
        client.raise_request_exception = False
        assert client.post(reverse("survey_open", args=[four.study.slug])).status_code == 500
    assert locked_plan(four.study) is None
    page = client.get(reverse("plan", args=[four.study.slug])).content.decode()
    assert reverse("survey_open", args=[four.study.slug]) in page
    client.post(reverse("survey_open", args=[four.study.slug]))
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
    approach = [Approach(one.pk, one.leader_name, one.leader_email) for one in teams]
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
    assert not [one for one in results if isinstance(one, Exception)], results
    assert Collection.objects.count() == len(NAMES)
    assert files() == as_they_are()
    outbox.send_due()
    begins = [letter for letter in django_mail.outbox if "De vragenlijst is open" in letter.subject]
    assert len(NAMES) - 1 <= len(begins) <= len(NAMES), "one leader may be on the page"
