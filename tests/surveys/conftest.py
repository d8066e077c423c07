"""A study with an open survey: one team that meets, one that answers online."""

import datetime
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from surveys.answering import limits
from surveys.collecting import collections
from surveys.models import Collection, Invitee, Meeting, QuestionnaireVersion, Survey
from surveys.questionnaires import publishing
from teams.models import Academy, Institution, Participation, Study, Team, User
from teams.studies.setting_up import let_work
from tests.groups import a_group


def make_study(slug: str = "learning", **fields: Any) -> Study:
    values: dict[str, Any] = {
        "title": "Learning in teams",
        "starts_on": datetime.date(2026, 9, 1),
        "ends_on": datetime.date(2027, 6, 30),
        "controller": "Hogeschool Noord",
        "privacy_contact": "privacy@noord.example",
        "contact_name": "Roos de Wit",
        "contact_email": "roos@noord.example",
        **fields,
    }
    return Study.objects.create(group=a_group(), slug=slug, **values)


def make_participation(study: Study, name: str, mode: str, approached: int = 12) -> Participation:
    institution, _new = Institution.objects.get_or_create(group=a_group(), name="Hogeschool Noord")
    academy, _new = Academy.objects.get_or_create(
        institution=institution,
        name="Academie voor Zorg",
        defaults={"sector": "health", "director_name": "Dirk Jansen", "director_email": "dirk@noord.example"},
    )
    team, _new = Team.objects.get_or_create(
        academy=academy, name=name, defaults={"leader_name": "Lena Bos", "leader_email": "lena@noord.example"}
    )
    return Participation.objects.create(
        study=study,
        team=team,
        leader_name=team.leader_name,
        leader_email=team.leader_email,
        state=Participation.State.ACCEPTED,
        mode=mode,
        approached=approached,
        contact_name="Cora Vink",
        contact_email="cora@noord.example",
    )


def make_survey(study: Study) -> Survey:
    version = publishing.install_shipped(a_group())[0]
    return Survey.objects.create(
        study=study, version=version, background=["years_in_team", "appointment", "counsellor"]
    )


def in_threads(*calls: Callable[[], Any]) -> list[Any]:
    """Run all calls at the same moment, each with its own connection; their results, exceptions included."""
    barrier = Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(n: int, call: Callable[[], Any]) -> None:
        try:
            barrier.wait(20)
            results[n] = call()
        except Exception as error:
            results[n] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=(n, call)) for n, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.fixture
def study(db: None) -> Study:
    return make_study()


@pytest.fixture
def version(db: None) -> QuestionnaireVersion:
    return publishing.install_shipped(a_group())[0]


@pytest.fixture
def roos(study: Study) -> User:
    user = User.objects.create_user("roos@noord.example", "correct horse battery", name="Roos de Wit")
    let_work(study, user)
    return user


@pytest.fixture
def survey(study: Study) -> Survey:
    survey = make_survey(study)
    make_participation(study, "Verpleegkunde", Participation.Mode.RESEARCHER)
    make_participation(study, "Fysiotherapie", Participation.Mode.ONLINE, approached=8)
    collections.open_survey(survey, "f" * 64)
    return survey


@pytest.fixture
def collection(survey: Survey) -> Collection:
    """Of the team that meets."""
    return survey.collections.get(participation__team__name="Verpleegkunde")


@pytest.fixture
def meeting(collection: Collection) -> Meeting:
    return collection.meeting


@pytest.fixture
def online(survey: Survey) -> Collection:
    """Of the team that answers online."""
    return survey.collections.get(participation__team__name="Fysiotherapie")


@pytest.fixture
def invitees(online: Collection) -> list[Invitee]:
    from surveys.linking import personal_links

    personal_links.issue_links(online, [f"teacher{n}@noord.example" for n in range(6)])
    return list(online.invitees.order_by("email"))


@pytest.fixture
def teacher() -> Client:
    """A browser without a session, which must not need form tokens either."""
    limits.forget()
    return Client(enforce_csrf_checks=True)
