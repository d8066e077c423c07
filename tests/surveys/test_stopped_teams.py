"""A team that stopped: whatever waits in the outbox for its leader, teachers and contact person is dropped at sending."""

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse

from surveys.answering import submission
from surveys.linking import personal_links
from surveys.mail_kinds import SurveyMail
from surveys.models import Collection, Invitee, Meeting, Response
from surveys.paper import entry
from surveys.reshaping import ways
from teams.inviting.withdrawing import withdraw
from teams.mail import outbox
from teams.models import Invitation, OutboxMessage, Participation, User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("stops", [False, True])
def test_nobody_of_a_team_that_stopped_is_mailed_but_its_leader_once(
    meeting: Meeting, online: Collection, invitees: list[Invitee], stops: bool
) -> None:
    """The same letters do go where the team goes on: so it is stopping that holds them."""
    study = online.survey.study
    OutboxMessage.objects.all().delete()
    Participation.objects.filter(pk=meeting.collection.participation_id).update(
        contact_name="Cor Vis", contact_email="cor@noord.example"
    )
    for collection in (meeting.collection, online):
        Invitation.objects.create(
            study=study, participation=collection.participation, state="accepted", undertaking=True, nonce="a" * 32
        )
        outbox.queue(SurveyMail.COLLECTING_BEGINS, collection.participation_id, study=study)
    outbox.queue(SurveyMail.FACILITATOR_LINK, meeting.pk, study=study)
    for kind in (SurveyMail.PERSONAL_LINK, SurveyMail.PERSONAL_REMINDER_TO_ALL):
        outbox.queue(kind, invitees[0].pk, study=study)
    if stops:
        for invitation in Invitation.objects.filter(participation__isnull=False):
            assert withdraw(invitation, "workload", by_link=True)
    django_mail.outbox.clear()
    outbox.send_due()
    to = {address for sent in django_mail.outbox for address in sent.to}
    if stops:
        assert to == {"lena@noord.example"}
        assert set(OutboxMessage.objects.filter(state="sent").values_list("kind", flat=True)) == {
            "teams.team_withdrawn"
        }
    else:
        assert to == {"lena@noord.example", "cor@noord.example", invitees[0].email}


def test_no_verb_of_collecting_begins_anything_for_a_team_that_stopped(
    meeting: Meeting, online: Collection, invitees: list[Invitee], roos: User
) -> None:
    """Until a worker deals with its answers its collection is still open."""
    for collection in (meeting.collection, online):
        Participation.objects.filter(pk=collection.participation_id).update(state=Participation.State.WITHDRAWN)
    assert personal_links.issue_links(online, ["new@noord.example"], by=roos) == 0
    assert personal_links.remind(online, by=roos) == 0
    with pytest.raises(submission.Closed):
        submission.start_by_link(invitees[0])
    assert submission.join(meeting.code) is None
    with pytest.raises(submission.Closed):
        submission.start_in_meeting(meeting)
    with pytest.raises(submission.Closed):
        entry.new_form(meeting.collection)
    team = online.participation
    with pytest.raises(ways.NoPart):
        ways.change_way(team, mode="contact", contact_name="C", contact_email="c@n.example", by=roos, by_leader=False)
    assert not Response.objects.exists()


def test_the_page_of_its_meeting_says_that_there_is_nothing_to_plan(
    client: Client, meeting: Meeting, roos: User
) -> None:
    team = meeting.collection.participation
    client.force_login(roos)
    address = reverse("meeting", args=[team.study.slug, team.pk])
    assert 'name="propose"' in client.get(address).content.decode()
    Participation.objects.filter(pk=team.pk).update(state=Participation.State.WITHDRAWN)
    page = client.get(address).content.decode()
    assert "er is niets te plannen" in page
    assert "<form" not in page.partition("<main")[2].partition("</main")[0]
