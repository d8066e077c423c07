"""What is read aloud in meetings: defaults, a study's own texts, and the page on which they are written."""

import pytest
from django.urls import reverse

from surveys.collecting import meeting_texts
from teams.models import Event
from teams.studies.setting_up import let_work
from tests.surveys.conftest import make_study
from tests.surveys.test_facilitator import enter


@pytest.mark.parametrize("language", ["nl", "en"])
def test_defaults_name_team_and_controller(survey, study, language):
    text = meeting_texts.text_of(survey, meeting_texts.BRIEFING, language)
    aloud = meeting_texts.briefing(text, study, "Verpleegkunde")
    assert len(aloud) == 5
    assert "Verpleegkunde" in " ".join(aloud)
    assert study.controller in aloud[0]
    assert "{" not in " ".join(aloud)
    entries = meeting_texts.asked(meeting_texts.text_of(survey, meeting_texts.QUESTIONS, language), study, "X")
    assert len(entries) == 7
    assert all(entry.answer and "{" not in entry.answer for entry in entries)


def test_the_languages_differ(survey):
    for kind in meeting_texts.KINDS:
        assert meeting_texts.default_text(kind, "nl") != meeting_texts.default_text(kind, "en")


def form_of(survey, **changes) -> dict[str, str]:
    texts = {
        f"{kind}_{language}": meeting_texts.text_of(survey, kind, language)
        for kind in meeting_texts.KINDS
        for language in ("nl", "en")
    }
    return {**texts, **changes}


def test_a_study_writes_its_own_and_the_facilitator_reads_them(client, survey, meeting, roos):
    client.force_login(roos)
    address = reverse("meeting_texts", args=[survey.study.slug])
    own = form_of(
        survey, briefing_nl="Hallo {team}.\r\n\r\nFijn dat jullie er zijn.", questions_nl="Waarom?\nDaarom, {k}."
    )
    preview = client.post(address, {**own, "preview": "yes"})
    assert "<p>Hallo de naam van het team.</p>" in preview.content.decode()
    survey.refresh_from_db()
    assert survey.meeting_texts == {}
    assert client.post(address, own).status_code == 302
    survey.refresh_from_db()
    assert survey.meeting_texts == {
        "briefing": {"nl": "Hallo {team}.\n\nFijn dat jullie er zijn."},
        "questions": {"nl": "Waarom?\nDaarom, {k}."},
    }
    page = enter(meeting).get(reverse("facilitator", args=[meeting.pk])).content.decode()
    assert "<p>Hallo Verpleegkunde.</p>" in page
    assert "<summary>Waarom?</summary>" in page
    assert f"Daarom, {survey.study.k}." in page
    assert client.post(address, form_of(survey)).status_code == 302
    assert Event.objects.filter(kind="meeting_texts_changed").count() == 1, "the same again changes nothing"
    client.post(address, form_of(survey, briefing_nl="", questions_nl=""))
    survey.refresh_from_db()
    assert survey.meeting_texts == {"briefing": {}, "questions": {}}


def test_markup_is_text(client, survey, meeting, roos):
    meeting_texts.change(survey, {("briefing", "nl"): "<script>x</script>", ("questions", "nl"): "<b>?\n<i>!"}, by=roos)
    page = enter(meeting).get(reverse("facilitator", args=[meeting.pk])).content.decode()
    assert "<script>x" not in page
    assert "&lt;b&gt;?" in page


@pytest.mark.parametrize(
    ("field", "text"), [("briefing_en", "Dear {name}"), ("questions_en", "Why?\n\nBecause.\nYes.")]
)
def test_what_would_go_wrong_is_said(client, survey, roos, field, text):
    client.force_login(roos)
    answer = client.post(reverse("meeting_texts", args=[survey.study.slug]), form_of(survey, **{field: text}))
    assert answer.status_code == 200
    assert b"is-invalid" in answer.content
    survey.refresh_from_db()
    assert survey.meeting_texts == {}


def test_without_a_questionnaire_the_page_says_what_comes_first(client, roos):

    study = make_study("later")
    let_work(study, roos)
    client.force_login(roos)
    for name in ("meeting_texts", "reminder_rounds"):
        assert (
            reverse("questionnaire_choose", args=["later"])
            in client.get(reverse(name, args=["later"])).content.decode()
        )


@pytest.mark.parametrize(
    ("language", "words"), [("en", "looking at each other's screens"), ("nl", "op elkaars scherm te kijken")]
)
def test_what_is_read_aloud_asks_not_to_look(language, words):
    """docs/data-protection.md, What it does not protect against."""
    assert words in meeting_texts.default_text(meeting_texts.BRIEFING, language)
