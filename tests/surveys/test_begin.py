"""A new installation, and a new study: nothing goes out and nothing is chosen, and each page says what comes next."""

import pytest
from django.apps import apps
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse

from surveys.models import Questionnaire, Survey
from surveys.questionnaires import offering, publishing
from teams.inviting import invitations
from teams.mail import outbox
from teams.models import OutboxMessage, Participation
from teams.studies import setting_up
from teams.studies.setting_up import NotYet
from tests.surveys.conftest import in_threads, make_participation, make_study, make_survey


@pytest.fixture
def researcher(roos) -> Client:
    client = Client()
    client.force_login(roos)
    return client


@pytest.fixture
def waits(monkeypatch) -> None:
    """As in the program: what the app of questionnaires says comes first."""
    monkeypatch.setattr(setting_up, "NOT_YET", [publishing.why_not_invite])


@pytest.fixture
def listed(study) -> Participation:
    other = make_participation(study, "Vroeger", Participation.Mode.ONLINE)
    team = other.team
    other.delete()
    return invitations.list_team(study, team)


def test_the_program_itself_asks_whether_there_is_a_questionnaire():
    known = list(setting_up.NOT_YET)
    try:
        apps.get_app_config("surveys").ready()
        assert publishing.why_not_invite in setting_up.NOT_YET
    finally:
        setting_up.NOT_YET[:] = known


def test_nobody_is_mailed_about_a_study_that_asks_nothing_yet(researcher, study, listed, waits):
    """Mails with another study's words went out."""
    with pytest.raises(NotYet):
        invitations.invite_directors(study)
    teams = researcher.get(reverse("teams", args=[study.slug])).content.decode()
    assert reverse("invite_directors", args=[study.slug]) not in teams
    answer = researcher.post(reverse("invite_directors", args=[study.slug]), follow=True)
    assert "alert-danger" in answer.content.decode()
    outbox.send_due()
    assert (django_mail.outbox, OutboxMessage.objects.count()) == ([], 0)
    listed.refresh_from_db()
    assert listed.state == Participation.State.LISTED
    make_survey(study)
    teams = researcher.get(reverse("teams", args=[study.slug])).content.decode()
    assert reverse("invite_directors", args=[study.slug]) in teams
    assert invitations.invite_directors(study) == 1


def test_a_new_installation_has_one_button_to_a_questionnaire_that_can_be_chosen(researcher, study):
    address = reverse("questionnaire_choose", args=[study.slug])
    assert 'name="begin"' in researcher.get(address).content.decode()
    answer = researcher.post(address, {"begin": "collective-learning"}, follow=True)
    assert answer.redirect_chain == [(address, 302)]
    (version,) = publishing.newest_versions(study.group_id)
    assert f'value="{version.pk}"' in answer.content.decode()
    researcher.post(address, {"begin": "collective-learning"})
    assert Questionnaire.objects.count() == 1, "pressed twice: one copy"
    researcher.post(address, {"version": version.pk})
    assert Survey.objects.get(study=study).version == version
    assert 'name="begin"' not in researcher.get(address).content.decode()


def test_what_is_no_template_is_not_copied(researcher, study):
    answer = researcher.post(reverse("questionnaire_choose", args=[study.slug]), {"begin": "../secret"}, follow=True)
    assert answer.status_code == 200
    assert not Questionnaire.objects.exists()


def test_the_empty_list_of_questionnaires_has_the_button_too(researcher, study):
    page = researcher.get(reverse("questionnaires")).content.decode()
    assert 'name="template" value="collective-learning"' in page
    answer = researcher.post(
        reverse("questionnaire_templates"), {"group": study.group_id, "template": "collective-learning"}
    )
    assert answer.url == reverse("questionnaire_edit", args=[Questionnaire.objects.get().pk])


@pytest.mark.django_db(transaction=True)
def test_of_two_who_press_it_at_once_one_copies(django_user_model):
    study = make_study()
    user = django_user_model.objects.create_user("roos@noord.example")
    results = in_threads(*[lambda: offering.begin_with("collective-learning", study.group, user)] * 3)
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "NoneType", "Questionnaire"], results
    assert Questionnaire.objects.count() == 1
