"""Personal links: the scheme of tokens and keys, issuing, finding, reminders; and that nothing links person and answer."""

import base64
import hashlib
import hmac
import smtplib
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail as sent_mail
from django.db import connection
from django.test import override_settings

from surveys.answering import submission
from surveys.collecting import collections
from surveys.keys import collection_keys
from surveys.linking import personal_links
from surveys.mail_kinds import SurveyMail
from surveys.models import Invitee, LinkSecret, Response, SealedResponse, Survey
from teams.history import Happened, record
from teams.mail import outbox
from teams.models import Job, OutboxMessage
from tests.teams.test_mail_server import Moody


@pytest.fixture
def survey(survey: Survey) -> Survey:
    """Open, with the mails that say so out of the way: test_collections."""
    OutboxMessage.objects.all().delete()
    return survey


def encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_tokens_and_keys_follow_the_method(online, invitees):
    key = collection_keys.read(online)
    invitee = invitees[0]
    token = personal_links.personal_url(invitee).rsplit("/", 1)[1]
    assert token == encoded(hmac.new(key, b"link" + invitee.secret.nonce.encode(), "sha256").digest()[:20])
    assert personal_links.response_key(invitee) == encoded(
        hmac.new(key, b"response" + invitee.secret.nonce.encode(), "sha256").digest()
    )
    assert invitee.secret.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert len(base64.urlsafe_b64decode(token + "=")) * 8 == 160


def test_the_key_is_a_file_that_its_owner_alone_reads(online):
    [path] = [p for p in Path(settings.COLLECTION_KEYS_DIR).iterdir() if p.name == f"{online.uid.hex}.key"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(path.read_bytes()) == 32


def test_the_database_holds_neither_token_nor_response_key_nor_collection_key(online, invitees):
    tokens = [personal_links.personal_url(invitee).rsplit("/", 1)[1] for invitee in invitees]
    secrets = [
        *tokens,
        *(personal_links.response_key(invitee) for invitee in invitees),
        collection_keys.read(online).hex(),
    ]
    dump = everything_in_the_database()
    assert not [secret for secret in secrets if secret in dump]


def everything_in_the_database() -> str:
    with connection.cursor() as cursor:
        texts = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            texts += [repr(row) for row in cursor.fetchall()]
    return "\n".join(texts)


def test_answering_changes_nothing_at_the_invitee(invitees):
    def stored() -> list:
        return [*Invitee.objects.order_by("pk").values(), *LinkSecret.objects.order_by("pk").values()]

    before = stored()
    key = submission.start_by_link(invitees[0])
    submission.save(key, 1, {"GV1": 1})
    submission.submit(key, 2, {"GV1": 1})
    submission.delete(key)
    assert stored() == before


def test_no_column_can_link_a_response_to_a_person():
    """A new column here is a question of anonymity: read docs/data-protection.md before you change this list."""
    assert {f.name for f in Response._meta.get_fields()} == {
        "key",
        "collection",
        "state",
        "eligibility",
        "answers",
        "sequence",
        "language",
    }
    assert {f.name for f in SealedResponse._meta.get_fields()} == {
        "key",
        "collection",
        "state",
        "eligibility",
        "answers",
        "text_reviews",  # analysis.TextReview
    }
    assert {f.name for f in Invitee._meta.get_fields()} == {
        "id",
        "collection",
        "email",
        "secret",  # LinkSecret: what the link is made of
        "opted_out",
        "confirmed",  # that the address is a teacher's, said from a list; answering changes it never (the test above)
    }
    referring = {
        model.__name__
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.is_relation and field.related_model in (Response, SealedResponse, Invitee) and not field.auto_created
    }
    assert referring == {
        "TextReview",
        "LinkSecret",
    }  # what researchers decided about an open answer, of sealed responses only


def test_a_link_opens_its_invitee_in_one_query(invitees, django_assert_num_queries):
    token = personal_links.personal_url(invitees[2]).rsplit("/", 1)[1]
    with django_assert_num_queries(1):
        invitee = personal_links.find_invitee(token)
    assert invitee == invitees[2]


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 27, "a" * 5000])
def test_other_tokens_open_nothing(invitees, token):
    assert personal_links.find_invitee(token) is None


def test_a_token_made_without_the_key_opens_nothing(invitees):
    """Whoever can write to the database but has no key cannot make a link that opens somebody's answers."""
    LinkSecret.objects.filter(pk=invitees[0].pk).update(token_hash=personal_links.token_hash("made-up"))
    assert personal_links.find_invitee("made-up") is None


def test_addresses_are_invited_once_and_bad_ones_left_out(online):
    assert (
        personal_links.issue_links(online, ["A@noord.example", "a@noord.example ", "no address", "b@noord.example"])
        == 2
    )
    assert personal_links.issue_links(online, ["a@noord.example", "c@noord.example"]) == 1
    assert sorted(online.invitees.values_list("email", flat=True)) == [f"{x}@noord.example" for x in "abc"]
    assert OutboxMessage.objects.filter(kind=SurveyMail.PERSONAL_LINK).count() == 3
    assert personal_links.issue_links(online, ["x" * 250 + "@noord.example"]) == 0  # longer than its column


def test_a_closed_collection_issues_nothing(online):
    collections.close_collection(online)
    assert personal_links.issue_links(online, ["a@noord.example"]) == 0
    assert not Invitee.objects.exists()


# ------------------------------------------------------------------------------------------------ mails


def mails_to() -> list[str]:
    return sorted(message.to[0] for message in sent_mail.outbox)


