"""A study's own words: safe fields, checks, both languages, the closing that nobody can edit, and headers that stay headers."""

import pytest
from django.core import mail as django_mail
from django.urls import reverse
from django.utils import translation

from teams.inviting import invitations
from teams.mail import composing, outbox, templates
from teams.mail.templates import LETTERS, Wording
from teams.models import Event, MailText, OutboxMessage, Study
from tests.groups import a_group

pytestmark = pytest.mark.django_db
KIND = "teams.director_invitation"
OWN = "Beste {name},\n\n{academy} doet mee?\n\n{link}"


def mailed() -> list:
    django_mail.outbox.clear()
    outbox.send_due()
    return django_mail.outbox


@pytest.mark.parametrize("kind", LETTERS)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_shipped_text_has_no_problem_and_is_written_in_both_languages(kind, language):
    words, other = templates.shipped(kind, language), templates.shipped(kind, "en" if language == "nl" else "nl")
    assert templates.problems(kind, words.subject, words.body) == []
    assert words.body != other.body
    assert not words.own


def test_a_study_says_it_in_its_own_words_in_one_language_only(study, nursing, roos):
    assert templates.put_in_own_words(study, KIND, "nl", "Doet {academy} mee?", OWN, roos)
    assert templates.wording(study, KIND, "nl") == Wording("Doet {academy} mee?", OWN, own=True)
    assert not templates.wording(study, KIND, "en").own
    invitations.invite_directors(study)
    (sent,) = mailed()
    assert sent.subject == "Doet Academie voor Zorg mee?"
    assert sent.body.startswith("Beste Dirk Jansen,\n\nAcademie voor Zorg doet mee?\n\nhttp")
    assert "hebben je naam en adres op de lijst" in sent.body  # the closing: where the address comes from
    assert "privacy@noord.example" in sent.body
    assert Event.objects.filter(kind="mail_text_changed", by=roos).count() == 1


def test_another_study_keeps_the_shipped_text(study, roos):
    templates.put_in_own_words(study, KIND, "nl", "Doet {academy} mee?", OWN, roos)
    other = Study.objects.create(
        group=a_group(), slug="other", title="Other", starts_on="2026-01-01", ends_on="2027-01-01"
    )
    assert not templates.wording(other, KIND, "nl").own


def test_back_to_the_shipped_text_and_the_shipped_text_itself_is_not_stored(study, roos):
    templates.put_in_own_words(study, KIND, "nl", "Doet {academy} mee?", OWN, roos)
    assert not templates.put_in_own_words(study, KIND, "nl", "Doet {academy} mee?", OWN, roos)
    assert templates.back_to_shipped(study, KIND, "nl", roos)
    assert not templates.back_to_shipped(study, KIND, "nl", roos)
    shipped = templates.shipped(KIND, "nl")
    assert not templates.put_in_own_words(study, KIND, "nl", shipped.subject, shipped.body.replace("\n", "\r\n"), roos)
    assert not MailText.objects.exists()


@pytest.mark.parametrize(
    ("subject", "body", "place"),
    [
        ("", OWN, "subject"),
        ("   ", OWN, "subject"),
        ("a\nBcc: everyone@noord.example", OWN, "subject"),
        ("a\rb", OWN, "subject"),
        ("a\x00b", OWN, "subject"),
        ("{link}", OWN, "subject"),
        ("{unknown}", OWN, "subject"),
        ("fine", "", "body"),
        ("fine", "no link", "body"),
        ("fine", OWN + " {team}", "body"),  # a field of other mails
        ("fine", OWN + " {0}", "body"),
        ("fine", OWN + " {name.__class__}", "body"),
        ("fine", OWN + " {name!r}", "body"),
        ("fine", OWN + " { name }", "body"),
        ("fine", OWN + " }", "body"),
        ("fine", OWN + " {{ settings.SECRET_KEY }}", "body"),
    ],
)
def test_a_text_with_a_problem_is_refused(study, roos, subject, body, place):
    problems = templates.problems(KIND, subject, body)
    assert {where for where, _ in problems} == {place}
    with pytest.raises(ValueError, match="cannot be sent"):
        templates.put_in_own_words(study, KIND, "nl", subject, body, roos)
    assert not MailText.objects.exists()


def test_a_stored_text_that_a_newer_program_cannot_send_gives_way_to_the_shipped_one(study):
    MailText.objects.create(study=study, kind=KIND, language="nl", subject="Oud", body="{gone} {link}")
    assert not templates.wording(study, KIND, "nl").own


