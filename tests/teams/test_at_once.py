"""Two people, or two workers, at the same moment: the first counts, the second changes nothing."""

import pytest
from django.core import mail as django_mail

from teams.inviting import invitations
from teams.inviting.invitations import Approach
from teams.mail import outbox
from teams.models import Event, Invitation, OutboxMessage, Role, Study, User
from teams.studies import setting_up
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_permissions_at_once(study, nursing, physiotherapy):
    invitations.invite_directors(study)
    director = invitations.academy_invitation(nursing)
    results = in_threads(
        lambda: invitations.accept_academy(director, [Approach(nursing.pk, "Lena Bos", "lena@noord.example")]),
        lambda: invitations.accept_academy(director, [Approach(physiotherapy.pk, "Lars Smit", "lars@noord.example")]),
        lambda: invitations.decline(director, "workload"),
    )
    assert sorted(results) == [False, False, True]
    answered = Event.objects.filter(kind__in=["director_accepted", "director_declined"])
    assert answered.count() == 1
    assert Invitation.objects.filter(participation__isnull=False, state=Invitation.State.SENT).count() <= 1


def test_a_leader_who_presses_twice(study, nursing):
    invitations.invite_directors(study)
    director = invitations.academy_invitation(nursing)
    invitations.accept_academy(director, [Approach(nursing.pk, "Lena Bos", "lena@noord.example")])
    leader = Invitation.objects.get(participation=nursing)
    results = in_threads(
        *[lambda n=n: invitations.accept_team(leader, mode="online", approached=n) for n in (10, 11, 12)]
    )
    assert sorted(results) == [False, False, True]
    assert (User.objects.count(), Role.objects.count()) == (1, 1)
    assert OutboxMessage.objects.filter(kind="teams.leader_confirmation").count() == 1


def test_the_director_and_a_researcher_press_at_once(study, nursing, roos):
    results = in_threads(*[lambda: invitations.invite_directors(study, roos)] * 3)
    assert sorted(results) == [0, 0, 1]
    assert OutboxMessage.objects.count() == 1


def test_workers_share_the_outbox(study, nursing, settings):
    """Every mail goes out once, whoever claims it."""
    invitations.invite_directors(study)
    director = invitations.academy_invitation(nursing)
    outbox.queue_many("teams.director_reminder", [director.pk] * 20)
    results = in_threads(*[outbox.send_due] * 4)
    assert sum(results) == 21
    assert len(django_mail.outbox) == 21
    assert set(OutboxMessage.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_two_studies_of_one_title(study, roos):
    fields = {
        name: getattr(study, name)
        for name in ("group", "starts_on", "ends_on", "controller", "privacy_contact", "contact_name", "contact_email")
    }
    results = in_threads(*[lambda: setting_up.create_study({**fields, "title": "Twin"}, roos)] * 3)
    assert {result.slug for result in results} == {"twin", "twin-2", "twin-3"}
    assert Study.objects.count() == 4