def teachers_mailed() -> list[str]:
    """Leaders and contact persons got a mail when collecting opened; these are the others."""
    return [address for address in mails_to() if address.startswith("teacher")]


def test_the_mail_holds_the_link_and_says_who_gave_the_address(invitees):
    outbox.send_due()
    assert teachers_mailed() == [invitee.email for invitee in invitees]
    message = next(m for m in sent_mail.outbox if m.to == [invitees[0].email])
    assert personal_links.personal_url(invitees[0]) in message.body
    assert "Learning in teams" in message.subject
    assert "privacy@noord.example" in message.body
    assert "Je teamleider gaf ons je adres, alleen voor dit onderzoek." in message.body


def test_who_opted_out_gets_no_mail(invitees):
    personal_links.opt_out(invitees[0])
    outbox.send_due()
    assert invitees[0].email not in mails_to()
    assert len(teachers_mailed()) == 5


def test_after_closing_no_mail_goes_out(online, invitees):
    collections.close_collection(online)
    outbox.send_due()
    assert teachers_mailed() == []
    assert personal_links.remind(online) == 0


@pytest.mark.parametrize("n_done", [0, 4, 5])
def test_a_round_of_reminders_goes_to_everybody_and_tells_nobody_who_answered(online, invitees, n_done):
    """However many answered before a round, or while one waits in the outbox."""
    outbox.send_due()
    for invitee in invitees[:n_done]:
        submission.submit(submission.start_by_link(invitee), 1, {"GV1": 1})
    for done_meanwhile in (True, False):
        sent_mail.outbox.clear()
        personal_links.remind(online)
        if done_meanwhile:
            submission.submit(submission.start_by_link(invitees[n_done]), 1, {"GV1": 1})
        outbox.send_due()
        assert mails_to() == [invitee.email for invitee in invitees]
        texts = {
            message.body.replace(personal_links.personal_url(invitee), "").replace(personal_links.stop_url(invitee), "")
            for message, invitee in zip(sorted(sent_mail.outbox, key=lambda message: message.to), invitees, strict=True)
        }
        assert len(texts) == 1, "the same words for those who answered and the others"
        assert "Deed je al mee" in texts.pop()
        assert not OutboxMessage.objects.filter(kind=SurveyMail.PERSONAL_REMINDER_TO_ALL).exists(), (
            "no row is left of it"
        )


@pytest.mark.parametrize("n_done", [0, 3])
def test_neither_log_nor_outbox_of_reminders_that_fail_tells_who_answered(online, invitees, caplog, n_done):
    """Whoever answered: the same lines, and the same numbers of rows are left out."""
    outbox.send_due()
    for invitee in invitees[:n_done]:
        submission.submit(submission.start_by_link(invitee), 1, {"GV1": 1})
    sent_mail.outbox.clear()
    caplog.clear()
    personal_links.remind(online)
    first = OutboxMessage.objects.filter(kind=SurveyMail.PERSONAL_REMINDER_TO_ALL).order_by("pk").first().pk
    with override_settings(EMAIL_BACKEND="tests.teams.test_mail_server.Moody"):
        Moody.at_the_door = ConnectionRefusedError()
        outbox.send_due()
        assert OutboxMessage.objects.filter(kind=SurveyMail.PERSONAL_REMINDER_TO_ALL).count() == len(invitees), (
            "none is thrown away"
        )
        Moody.at_the_door, Moody.at_a_mail = None, [smtplib.SMTPRecipientsRefused({"": (451, b"later")})] * 2
        Job.objects.update(due_at=None)
        outbox.send_due()
    left = [
        pk - first
        for pk in OutboxMessage.objects.filter(kind=SurveyMail.PERSONAL_REMINDER_TO_ALL).values_list("pk", flat=True)
    ]
    assert left == [len(invitees), len(invitees) + 1], "they come back as new rows"
    assert mails_to() == [invitee.email for invitee in invitees][2:]
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert lines[0].startswith("teams.mail_server of all failed, attempt 1: ConnectionRefusedError")


def test_who_opted_out_is_reminded_no_more(online, invitees):
    outbox.send_due()
    personal_links.remind(online)
    personal_links.opt_out(invitees[0])  # while it waits
    sent_mail.outbox.clear()
    outbox.send_due()
    assert mails_to() == [invitee.email for invitee in invitees[1:]]
    assert personal_links.remind(online) == 5


def test_the_facilitators_mail_holds_the_link(meeting):
    assert personal_links.send_facilitator_link(meeting)
    outbox.send_due()
    message = sent_mail.outbox[-1]
    assert message.to == ["cora@noord.example"]
    assert personal_links.facilitator_url(meeting) in message.body
    assert "De teamleider van Verpleegkunde gaf ons je naam en adres, alleen voor dit onderzoek." in message.body


def test_a_contact_person_entered_by_a_researcher_reads_so(meeting, roos):
    participation = meeting.collection.participation
    record(participation.study, Happened.CONTACT_PERSON_CHANGED, participation=participation, by=roos)
    personal_links.send_facilitator_link(meeting)
    outbox.send_due()
    [message] = sent_mail.outbox
    assert (
        "De onderzoekers hebben je naam en adres ingevoerd voor Verpleegkunde, alleen voor dit onderzoek."
        in message.body
    )


def test_without_an_address_no_facilitators_mail_is_queued(meeting):
    participation = meeting.collection.participation
    participation.contact_email = ""
    participation.save(update_fields=["contact_email"])
    queued = OutboxMessage.objects.count()
    assert not personal_links.send_facilitator_link(meeting)
    assert OutboxMessage.objects.count() == queued
