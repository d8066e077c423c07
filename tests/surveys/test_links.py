"""Personal links: the scheme of tokens and keys, issuing, finding, reminders; and that nothing links person and answer."""

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail as sent_mail
from django.db import connection

from surveys import collections, keys, links, submission
from surveys.models import Invitee, Response
from teams import mail
from teams.models import OutboxMessage


def encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_tokens_and_keys_follow_the_method(online, invitees):
    key = keys.read(online)
    invitee = invitees[0]
    token = links.personal_url(invitee).rsplit("/", 1)[1]
    assert token == encoded(hmac.new(key, b"link" + invitee.nonce.encode(), "sha256").digest()[:20])
    assert links.response_key(invitee) == encoded(
        hmac.new(key, b"response" + invitee.nonce.encode(), "sha256").digest()
    )
    assert invitee.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert len(base64.urlsafe_b64decode(token + "=")) * 8 == 160


def test_the_key_is_a_file_that_its_owner_alone_reads(online):
    [path] = [p for p in Path(settings.COLLECTION_KEYS_DIR).iterdir() if p.name == f"{online.uid.hex}.key"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(path.read_bytes()) == 32


def test_the_database_holds_neither_token_nor_response_key_nor_collection_key(online, invitees):
    tokens = [links.personal_url(invitee).rsplit("/", 1)[1] for invitee in invitees]
    secrets = [*tokens, *(links.response_key(invitee) for invitee in invitees), keys.read(online).hex()]
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
    before = list(Invitee.objects.order_by("pk").values())
    key = submission.start_by_link(invitees[0])
    submission.save(key, 1, {"GV1": 1})
    submission.submit(key, 2, {"GV1": 1})
    submission.delete(key)
    assert list(Invitee.objects.order_by("pk").values()) == before


def test_no_column_can_link_a_response_to_a_person():
    """A new column here is a question of anonymity: read method.md before you change this list."""
    assert {f.name for f in Response._meta.get_fields()} == {
        "key",
        "collection",
        "state",
        "eligibility",
        "answers",
        "sequence",
        "language",
        "by_link",
        "text_reviews",  # analysis.TextReview: made after sealing only
    }
    assert {f.name for f in Invitee._meta.get_fields()} == {
        "id",
        "collection",
        "email",
        "nonce",
        "token_hash",
        "opted_out",
    }
    referring = {
        model.__name__
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.is_relation and field.related_model in (Response, Invitee) and not field.auto_created
    }
    assert referring == {"TextReview"}  # what researchers decided about an open answer, of sealed responses only


def test_a_link_opens_its_invitee_in_one_query(invitees, django_assert_num_queries):
    token = links.personal_url(invitees[2]).rsplit("/", 1)[1]
    with django_assert_num_queries(1):
        found = links.find_invitee(token)
    assert found == invitees[2]


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 27, "a" * 5000])
def test_other_tokens_open_nothing(invitees, token):
    assert links.find_invitee(token) is None


def test_a_token_made_without_the_key_opens_nothing(invitees):
    """Whoever can write to the database but has no key cannot make a link that opens somebody's answers."""
    Invitee.objects.filter(pk=invitees[0].pk).update(token_hash=links.token_hash("made-up"))
    assert links.find_invitee("made-up") is None


def test_addresses_are_invited_once_and_bad_ones_left_out(online):
    assert links.issue_links(online, ["A@noord.example", "a@noord.example ", "no address", "b@noord.example"]) == 2
    assert links.issue_links(online, ["a@noord.example", "c@noord.example"]) == 1
    assert sorted(online.invitees.values_list("email", flat=True)) == [f"{x}@noord.example" for x in "abc"]
    assert OutboxMessage.objects.filter(kind=links.LINK_MAIL).count() == 3
    assert links.issue_links(online, ["x" * 250 + "@noord.example"]) == 0  # longer than its column


def test_a_closed_collection_issues_nothing(online):
    collections.close_collection(online)
    assert links.issue_links(online, ["a@noord.example"]) == 0
    assert not Invitee.objects.exists()


# ------------------------------------------------------------------------------------------------ mails


def mails_to() -> list[str]:
    return sorted(message.to[0] for message in sent_mail.outbox)


def test_the_mail_holds_the_link_and_says_who_gave_the_address(invitees):
    mail.send_due()
    assert mails_to() == [invitee.email for invitee in invitees]
    message = next(m for m in sent_mail.outbox if m.to == [invitees[0].email])
    assert links.personal_url(invitees[0]) in message.body
    assert "Learning in teams" in message.subject
    assert "privacy@noord.example" in message.body


def test_who_opted_out_gets_no_mail(invitees):
    links.opt_out(invitees[0])
    mail.send_due()
    assert invitees[0].email not in mails_to()
    assert len(mails_to()) == 5


def test_after_closing_no_mail_goes_out(online, invitees):
    collections.close_collection(online)
    assert mail.send_due() == 0
    assert links.remind(online).n_queued == 0


def test_a_reminder_leaves_out_who_is_done_only_if_k_answers_came_in(online, invitees):
    mail.send_due()
    sent_mail.outbox.clear()
    for invitee in invitees[:4]:
        submission.submit(submission.start_by_link(invitee), 1, {"GV1": 1})
    first = links.remind(online)
    assert (first.n_queued, first.only_those_not_done) == (6, False)
    assert set(OutboxMessage.objects.filter(state="queued").values_list("kind", flat=True)) == {
        links.REMINDER_TO_ALL_MAIL  # its text says to ignore it after taking part
    }
    mail.send_due()
    assert len(mails_to()) == 6, "fewer than k since the last round: it goes to all"
    sent_mail.outbox.clear()
    links.issue_links(online, [f"more{n}@noord.example" for n in range(5)])
    mail.send_due()
    sent_mail.outbox.clear()
    for invitee in online.invitees.filter(email__startswith="more"):
        submission.submit(submission.start_by_link(invitee), 1, {"GV1": 1})
    second = links.remind(online)
    assert (second.n_queued, second.only_those_not_done) == (11, True)
    links.opt_out(invitees[5])
    mail.send_due()
    assert mails_to() == [invitees[4].email]


def test_a_round_of_reminders_leaves_no_trace_of_who_was_done(online, invitees):
    """Neither while it waits nor after it was sent does the outbox tell those who are done from the others."""
    mail.send_due()
    for invitee in invitees[:5]:
        submission.submit(submission.start_by_link(invitee), 1, {"GV1": 1})
    assert links.remind(online).only_those_not_done
    waiting = OutboxMessage.objects.filter(kind=links.REMINDER_MAIL)
    assert waiting.values("state", "attempts", "language", "error").distinct().count() == 1
    assert waiting.count() == 6
    mail.send_due()
    assert not OutboxMessage.objects.filter(kind=links.REMINDER_MAIL).exists()


def test_the_facilitators_mail_holds_the_link(meeting):
    assert links.send_facilitator_link(meeting)
    mail.send_due()
    [message] = sent_mail.outbox
    assert message.to == ["cora@noord.example"]
    assert links.facilitator_url(meeting) in message.body


def test_without_an_address_no_facilitators_mail_is_queued(meeting):
    participation = meeting.collection.participation
    participation.contact_email = ""
    participation.save(update_fields=["contact_email"])
    assert not links.send_facilitator_link(meeting)
    assert not OutboxMessage.objects.exists()