def test_templates_and_fields_in_data_stay_text(study, nursing, roos):
    """What people typed as their name or title is put in once, and never read as a field or a template."""
    Study.objects.filter(pk=study.pk).update(title="{link} {{ 7|add:1 }} {% now 'Y' %} <b>")
    templates.put_in_own_words(study, KIND, "nl", "{study}", OWN + "\n\n{study}", roos)
    invitations.invite_directors(Study.objects.get())
    (sent,) = mailed()
    assert sent.subject == "{link} {{ 7|add:1 }} {% now 'Y' %} <b>"
    assert sent.body.count("/i/") == 1
    assert "{% now 'Y' %}" in sent.body
    assert "&lt;b&gt;" in sent.alternatives[0].content
    assert "<b>" not in sent.alternatives[0].content


def test_a_name_with_a_line_break_becomes_one_line_in_the_subject(study, nursing, academy, roos):
    type(academy).objects.update(director_name="Dirk\nBcc: everyone@noord.example")
    templates.put_in_own_words(study, KIND, "nl", "Voor {name}", OWN, roos)
    invitations.invite_directors(study)
    (sent,) = mailed()
    assert sent.subject == "Voor Dirk Bcc: everyone@noord.example"
    assert sent.recipients() == ["dirk@noord.example"]
    assert "\nBcc" not in sent.message().as_string().partition("\n\n")[0]


def test_a_paragraph_with_nothing_but_empty_fields_goes_out():
    values = {"when": "", "name": "Lena"}
    assert templates.fill("Dear {name},\n\n{when}\n\nbye {when}", values) == "Dear Lena,\n\nbye "


def test_a_preview_has_real_names_and_no_link_that_opens_anything(study, nursing):
    words = templates.shipped(KIND, "nl")
    preview = templates.preview(KIND, study, "nl", "roos@noord.example", words)
    assert preview.to == "roos@noord.example"
    assert "Dirk Jansen" in preview.text
    assert "- Verpleegkunde (Lena Bos)" in preview.text
    assert "/i/" not in preview.text
    assert composing.absolute("/example") in preview.text


@pytest.mark.parametrize("kind", LETTERS)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_letter_has_a_preview_in_an_empty_study_too(study, kind, language):
    preview = templates.preview(kind, study, language, "roos@noord.example", templates.shipped(kind, language))
    assert not templates.FIELD.search(preview.text + preview.subject)


# ------------------------------------------------------------------------------------------------ the page
def test_the_page_previews_tests_saves_and_goes_back(study, nursing, roos, client):
    client.force_login(roos)
    page = reverse("mail_text", args=[study.slug, KIND])
    text = {"language": "nl", "nl-subject": "Doet {academy} mee?", "nl-body": OWN}
    shown = client.post(page, {**text, "action": "preview"}).content.decode()
    assert "Academie voor Zorg doet mee?" in shown
    assert not MailText.objects.exists()
    assert client.post(page, {**text, "action": "test"}).status_code == 200
    (test,) = django_mail.outbox
    assert (test.to, test.subject) == (["roos@noord.example"], "Doet Academie voor Zorg mee?")
    assert not OutboxMessage.objects.exists()
    assert client.post(page, {**text, "action": "save"}).status_code == 302
    saved = client.get(page)
    with translation.override("nl"):
        assert saved.context["missing"][0].code == "en"
    client.post(page, {"language": "nl", "action": "shipped"})
    assert not MailText.objects.exists()


def test_the_page_says_what_is_wrong_and_keeps_what_was_written(study, roos, client):
    client.force_login(roos)
    page = reverse("mail_text", args=[study.slug, KIND])
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    for action in ("save", "preview", "test"):
        text = {"language": "en", "en-subject": "", "en-body": "Hello {nobody}", "action": action}
        shown = client.post(page, text).content.decode()
        assert "An email needs a subject." in shown
        assert "This email has no field {nobody}." in shown
        assert "The field {link} is missing." in shown
        assert "Hello {nobody}" in shown
    assert not MailText.objects.exists()
    assert django_mail.outbox == []
    assert client.post(page, {"language": "de", "action": "save"}).status_code == 404


def test_a_test_mail_that_the_server_refuses_is_told(study, roos, client, settings):
    client.force_login(roos)
    settings.EMAIL_BACKEND = "tests.teams.test_mail.RefusingBackend"
    text = {"language": "nl", "nl-subject": "Doet {academy} mee?", "nl-body": OWN, "action": "test"}
    shown = client.post(reverse("mail_text", args=[study.slug, KIND]), text).content.decode()
    assert "connection reset" in shown
