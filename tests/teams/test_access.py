"""Each object is fetched with its permission; strangers cannot tell it from one that does not exist."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from teams import access
from teams.inviting import corrections, invitations
from teams.models import Participation, Study, User
from teams.studies.setting_up import let_work
from tests.groups import a_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada@noord.example", "correct horse battery")


@pytest.fixture
def lena(study, nursing) -> User:
    """Leads the nursing team, which takes part."""
    invitations.invite_directors(study)
    director = invitations.academy_invitation(nursing)
    invitations.accept_academy(director, [invitations.Approach(nursing.pk, "Lena Bos", "lena@noord.example")])
    invitations.accept_team(nursing.invitation, mode="online", approached=12)
    return User.objects.get(email="lena@noord.example")


@pytest.fixture
def sven(study) -> User:
    """A researcher of another study."""
    other = Study.objects.create(
        group=a_group(),
        slug="other",
        title="Other",
        starts_on=study.starts_on,
        ends_on=study.ends_on,
        controller="C",
        privacy_contact="P",
        contact_name="Sven",
        contact_email="sven@zuid.example",
    )
    user = User.objects.create_user("sven@zuid.example", "correct horse battery")
    let_work(other, user)
    return user


def refuses(fetch, *args) -> bool:
    try:
        fetch(*args)
    except Http404:
        return True
    return False


def test_a_study_is_for_its_researchers_and_administrators(study, roos, ada, lena, sven):
    assert access.study_for_researcher(roos, "learning") == study
    assert access.study_for_researcher(ada, "learning") == study
    for stranger in (lena, sven, AnonymousUser()):
        assert refuses(access.study_for_researcher, stranger, "learning")
    assert refuses(access.study_for_researcher, roos, "unknown")


def test_rows_of_a_study_are_fetched_within_it(study, roos, ada, lena, sven, nursing, academy):
    invitation = invitations.academy_invitation(nursing)
    for fetch, pk, row in (
        (access.participation_for_researcher, nursing.pk, nursing),
        (access.academy_for_researcher, academy.pk, (study, academy)),
        (access.invitation_for_researcher, invitation.pk, invitation),
    ):
        assert fetch(roos, "learning", pk) == row
        assert fetch(ada, "learning", pk) == row
        assert refuses(fetch, sven, "learning", pk)
        assert refuses(fetch, sven, "other", pk)
        assert refuses(fetch, lena, "learning", pk)
        assert refuses(fetch, roos, "learning", 99_999)


def test_a_team_page_is_for_its_leader_only(lena, roos, ada, sven, nursing, physiotherapy):
    assert access.participation_for_leader(lena, nursing.pk) == nursing
    assert list(access.participations_led_by(lena)) == [nursing]
    assert refuses(access.participation_for_leader, lena, physiotherapy.pk)
    for stranger in (roos, ada, sven, AnonymousUser()):
        assert refuses(access.participation_for_leader, stranger, nursing.pk)


@pytest.mark.parametrize("state", [s for s in Participation.State.values if s != "accepted"])
def test_a_leader_sees_only_teams_that_take_part(lena, nursing, state):
    Participation.objects.filter(pk=nursing.pk).update(state=state)
    assert refuses(access.participation_for_leader, lena, nursing.pk)


def test_a_former_leader_loses_the_team(lena, nursing, roos):
    corrections.correct_leader(nursing, "Lotte Bos", "lotte@noord.example", by=roos)
    assert refuses(access.participation_for_leader, lena, nursing.pk)
    lotte = User.objects.get(email="lotte@noord.example")
    assert access.participation_for_leader(lotte, nursing.pk) == nursing


def test_who_is_no_longer_active_sees_nothing(study, roos, lena, nursing):
    User.objects.update(is_active=False)
    for user in User.objects.all():
        assert not access.studies_of(user).exists()
        assert not access.participations_led_by(user).exists()


def test_only_researchers_and_administrators_begin_a_study(roos, ada, lena):
    assert access.researcher(roos) == roos
    assert access.researcher(ada) == ada
    for stranger in (lena, AnonymousUser()):
        assert refuses(access.researcher, stranger)
        assert not access.is_researcher(stranger)
