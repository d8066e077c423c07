"""The researcher's pages: collecting in all teams and in one, choosing the questionnaire, the mails' outbox."""

import pytest
from django.test import Client
from django.urls import reverse

from surveys.answering import submission
from surveys.collecting import collections
from surveys.linking import personal_links
from surveys.mail_kinds import SurveyMail
from surveys.models import Collection, Survey
from surveys.questionnaires import publishing
from teams.models import OutboxMessage, Participation, User
from tests.groups import a_group
from tests.surveys.conftest import make_participation, make_study, make_survey


@pytest.fixture
def researcher(roos: User) -> Client:
    client = Client()
    client.force_login(roos)
    return client


def page_of(collection: Collection, name: str = "collecting_team") -> str:
    return reverse(name, args=[collection.survey.study.slug, collection.participation_id])


BUTTONS = [
    "collecting_close",
    "collecting_reopen",
    "collecting_seal",
    "collecting_links",
    "collecting_remind",
    "collecting_facilitator",
    "collecting_renew",
]


@pytest.mark.parametrize("name", ["collecting_team", *BUTTONS])
def test_strangers_find_nothing(collection, name):
    address = page_of(collection, name)
    other = make_study("other")
    stranger = Client()
    stranger.force_login(User.objects.create_user("eve@noord.example", "correct horse battery"))
    researcher_elsewhere = Client()
    user = User.objects.create_user("carl@noord.example", "correct horse battery")
    user.roles.create(kind="researcher", study=other)
    researcher_elsewhere.force_login(user)
    for client in (stranger, researcher_elsewhere):
        response = client.get(address) if name == "collecting_team" else client.post(address)
        assert response.status_code == 404
    anonymous = Client().get(address)
    assert anonymous.status_code in (302, 405)
    assert "login" in anonymous.get("Location", "login")


def test_the_list_of_teams_takes_as_many_queries_for_two_as_for_twenty(
    researcher, survey, django_assert_num_queries, django_assert_max_num_queries
):
    address = reverse("collecting", args=[survey.study.slug])
    with django_assert_max_num_queries(13) as two:
        assert researcher.get(address).status_code == 200
    for n in range(18):
        collections.open_collection(make_participation(survey.study, f"Team {n}", Participation.Mode.CONTACT))
    with django_assert_num_queries(len(two)):
        text = researcher.get(address).content.decode()
    assert text.count('scope="row"') == 20


def test_the_list_before_opening_and_without_teams(researcher, study):
    address = reverse("collecting", args=[study.slug])
    assert b"empty" in researcher.get(address).content
    make_survey(study)
    make_participation(study, "Mondzorg", Participation.Mode.ONLINE)
    assert "Mondzorg" in researcher.get(address).content.decode()


def test_closing_reopening_and_sealing(researcher, collection):
    for name, state in [("close", "closed"), ("reopen", "open"), ("seal", "open"), ("close", "closed")]:
        response = researcher.post(page_of(collection, f"collecting_{name}"), {"close-present": "9"}, follow=True)
        assert response.status_code == 200
        assert response.redirect_chain == [(page_of(collection), 302)]
        collection.refresh_from_db()
        assert collection.state == state
    researcher.post(page_of(collection, "collecting_seal"))
    collection.refresh_from_db()
    assert not collections.in_grace(collection)


def test_links_are_sent_to_pasted_addresses(researcher, online):
    pasted = "Jan de Vries <Jan@noord.example>; piet@noord.example,\n\nklaas@noord.example\npiet@noord.example"
    page = page_of(online, "collecting_links")
    shown = researcher.post(page, {"addresses": pasted}).context["pasted"]
    assert not online.invitees.exists(), "the first press sends nothing"
    assert researcher.post(page, {"addresses": pasted, "seen": shown.seen, "send": "1"}).status_code == 302
    emails = sorted(online.invitees.values_list("email", flat=True))
    assert emails == ["jan@noord.example", "klaas@noord.example", "piet@noord.example"]
    assert OutboxMessage.objects.filter(kind=SurveyMail.PERSONAL_LINK).count() == 3


