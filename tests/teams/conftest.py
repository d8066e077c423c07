"""A small named cast: Roos is a researcher, Dirk a director, Lena and Lars lead teams of his academy."""

import datetime

import pytest
from django.urls import get_resolver

from teams.inviting import invitations
from teams.models import Academy, Institution, Participation, Study, Team, User
from teams.studies.setting_up import let_work
from tests.groups import a_group


@pytest.fixture(autouse=True)
def addresses_are_loaded() -> None:
    """With them pandas, which cannot be loaded while a test has stopped the clock."""
    assert get_resolver().url_patterns


@pytest.fixture
def study(db) -> Study:
    return Study.objects.create(
        group=a_group(),
        slug="learning",
        title="Learning in teams",
        starts_on=datetime.date(2026, 9, 1),
        ends_on=datetime.date(2027, 6, 30),
        controller="Hogeschool Noord",
        privacy_contact="privacy@noord.example",
        contact_name="Roos de Wit",
        contact_email="roos@noord.example",
    )


@pytest.fixture
def roos(study: Study) -> User:
    user = User.objects.create_user("roos@noord.example", "correct horse battery", name="Roos de Wit")
    let_work(study, user)
    return user


@pytest.fixture
def academy(db) -> Academy:
    return Academy.objects.create(
        institution=Institution.objects.create(group=a_group(), name="Hogeschool Noord"),
        name="Academie voor Zorg",
        sector="health",
        director_name="Dirk Jansen",
        director_email="dirk@noord.example",
    )


@pytest.fixture
def nursing(study: Study, academy: Academy) -> Participation:
    team = Team.objects.create(
        academy=academy, name="Verpleegkunde", leader_name="Lena Bos", leader_email="lena@noord.example"
    )
    return invitations.list_team(study, team)


@pytest.fixture
def physiotherapy(study: Study, academy: Academy) -> Participation:
    team = Team.objects.create(
        academy=academy, name="Fysiotherapie", leader_name="Lars Smit", leader_email="lars@noord.example"
    )
    return invitations.list_team(study, team)
