"""A small sealed study, written straight into the tables: what analysis starts from, whatever collected it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from analysis.models import PublishingJob
from analysis.plan.plans import lock_plan
from analysis.publication import jobs
from surveys.models import Collection, Response, SealedResponse, Survey
from surveys.questionnaires.publishing import import_questionnaire
from teams.models import Academy, Institution, Participation, Sector, Study, Team, User
from teams.people import employment
from tests.groups import a_group

QUESTIONNAIRE = """
code: small
languages: [en]
title: Small
options:
  - {value: 1, text: strongly disagree}
  - {value: 2, text: disagree}
  - {value: 3, text: agree}
  - {value: 4, text: strongly agree}
cannot_judge: I cannot judge
eligibility:
  text: Can you answer?
  choices:
    - {code: "yes", text: "Yes"}
    - {code: no_other, text: "No", eligible: false}
scales:
  - code: AA
    name: First
    items:
      - {code: AA1, text: One}
      - {code: AA2, text: Two}
      - {code: AA3, text: Three, reverse_keyed: true}
  - code: BB
    name: Second
    items:
      - {code: BB1, text: One}
      - {code: BB2, text: Two}
      - {code: BB3, text: Three}
  - code: CC
    name: Third
    items:
      - {code: CC1, text: One}
      - {code: CC2, text: Two}
      - {code: CC3, text: Three}
background:
  - code: years
    text: How long?
    choices:
      - {code: short, text: Short}
      - {code: long, text: Long}
  - code: part
    text: Part-time?
    choices:
      - {code: part, text: Part}
      - {code: full, text: Full}
"""
ITEMS = ("AA1", "AA2", "AA3", "BB1", "BB2", "BB3", "CC1", "CC2", "CC3")


def answers(*values: int | str | None) -> dict[str, Any]:
    """Answers to the nine items in order; None leaves one open, the last value is repeated."""
    filled = [*values, *[values[-1]] * (len(ITEMS) - len(values))]
    return {item: value for item, value in zip(ITEMS, filled, strict=True) if value is not None}


def make_study(slug: str = "small", *, k: int = 5) -> Study:
    """An open study with the small questionnaire, its plan locked, and no teams."""
    study = Study.objects.create(
        group=a_group(),
        slug=slug,
        title=slug.title(),
        starts_on="2026-01-01",
        ends_on="2026-12-31",
        k=k,
        controller="University",
        privacy_contact="privacy@university.example",
        contact_name="Researcher",
        contact_email="researcher@university.example",
    )
    _, version = import_questionnaire(QUESTIONNAIRE, a_group())
    Survey.objects.create(study=study, version=version)
    plan = lock_plan(study, None)
    Survey.objects.filter(study=study).update(plan_hash=plan.content_hash, opened_at=timezone.now())
    return study


def make_team(
    study: Study, name: str, *, approached: int = 10, academy: str = "Academy", mode: str = "online"
) -> Participation:
    """A team that takes part; its academy and institution are made as needed."""
    institution, _ = Institution.objects.get_or_create(group=a_group(), name="University")
    owner, _ = Academy.objects.get_or_create(
        institution=institution,
        name=academy,
        defaults={"sector": Sector.HEALTH, "director_name": "D", "director_email": "d@university.example"},
    )
    team, _ = Team.objects.get_or_create(
        academy=owner, name=name, defaults={"leader_name": "L", "leader_email": f"{name.lower()}@university.example"}
    )
    participation = Participation.objects.create(
        study=study,
        team=team,
        state=Participation.State.ACCEPTED,
        mode=mode,
        approached=approached,
        leader_name=team.leader_name,
        leader_email=team.leader_email,
    )
    for role in study.roles.filter(kind="researcher"):
        employment.declare(role.user, study, [])
    return participation


def seal(
    participation: Participation,
    rows: Sequence[Mapping[str, Any]],
    *,
    eligibility: Sequence[str] | None = None,
    drafts: int = 0,
) -> Collection:
    """A sealed collection with these answers; the last ``drafts`` rows were never submitted."""
    survey = Survey.objects.get(study=participation.study)
    submitted = len(rows) - drafts
    collection = Collection.objects.create(
        survey=survey,
        participation=participation,
        state=Collection.State.SEALED,
        mode=participation.mode,
        approached=participation.approached,
        n_started=len(rows),
        n_submitted=submitted,
        n_links=participation.approached,
        n_confirmed=participation.approached,
        present_by="researcher",
    )
    SealedResponse.objects.bulk_create(
        SealedResponse(
            key=secrets.token_urlsafe(32),
            collection=collection,
            state=Response.State.SUBMITTED if number < submitted else Response.State.DRAFT,
            eligibility=eligibility[number] if eligibility else "yes",
            answers=dict(row),
        )
        for number, row in enumerate(rows)
    )
    Survey.objects.filter(pk=survey.pk).update(n_seals=survey.n_seals + 1)
    return collection


def make_researcher(study: Study) -> User:
    user = User.objects.create_user("researcher@university.example", "a long password", name="R")
    user.roles.create(kind="researcher", study=study)
    employment.declare(user, study, [])  # works in none of its academies
    return user


def three_teams(study: Study) -> list[Participation]:
    """Three sealed teams with answers that differ between and within teams."""
    teams = []
    for number, size in enumerate((6, 8, 7)):
        team = make_team(study, f"Team{number}", approached=10)
        rows = [
            answers(*[(person * (item + 2) + number + item // 3) % 4 + 1 for item in range(9)])
            for person in range(size)
        ]
        seal(team, rows)
        teams.append(team)
    return teams


def publish_what_is_asked() -> None:
    """What the worker does after somebody pressed the button on the page of publishing."""
    for job in PublishingJob.objects.filter(state=PublishingJob.State.WAITING):
        jobs.carry_out(job.pk)