def test_what_is_found_known_double_and_left_over_is_shown_before_anything_is_sent(researcher, online):
    personal_links.issue_links(online, ["known@noord.example"])
    OutboxMessage.objects.all().delete()
    page = page_of(online, "collecting_links")
    text = "good@noord.example\nnot one\nKnown@noord.example, wrong@noord; good@noord.example"
    response = researcher.post(page, {"addresses": text, "send": "1"})  # also where the first press says so
    assert response.status_code == 200
    shown = response.context["pasted"]
    assert (shown.new, shown.known, shown.twice) == (
        ["good@noord.example"],
        ["known@noord.example"],
        ["good@noord.example"],
    )
    assert (list(shown.wrong), list(shown.left)) == (["wrong@noord"], ["not one"])
    html = response.content.decode()
    assert "not one" in html
    assert "wrong@noord" in html
    assert not OutboxMessage.objects.exists()
    added = text + "\nlate@noord.example"
    again = researcher.post(page, {"addresses": added, "seen": shown.seen, "send": "1"})
    assert again.context["pasted"].new == ["good@noord.example", "late@noord.example"], (
        "what was not shown is shown first"
    )
    assert not OutboxMessage.objects.exists()
    assert researcher.post(page, {"addresses": text, "seen": shown.seen, "send": "1"}).status_code == 302
    assert OutboxMessage.objects.filter(kind=SurveyMail.PERSONAL_LINK).count() == 1
    assert sorted(online.invitees.values_list("email", flat=True)) == ["good@noord.example", "known@noord.example"]


def test_a_text_without_any_address_is_refused_at_the_field(researcher, online):
    response = researcher.post(page_of(online, "collecting_links"), {"addresses": "Jan, wrong@noord"})
    assert b"is-invalid" in response.content
    assert "wrong@noord" in response.content.decode()


def test_a_reminder_is_queued(researcher, online, invitees):
    OutboxMessage.objects.all().delete()
    response = researcher.post(page_of(online, "collecting_remind"), follow=True)
    assert response.status_code == 200
    assert OutboxMessage.objects.filter(kind=SurveyMail.PERSONAL_REMINDER_TO_ALL).count() == 6


def test_the_facilitators_link_is_mailed_and_renewed(researcher, collection, meeting):
    researcher.post(page_of(collection, "collecting_facilitator"))
    assert OutboxMessage.objects.latest("pk").kind == SurveyMail.FACILITATOR_LINK
    old = personal_links.facilitator_url(meeting)
    assert old in researcher.get(page_of(collection)).content.decode()
    researcher.post(page_of(collection, "collecting_renew"))
    assert old not in researcher.get(page_of(collection)).content.decode()


def test_an_online_team_has_no_meeting(researcher, online):
    assert researcher.get(page_of(online)).status_code == 200
    response = researcher.post(page_of(online, "collecting_facilitator"), follow=True)
    assert b"alert-warning" in response.content
    assert not OutboxMessage.objects.filter(
        kind=SurveyMail.FACILITATOR_LINK, study=online.survey.study, object_id=online.pk
    ).exists()


def test_the_page_names_nobody_who_answered(researcher, online, invitees):
    submission.submit(submission.start_by_link(invitees[0]), 1, {"GV1": 1})
    text = researcher.get(page_of(online)).content.decode()
    assert not [invitee.email for invitee in invitees if invitee.email in text]


# ------------------------------------------------------------------------------------------------ choosing


def test_a_questionnaire_is_chosen_before_opening(researcher, study):
    default, demo = publishing.install_shipped(a_group())
    address = reverse("questionnaire_choose", args=[study.slug])
    assert researcher.get(address).status_code == 200
    researcher.post(address, {"version": default.pk, "background": ["years_in_team", "counsellor", "invented"]})
    survey = Survey.objects.get()
    assert (survey.version, survey.background) == (default, ["years_in_team", "counsellor"])
    researcher.post(address, {"version": demo.pk})
    survey.refresh_from_db()
    assert (survey.version, survey.background) == (demo, [])
    text = researcher.get(address).content.decode()
    assert "We agree on what matters most for our students to learn." in text
    assert "We zijn het erover eens wat onze studenten vooral moeten leren." in text
    assert "niet gevalideerd" in text


def test_after_opening_nothing_can_be_chosen(researcher, survey):
    _default, demo = publishing.install_shipped(a_group())
    address = reverse("questionnaire_choose", args=[survey.study.slug])
    response = researcher.post(address, {"version": demo.pk}, follow=True)
    assert b"alert-danger" in response.content
    assert Survey.objects.get().version == survey.version


def test_choosing_nothing_is_an_error(researcher, study, version):
    address = reverse("questionnaire_choose", args=[study.slug])
    response = researcher.post(address, {})
    assert response.status_code == 200
    assert b'role="alert"' in response.content
    assert not Survey.objects.exists()


def test_without_a_questionnaire_the_page_says_so(researcher, study):
    assert b"/questionnaires/" in researcher.get(reverse("questionnaire_choose", args=[study.slug])).content


def test_strangers_cannot_choose(study, version):
    client = Client()
    client.force_login(User.objects.create_user("eve@noord.example", "correct horse battery"))
    assert client.post(reverse("questionnaire_choose", args=[study.slug]), {"version": version.pk}).status_code == 404
    assert not Survey.objects.exists()
