"""The director's page by link: the study in one screen, permission or refusal, and the state after it."""

import pytest
from django.core import mail as django_mail
from django.urls import reverse

from teams.inviting import invitations
from teams.mail import outbox
from teams.models import Event, Invitation, Participation, Team

pytestmark = pytest.mark.django_db


@pytest.fixture
def invitation(client, study, nursing, physiotherapy) -> Invitation:
    """Sent, and opened by its link in this browser."""
    invitations.invite_directors(study)
    invitation = invitations.academy_invitation(nursing)
    client.get(invitations.link_path(invitation))
    return invitation


def page(invitation: Invitation) -> str:
    return reverse("invitation", args=[invitation.pk])


def permission(*participations: Participation, **changes: str) -> dict[str, str]:
    data = {"undertaking": "on"}
    for participation in participations:
        data |= {
            f"ask_{participation.pk}": "on",
            f"name_{participation.pk}": participation.team.leader_name,
            f"email_{participation.pk}": participation.team.leader_email,
        }
    return {**data, **changes}


def reread(row):
    return type(row).objects.get(pk=row.pk)


def test_the_page_tells_the_study_in_one_screen(client, invitation, study):
    response = client.get(page(invitation))
    html = response.content.decode()
    assert html.count("<h1") == 1
    for text in (study.title, study.controller, study.contact_email, study.privacy_contact, "Verpleegkunde"):
        assert text in html
    assert 'value="lena@noord.example"' in html
    assert "no-store" in response["Cache-Control"]
    assert " style=" not in html


def test_giving_permission(client, invitation, nursing, physiotherapy):
    data = permission(nursing, **{f"email_{nursing.pk}": "Lotte@noord.example"})
    assert client.post(page(invitation), data).url == page(invitation)
    assert reread(invitation).state == Invitation.State.ACCEPTED
    assert reread(nursing).team.leader_email == "lotte@noord.example"
    assert reread(physiotherapy).state == Participation.State.DECLINED
    html = client.get(page(invitation)).content.decode()
    assert 'name="undertaking"' not in html
    outbox.send_due()
    assert "lotte@noord.example" in [sent.to[0] for sent in django_mail.outbox]


def test_a_repeated_post_changes_nothing_and_shows_the_state(client, invitation, nursing, physiotherapy):
    client.post(page(invitation), permission(nursing))
    before = (list(Invitation.objects.values()), Event.objects.count())
    for data in (permission(nursing, physiotherapy), {"decline": "1", "decline-reason": "workload"}):
        response = client.post(page(invitation), data)
        assert response.status_code == 200
        assert response.templates[0].name == "teams/director_answered.html"
    assert (list(Invitation.objects.values()), Event.objects.count()) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"undertaking": ""},
        {"email_": "nobody"},
        {"email_": ""},
        {"name_": ""},
        {"name_": "Lena\nBcc: x@y.example"},
        {"ask_": ""},
        {"not_before": "1999-01-01"},
        {"not_before": "2072-01-01"},
    ],
)
def test_what_is_missing_is_said_and_nothing_is_written(client, invitation, nursing, changes):
    changes = {f"{name}{nursing.pk}" if name.endswith("_") else name: value for name, value in changes.items()}
    response = client.post(page(invitation), permission(nursing, **changes))
    assert response.status_code == 200
    assert response.context["form"].errors
    assert reread(invitation).state == Invitation.State.SENT


def test_declining_needs_a_reason(client, invitation):
    response = client.post(page(invitation), {"decline": "1", "decline-reason": "", "decline-text": "Nee"})
    assert response.context["decline_form"].errors
    assert reread(invitation).state == Invitation.State.SENT
    client.post(page(invitation), {"decline": "1", "decline-reason": "reorganisation", "decline-text": "We fuseren"})
    current = reread(invitation)
    assert (current.state, current.reason, current.reason_text) == ("declined", "reorganisation", "We fuseren")
    assert client.get(page(invitation)).templates[0].name == "teams/director_answered.html"


def test_nobody_can_give_the_programs_own_reason(client, invitation):
    response = client.post(page(invitation), {"decline": "1", "decline-reason": "left_out"})
    assert response.context["decline_form"].errors


def test_teams_of_another_academy_cannot_be_slipped_in(client, invitation, study, nursing):
    from teams.models import Academy, Institution

    other = Academy.objects.create(
        institution=Institution.objects.get(), name="Andere", director_name="X", director_email="x@noord.example"
    )
    team = Team.objects.create(academy=other, name="Pabo", leader_name="P", leader_email="p@noord.example")
    stranger = invitations.list_team(study, team)
    client.post(page(invitation), permission(nursing, stranger))
    assert reread(stranger).invitation.state == Invitation.State.LISTED
    assert reread(stranger).state == Participation.State.LISTED


def test_teams_that_came_later_can_be_allowed_too(client, invitation, study, nursing, physiotherapy):
    client.post(page(invitation), permission(nursing, physiotherapy))
    team = Team.objects.create(
        academy=nursing.team.academy, name="Logopedie", leader_name="Lou", leader_email="lou@noord.example"
    )
    late = invitations.list_team(study, team)
    assert "Logopedie" in client.get(page(invitation)).content.decode()
    assert client.get(page(invitation)).context["form"] is None
    invitations.invite_directors(study)
    assert client.get(page(invitation)).context["form"].participations == [late]
    client.post(page(invitation), permission(late))
    assert reread(late).invitation.state == Invitation.State.SENT


def test_the_page_needs_no_account_but_its_own_link(client, invitation, study, roos):
    from django.test import Client

    stranger = Client()
    stranger.force_login(roos)
    assert stranger.get(page(invitation)).status_code == 404
    assert stranger.post(page(invitation), {"undertaking": "on"}).status_code == 404
    leaders = Invitation.objects.exclude(participation=None).first()
    assert client.get(page(leaders)).status_code == 404


def test_other_methods_are_refused(client, invitation):
    assert client.put(page(invitation)).status_code == 405
    assert client.post(invitations.link_path(invitation)).status_code == 405
