"""The team leader's page by link: taking part opens the team's collection; every answer counts once."""

import datetime
import re

import pytest
from django.conf import settings
from django.core import mail as django_mail
from django.urls import reverse
from django.utils import timezone

from surveys.collecting import collections
from surveys.models import Collection, Survey
from teams.inviting import invitations
from teams.mail import outbox
from teams.models import Academy, Institution, Invitation, Job, Participation, Study, Team, User
from tests.groups import a_group

pytestmark = pytest.mark.django_db

ACCEPTED = {
    "mode": "online",
    "approached": "12",
    "meets_on": "",
    "contact_name": "",
    "contact_email": "",
    "undertaking": "on",
}


@pytest.fixture
def invitation(client, study: Study) -> Invitation:
    """Of the leader of a team whose director gave permission; opened by its link in this browser."""
    academy = Academy.objects.create(
        institution=Institution.objects.create(group=a_group(), name="Hogeschool Noord"),
        name="Academie voor Zorg",
        sector="health",
        director_name="Dirk Jansen",
        director_email="dirk@noord.example",
    )
    team = Team.objects.create(
        academy=academy, name="Logopedie", leader_name="Lou Vos", leader_email="lou@noord.example"
    )
    participation = invitations.list_team(study, team)
    invitations.invite_directors(study)
    director = invitations.academy_invitation(participation)
    invitations.accept_academy(director, [invitations.Approach(participation.pk, "Lou Vos", "lou@noord.example")])
    current = Invitation.objects.get(participation=participation)
    client.get(invitations.link_path(current))
    return current


def page(invitation: Invitation) -> str:
    return reverse("invitation", args=[invitation.pk])


def participation_of(invitation: Invitation) -> Participation:
    return Participation.objects.get(invitation=invitation)


def test_the_page_tells_the_study_in_one_screen(client, invitation, study):
    html = client.get(page(invitation)).content.decode()
    assert html.count("<h1") == 1
    for text in (study.title, "Logopedie", "Dirk Jansen", study.contact_email):
        assert text in html
    assert " style=" not in html


def test_taking_part_before_the_survey_opens(client, invitation):
    assert client.post(page(invitation), ACCEPTED).url == page(invitation)
    participation = participation_of(invitation)
    assert (participation.state, participation.mode, participation.approached) == ("accepted", "online", 12)
    assert not participation.director_sees_team
    assert User.objects.get().email == "lou@noord.example"
    assert not Collection.objects.exists()


def test_taking_part_in_an_open_survey_opens_the_teams_collection(client, invitation, study, version):
    collections.open_survey(Survey.objects.create(study=study, version=version), "f" * 64)
    day = timezone.localdate() + datetime.timedelta(days=7)
    Study.objects.update(ends_on=day)
    client.post(page(invitation), {**ACCEPTED, "mode": "researcher", "meets_on": day.isoformat()})
    collection = Collection.objects.get(participation=participation_of(invitation))
    assert (collection.mode, collection.approached, collection.state) == ("researcher", 12, "open")
    assert collection.participation.meets_on == day


def test_the_account_gets_the_code_to_sign_in_with(client, invitation):
    client.post(page(invitation), ACCEPTED)
    outbox.send_due()
    confirmation = django_mail.outbox[-1]
    assert confirmation.to == ["lou@noord.example"]
    assert reverse("team", args=[participation_of(invitation).pk]) in confirmation.body


def test_the_account_speaks_the_language_of_the_page(client, invitation, settings):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.post(page(invitation), ACCEPTED)
    assert User.objects.get().language == "en"
    outbox.send_due()
    assert django_mail.outbox[-1].subject == "Your team takes part: Learning in teams"


def test_a_repeated_post_changes_nothing_and_shows_the_state(client, invitation):
    client.post(page(invitation), ACCEPTED)
    for data in ({**ACCEPTED, "approached": "99"}, {"decline": "1", "decline-reason": "workload"}):
        response = client.post(page(invitation), data)
        assert response.status_code == 200
        assert response.templates[0].name == "surveys/leader_answered.html"
    assert participation_of(invitation).approached == 12
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"mode": ""}, "mode"),
        ({"mode": "post"}, "mode"),
        ({"approached": "0"}, "approached"),
        ({"approached": ""}, "approached"),
        ({"undertaking": ""}, "undertaking"),
        ({"mode": "contact"}, "contact_email"),
        ({"mode": "contact", "contact_name": "Cora", "contact_email": "cora"}, "contact_email"),
        ({"contact_name": "Cora\r\nBcc: x@y.example"}, "contact_name"),
        ({"meets_on": "soon"}, "meets_on"),
        ({"meets_on": "2020-02-20"}, "meets_on"),
        ({"meets_on": "2072-02-20"}, "meets_on"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_written(client, invitation, changes, field):
    response = client.post(page(invitation), {**ACCEPTED, **changes})
    assert field in response.context["form"].errors
    assert participation_of(invitation).state == Participation.State.INVITED
    assert not User.objects.exists()


def test_a_contact_person_is_kept(client, invitation):
    data = {**ACCEPTED, "mode": "contact", "contact_name": "Cora Vink", "contact_email": "Cora@noord.example"}
    client.post(page(invitation), {**data, "director_sees_team": "on"})
    participation = participation_of(invitation)
    assert (participation.contact_name, participation.contact_email) == ("Cora Vink", "cora@noord.example")
    assert participation.director_sees_team


def test_declining_with_a_reason(client, invitation):
    response = client.post(page(invitation), {"decline": "1", "decline-reason": ""})
    assert response.context["decline_form"].errors
    client.post(page(invitation), {"decline": "1", "decline-reason": "workload", "decline-text": "Te druk"})
    participation = participation_of(invitation)
    assert (participation.state, participation.invitation.reason) == ("declined", "workload")
    html = client.get(page(invitation)).content.decode()
    assert html.count("<h1") == 1
    assert not User.objects.exists()


def test_if_the_key_cannot_be_written_the_team_takes_part_and_is_opened_later(
    client, invitation, study, version, monkeypatch
):
    def full(uids):
        raise OSError("no room for the key file")

    collections.open_survey(Survey.objects.create(study=study, version=version), "f" * 64)
    with monkeypatch.context() as patch:
        patch.setattr("surveys.keys.collection_keys.make_all", full)
        assert client.post(page(invitation), ACCEPTED).url == page(invitation)
    participation = participation_of(invitation)
    assert participation.state == Participation.State.ACCEPTED
    assert not Collection.objects.exists()
    assert User.objects.get().email == "lou@noord.example"
    assert Job.objects.get().key == str(participation.pk)
    Job.objects.update(due_at=timezone.now())
    assert collections.open_missing() == 1
    assert Collection.objects.get().participation == participation
    assert not Job.objects.exists()


def test_a_leader_of_fewer_than_k_teachers_is_told_before_accepting(client, invitation, study):
    Study.objects.filter(pk=study.pk).update(k=6)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    words = "A team of fewer than 6 teachers gets no report of its own"
    first = client.get(page(invitation)).content.decode()
    assert words in first
    assert re.search(r'id="few" class="form-text" role="status" data-few="6"', first), "also without JavaScript"
    again = client.post(page(invitation), {**ACCEPTED, "approached": "5", "undertaking": ""}).content.decode()
    assert 'id="few" class="alert alert-warning"' in again
    enough = client.post(page(invitation), {**ACCEPTED, "approached": "6", "undertaking": ""}).content.decode()
    assert 'id="few" class="form-text"' in enough
    client.post(page(invitation), {**ACCEPTED, "approached": "5"})
    assert words in client.get(page(invitation)).content.decode()
