"""No more reminders, by the link in a reminder: opening changes nothing, the button and the mailbox's own post do."""

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse

from teams.inviting import corrections, invitations, reminders
from teams.links import INVITATION, make_token
from teams.mail import outbox, refusals
from teams.models import Event, Invitation

pytestmark = pytest.mark.django_db


@pytest.fixture
def director(study, nursing) -> Invitation:
    invitations.invite_directors(study)
    return invitations.academy_invitation(nursing)


def stopped(invitation: Invitation) -> bool:
    return refusals.wants_none(invitations.reader_of(Invitation.objects.get(pk=invitation.pk)))


def test_opening_the_link_changes_nothing_and_the_button_does(director):
    client, path = Client(enforce_csrf_checks=True), invitations.stop_path(director)
    for _time in range(2):
        page = client.get(path)
        assert page.status_code == 200
        assert "<button" in page.content.decode()
    assert not stopped(director)
    assert client.post(path).headers["Location"] == path
    assert stopped(director)
    page = client.get(path)
    assert 'type="submit">Geen herinneringen meer' not in page.content.decode()
    event = Event.objects.get(kind="reminders_ended")
    assert event.by_link
    client.post(path)
    assert Event.objects.filter(kind="reminders_ended").count() == 1
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_one_click_of_a_mailbox(director):
    """RFC 8058: a post without cookie, token or referrer, answered without a redirect."""
    answer = Client(enforce_csrf_checks=True).post(
        invitations.stop_path(director), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    assert stopped(director)


def test_who_asked_for_none_gets_no_reminders_but_can_still_answer(director, client):
    outbox.send_due()
    assert invitations.remind(director)
    reminders.end_reminders(director)  # between queueing and sending
    django_mail.outbox.clear()
    assert outbox.send_due() == 0
    assert not invitations.remind(director)
    client.get(invitations.link_path(director))
    assert client.get(reverse("invitation", args=[director.pk])).status_code == 200


def test_each_link_has_one_purpose(director, client):
    answer = client.get(reverse("no_reminders", args=[make_token(INVITATION, director.pk, director.nonce)]))
    assert answer.status_code == 404
    token = invitations.stop_path(director).rsplit("/", 1)[1]
    client.get(reverse("invitation_link", args=[token]))
    assert client.get(reverse("invitation", args=[director.pk])).status_code == 404


def test_a_new_address_ends_the_old_link(director, client):
    path = invitations.stop_path(director)
    corrections.correct_director(director.academy, "Dina", "dina@noord.example")
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404
    assert not stopped(director)
