"""The mail provider's reports: only with its secret, and its own sample payloads change the right mail."""

import base64
import json

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.test import Client
from django.urls import reverse
from django.utils import translation

from config.mail_provider import provider_of, settings_of
from teams.inviting import invitations
from teams.mail import outbox, refusals
from teams.mail.listing import list_mails
from teams.mail.server import of_provider
from teams.models import Invitation, OutboxMessage
from tests.teams.conftest import academy, nursing, study  # noqa: F401

State = OutboxMessage.State
SECRET = "postmark:very-secret"
NUMBER = "883953f4-6105-42a2-a16a-77a8eac79483"
# As Postmark documents its bounce and spam complaint webhooks
BOUNCE = {
    "RecordType": "Bounce",
    "MessageStream": "outbound",
    "ID": 4323372036854775807,
    "Type": "HardBounce",
    "TypeCode": 1,
    "Name": "Hard bounce",
    "Tag": "Test",
    "MessageID": NUMBER,
    "ServerID": 23,
    "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
    "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
    "Email": "dirk@noord.example",
    "From": "sender@example.com",
    "BouncedAt": "2019-11-05T16:33:54.9070259Z",
    "DumpAvailable": True,
    "Inactive": True,
    "CanActivate": True,
    "Subject": "Test subject",
    "Metadata": {},
}
COMPLAINT = {**BOUNCE, "RecordType": "SpamComplaint", "Type": "SpamComplaint", "TypeCode": 512, "Details": "spam"}
OPENED = {"RecordType": "Open", "MessageID": NUMBER, "Recipient": "dirk@noord.example", "Metadata": {}}


@pytest.fixture
def postmark(settings) -> None:
    for name, value in settings_of("anymail+postmark:?SERVER_TOKEN=abc", SECRET).items():
        setattr(settings, name, value)


@pytest.fixture
def sent(study, nursing, postmark, requests_of_postmark) -> Invitation:  # noqa: F811
    invitations.invite_directors(study)
    assert outbox.send_due() == 1
    return invitations.academy_invitation(nursing)


@pytest.fixture
def requests_of_postmark(monkeypatch) -> list[dict]:
    """What is posted to Postmark, which takes it; the network is the outside world."""
    posted: list[dict] = []

    def take(self, method, url, **parameters):
        import requests

        posted.append(json.loads(parameters["data"]))
        response = requests.Response()
        response.status_code = 200
        response._content = json.dumps(
            {"To": "dirk@noord.example", "MessageID": NUMBER, "ErrorCode": 0, "Message": "OK"}
        ).encode()
        return response

    monkeypatch.setattr("requests.Session.request", take)
    return posted


def report(payload: dict, secret: str = SECRET):
    headers = {"authorization": "Basic " + base64.b64encode(secret.encode()).decode()} if secret else {}
    return Client(enforce_csrf_checks=True).post(
        reverse("mail_events"), json.dumps(payload), content_type="application/json", headers=headers
    )


@pytest.mark.django_db
def test_mails_go_through_the_provider_and_are_not_followed(sent, requests_of_postmark):
    (posted,) = requests_of_postmark
    assert posted["To"] == "dirk@noord.example"
    assert (posted["TrackOpens"], posted["TrackLinks"]) == (False, "None")
    message = OutboxMessage.objects.get()
    assert (message.state, message.provider_id) == (State.SENT, of_provider(NUMBER))


@pytest.mark.django_db
def test_a_bounce_marks_the_mail(sent):
    assert report(BOUNCE).status_code == 200
    message = OutboxMessage.objects.get()
    assert (message.state, message.error) == (State.BOUNCED, "came back: 5.1.1")
    with translation.override("en"):
        (row,), _page = list_mails(sent.study, "undelivered", 1)
    assert row.note == "this address does not exist (5.1.1)"
    assert row.reader.address == "dirk@noord.example"
    assert report(BOUNCE).status_code == 200  # providers report twice


@pytest.mark.django_db
@pytest.mark.parametrize("secret", ["", "postmark:wrong", "very-secret"])
def test_nobody_else_can_report(sent, secret):
    assert report(BOUNCE, secret).status_code == 400
    assert OutboxMessage.objects.get().state == State.SENT


@pytest.mark.django_db
def test_who_calls_it_spam_gets_no_reminders(sent):
    assert report(COMPLAINT).status_code == 200
    assert refusals.wants_none("dirk@noord.example")
    assert OutboxMessage.objects.get().state == State.SENT
    assert not invitations.remind(sent)


@pytest.mark.django_db
def test_other_reports_and_mails_of_others_change_nothing(sent):
    for payload in (OPENED, {**BOUNCE, "MessageID": "another"}, {**BOUNCE, "Type": "Transient"}):
        assert report(payload).status_code == 200
    assert OutboxMessage.objects.get().state == State.SENT
    assert not refusals.wants_none("dirk@noord.example")


def test_without_secret_no_reports_are_taken(settings):
    for name, value in settings_of("anymail+postmark:?SERVER_TOKEN=abc").items():
        setattr(settings, name, value)
    assert report(BOUNCE).status_code == 404


def test_a_provider_is_read_from_the_address_of_mail():
    assert provider_of("smtp+tls://user:secret@host:587") == ""
    made = settings_of("anymail+mailgun:?API_KEY=a%2Fb&SENDER_DOMAIN=mg.noord.example")
    assert made["EMAIL_BACKEND"] == "anymail.backends.mailgun.EmailBackend"
    assert made["ANYMAIL"]["MAILGUN_API_KEY"] == "a/b"
    assert made["ANYMAIL"]["SEND_DEFAULTS"] == {"track_opens": False, "track_clicks": False}
    assert "WEBHOOK_SECRET" not in made["ANYMAIL"]
    with pytest.raises(ImproperlyConfigured):
        provider_of("anymail+pigeon:?KEY=1")


@pytest.mark.parametrize("provider", ["postmark", "mailgun", "mailjet", "brevo", "amazon-ses", "sparkpost"])
def test_every_provider_has_its_backend_and_its_reports(provider):
    from importlib import import_module

    from django.urls import resolve

    name = provider_of(f"anymail+{provider}:")
    assert resolve(f"/{name}/tracking/", urlconf="anymail.urls")
    if name != "amazon_ses":  # needs a package of its own
        assert import_module(f"anymail.backends.{name}").EmailBackend


def test_connection_of_the_provider(postmark):
    assert get_connection().esp_name == "Postmark"
