"""Who leads a team does no research in the same group, in whichever order the two come."""

import pytest

from teams.inviting import invitations
from teams.models import Invitation, Participation, ResearcherInvitation, Role, User
from teams.people.contact_person import SamePerson
from teams.studies import joining
from teams.studies.setting_up import let_work

pytestmark = pytest.mark.django_db


def test_who_is_on_the_list_as_leader_is_not_asked_for_research(study, roos, nursing):
    assert nursing.state == Participation.State.LISTED
    with pytest.raises(joining.LeadsTeam):
        joining.ask_for_study(study, "Lena", nursing.leader_email, roos)
    assert not ResearcherInvitation.objects.exists()


def test_who_became_a_researcher_is_neither_approached_nor_accepted_as_leader(study, roos, nursing):
    lena = User.objects.create_user(nursing.leader_email, name="Lena")
    let_work(study, lena)  # by a way that does not look, such as a version before
    invitations.invite_directors(study, roos)
    director = Invitation.objects.get(academy=nursing.team.academy)
    approach = [invitations.Approach(nursing.pk, nursing.leader_name, nursing.leader_email)]
    with pytest.raises(SamePerson):
        invitations.accept_academy(director, approach)
    director.refresh_from_db()
    assert director.state == Invitation.State.SENT
    Invitation.objects.filter(participation=nursing).update(state=Invitation.State.SENT)
    with pytest.raises(SamePerson):
        invitations.accept_team(Invitation.objects.get(participation=nursing), mode="online", approached=12)
    assert not Role.objects.filter(kind=Role.Kind.LEADER).exists()
