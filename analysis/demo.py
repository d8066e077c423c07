"""The demo: a simulated study with the wave of the year before, and an open study to try at once.

It is written through the same steps as a real study: directors and leaders are invited and answer, the plan is locked,
collections open, responses come in through submission.py, are closed and sealed; then the analysis runs, the two
decisions of the article are taken, it runs again and is published. Everybody in it is invented.

Nobody is mailed: what the steps put in the outbox is marked as sent in the transaction that queued it, so no worker ever
sees it waiting. Loading it a second time changes nothing; a load that was interrupted is finished.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from analysis import runs, simulation
from analysis.decisions import decide
from analysis.models import AnalysisRun, Decision, Publication
from analysis.plan import lock_plan
from analysis.publishing import publish
from analysis.simulation_people import INSTITUTIONS
from analysis.talks import write_goal
from surveys import collections, links, sealing
from surveys.models import Collection, Meeting, QuestionnaireVersion, Survey
from surveys.questionnaires import definition_of, install_shipped
from surveys.submission import submit_many
from teams import history, invitations, planning
from teams.models import (
    Academy,
    Institution,
    Invitation,
    OutboxMessage,
    Participation,
    Role,
    Sector,
    Study,
    Team,
    User,
)

DEMO, EARLIER, TRY = "demo", "demo-vorig-jaar", "proef"
RESEARCHER, ADMINISTRATOR = "onderzoeker@demo.example", "beheer@demo.example"
TRY_LEADER = "teamleider@demo.example"
# Invented accounts on somebody's own machine: production refuses to make them.
PASSWORD = "teamspiegel-demo"  # noqa: S105
#: The teams whose leaders' sign-ins are shown: 14, 6 and 4 analysed.
SHOWN_TEAMS = ("POL-VMT", "VLI-VAS", "POL-PLA")
#: The leaders of these teams agreed that the director sees the team's own results.
SEEN_BY_DIRECTOR = ("POL-VMT", "POL-PLA", "EEM-WIS", "EEM-PED")
#: What one team wrote down after the wave of the year before: target and next steps per scale.
GOALS = {
    "GV": ("2.5", "In de eerste vergadering van het jaar maken we een lijst van wat onze studenten moeten leren."),
    "OD": ("2.8", "Wie voorzit, vraagt bij elk besluit eerst wie er anders over denkt."),
    "CH": ("2.6", ""),
    "ER": ("2.8", "Twee keer per jaar leggen we de resultaten naast die van vorig jaar. Hanneke zet het in de agenda."),
}

#: The simulation's background answers under the codes of the questionnaire.
BACKGROUND = {
    "years_in_team": {
        "under_1": "under_1",
        "1_to_3": "from_1_to_3",
        "4_to_10": "from_4_to_10",
        "over_10": "over_10",
    },
    "appointment": {"under_0.5": "under_05", "0.5_to_0.8": "from_05_to_08", "over_0.8": "over_08"},
    "counsellor": {"yes": "yes", "no": "no"},
}
#: Taken after the first run, with the reasons of the article.
DECISIONS = (
    (
        Decision.Kind.SET_ASIDE,
        "IV",
        "",
        "De items gaan over wat de hogeschool organiseert, niet over wat het team zelf doet. De schaal meet dus een "
        "kenmerk van de organisatie en hoort niet bij collectief leren van het team.",
    ),
    (
        Decision.Kind.MERGE,
        "IS",
        "ER",
        "De factoranalyse kan informatie verspreiden en evaluatie en reflectie niet van elkaar onderscheiden (correlatie "
        "rond 1). Inhoudelijk past dat: terugkijken op resultaten bestaat in teams voor een groot deel uit het delen van "
        "wat ieder ervan weet. De items van IS gaan daarom mee in ER.",
    ),
)


class DemoRefused(Exception):
    """The demo is not for production."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """How somebody of the demo signs in; without a password: by a code that is mailed, seen on /dev/mail."""

    who: str
    email: str
    password: str


def load() -> bool:
    """Load the demo, or finish a load that was interrupted. Whether anything was done.

    Raises:
        DemoRefused: on production settings.
    """
    if settings.PRODUCTION:
        raise DemoRefused("The demo is not loaded on production settings.")
    if Publication.objects.filter(study__slug=DEMO).exists() and Study.objects.filter(slug=TRY).exists():
        return False
    with transaction.atomic():  # all the studies or none of them; sealing and analysing can be taken up again
        if not Study.objects.filter(slug=DEMO).exists():
            with _nobody_mailed():
                _write(simulation.simulate())
    sealing.seal_many(Collection.objects.filter(survey__study__slug__in=[EARLIER, DEMO]).order_by("pk"))
    researcher = User.objects.get(email=RESEARCHER)
    for slug in (EARLIER, DEMO):
        _analyse(Survey.objects.select_related("study").get(study__slug=slug), researcher)
    return True


def sign_ins() -> list[SignIn]:
    """Who can sign in to the demo, and how."""
    n = {"POL-VMT": 14, "VLI-VAS": 6, "POL-PLA": 4}
    teams = {
        team.code: team for institution in INSTITUTIONS for academy in institution.academies for team in academy.teams
    }
    return [
        SignIn("researcher", RESEARCHER, PASSWORD),
        SignIn("administrator", ADMINISTRATOR, PASSWORD),
        *(
            SignIn(f"leader of {teams[code].programme} ({n[code]} answers)", teams[code].leader.email, "")
            for code in SHOWN_TEAMS
        ),
        SignIn("leader of the team to try", TRY_LEADER, ""),
    ]


def try_meeting() -> Meeting | None:
    """The open meeting of the study to try: its code lets anybody take part at once. None once it is closed."""
    return (
        Meeting.objects.filter(collection__survey__study__slug=TRY, collection__state=Collection.State.OPEN)
        .exclude(code="")
        .order_by("pk")
        .first()
    )


# ------------------------------------------------------------------------------------------------ writing
def _write(simulated: simulation.SimulatedStudy) -> None:
    default, demo = install_shipped()
    researcher = _user(RESEARCHER, "Onderzoeker van de demo")
    if not User.objects.filter(email=ADMINISTRATOR).exists():
        User.objects.create_superuser(ADMINISTRATOR, PASSWORD, name="Beheerder van de demo")
    teams = _people(simulated)
    today = timezone.localdate()
    earlier = _study(EARLIER, "Collectief leren, de meting van vorig jaar", 1, today - timedelta(days=420), researcher)
    _wave(earlier, demo, simulated.earlier, teams, researcher)
    study = _study(DEMO, "Collectief leren in teams", 2, today - timedelta(days=56), researcher, previous=earlier)
    _wave(study, demo, simulated.main, teams, researcher)
    _try_study(default, today, researcher)


def _user(email: str, name: str) -> User:
    return User.objects.filter(email=email).first() or User.objects.create_user(email, PASSWORD, name=name)


def _study(
    slug: str,
    title: str,
    wave: int,
    starts_on: date,
    researcher: User,
    *,
    previous: Study | None = None,
    days: int = 42,
) -> Study:
    study = Study.objects.create(
        slug=slug,
        title=title,
        wave=wave,
        previous=previous,
        starts_on=starts_on,
        ends_on=starts_on + timedelta(days=days),
        grace_hours=0,
        simulated=True,
        controller="Hogeschool Eemstroom (verzonnen)",
        privacy_contact="privacy@eemstroom.example",
        contact_name=researcher.name,
        contact_email=researcher.email,
        ethics_number="DEMO-0001",
        dpia="gesimuleerde gegevens: niet nodig",
    )
    Role.objects.create(user=researcher, kind=Role.Kind.RESEARCHER, study=study)
    history.record(study, "study_created", by=researcher)
    return study


def _people(simulated: simulation.SimulatedStudy) -> dict[str, Team]:
    """The institutions, academies and teams, by the team's code in the simulation."""
    made: dict[str, Team] = {}
    for institution in simulated.institutions:
        owner = Institution.objects.create(name=institution.name)
        for academy in institution.academies:
            row = Academy.objects.create(
                institution=owner,
                name=academy.name,
                sector=Sector(academy.sector),
                director_name=academy.director.name,
                director_email=academy.director.email,
            )
            for team in academy.teams:
                made[team.code] = Team.objects.create(
                    academy=row,
                    name=team.programme,
                    form=Team.Form(team.form),
                    leader_name=team.leader.name,
                    leader_email=team.leader.email,
                )
    return made


def _wave(
    study: Study,
    version: QuestionnaireVersion,
    wave: simulation.SimulatedWave,
    teams: Mapping[str, Team],
    researcher: User,
) -> None:
    """One wave from the first invitation to closed collections."""
    survey = Survey.objects.create(
        study=study, version=version, background=list(definition_of(version).background_codes)
    )
    asked = {one.team_code: one for one in wave.participations}
    listed = {code: invitations.list_team(study, teams[code], researcher) for code in asked}
    invitations.invite_directors(study, researcher)
    _directors_answer(study, listed.values(), asked)
    meets_on = {code: study.starts_on + timedelta(days=number) for number, code in enumerate(listed)}
    for code, participation in listed.items():
        _leader_answers(participation, asked[code], meets_on[code])
    plan = lock_plan(study, researcher)
    collections.open_survey(survey, plan.content_hash, by=researcher)
    opened = {
        collection.participation_id: collection
        for collection in Collection.objects.filter(survey=survey).select_related(
            "survey__study", "survey__version", "participation"
        )
    }
    for code, participation in listed.items():
        if asked[code].state == "participating":
            _collect(opened[participation.pk], code, asked[code], meets_on[code], researcher)


def _directors_answer(
    study: Study, listed: Iterable[Participation], asked: Mapping[str, simulation.Participation]
) -> None:
    by_academy: dict[int, list[Participation]] = {}
    said_no: dict[int, simulation.Refusal] = {}
    for participation, answer in zip(listed, asked.values(), strict=True):
        by_academy.setdefault(participation.team.academy_id, []).append(participation)
        if answer.declined_by == "director" and answer.refusal:
            said_no[participation.team.academy_id] = answer.refusal
    for invitation in Invitation.objects.filter(study=study, academy__isnull=False).select_related("study", "academy"):
        assert invitation.academy_id is not None
        if refusal := said_no.get(invitation.academy_id):
            invitations.decline(invitation, Invitation.Reason(refusal.reason), refusal.explanation)
            continue
        invitations.accept_academy(
            invitation,
            [
                invitations.Approach(p.pk, p.team.leader_name, p.team.leader_email)
                for p in by_academy[invitation.academy_id]
            ],
        )


def _leader_answers(participation: Participation, answer: simulation.Participation, meets_on: date) -> None:
    if answer.declined_by == "director":
        return
    invitation = Invitation.objects.select_related("study").get(participation=participation)
    if answer.refusal:
        invitations.decline(invitation, Invitation.Reason(answer.refusal.reason), answer.refusal.explanation)
        return
    assert answer.mode is not None
    mode = Participation.Mode(answer.mode)
    in_meeting = mode != Participation.Mode.ONLINE
    invitations.accept_team(
        invitation,
        mode=mode,
        approached=answer.approached,
        meets_on=meets_on if in_meeting else None,
        contact_name=participation.team.leader_name if mode == Participation.Mode.CONTACT else "",
        contact_email=participation.team.leader_email if mode == Participation.Mode.CONTACT else "",
        director_sees_team=answer.team_code in SEEN_BY_DIRECTOR,
    )


def _collect(collection: Collection, code: str, answer: simulation.Participation, day: date, researcher: User) -> None:
    if collection.mode == Participation.Mode.ONLINE:
        addresses = [f"docent{number}.{code.lower()}@demo.example" for number in range(1, answer.approached + 1)]
        links.issue_links(collection, addresses, by=researcher)
    else:
        collections.set_present(Meeting.objects.get(collection=collection), answer.present)
    online = collection.mode == Participation.Mode.ONLINE
    submit_many(
        collection,
        [
            # in a meeting all answer on its day, online over three weeks
            {**_row(response), "day": day + timedelta(days=number % 21 if online else 0)}
            for number, response in enumerate(answer.responses)
        ],
    )
    collections.close_collection(collection, by=researcher)


def _row(response: simulation.Response) -> dict[str, Any]:
    answers: dict[str, Any] = {item: value for item, value in response.answers.items() if value is not None}
    given = {
        "years_in_team": response.tenure,
        "appointment": response.appointment,
        "counsellor": response.counsellor,
    }
    for code, value in given.items():
        if value is not None:
            answers[code] = BACKGROUND[code][value]
    return {"answers": answers, "eligibility": response.eligibility}


def _try_study(version: QuestionnaireVersion, today: date, researcher: User) -> None:
    """A study that is open for a year, with one team meeting that anybody can join with its code."""
    study = _study(TRY, "Probeer het zelf", 1, today, researcher, days=365)
    institution = Institution.objects.create(name="Hogeschool Proeftuin")
    academy = Academy.objects.create(
        institution=institution,
        name="Academie om te proberen",
        sector=Sector.EDUCATION,
        director_name="Directeur van de demo",
        director_email="directeur@demo.example",
    )
    team = Team.objects.create(
        academy=academy, name="Proefteam", leader_name="Teamleider van de demo", leader_email=TRY_LEADER
    )
    survey = Survey.objects.create(
        study=study, version=version, background=list(definition_of(version).background_codes)
    )
    participation = invitations.list_team(study, team, researcher)
    invitations.invite_directors(study, researcher)
    invitation = Invitation.objects.select_related("study", "academy").get(study=study, academy=academy)
    invitations.accept_academy(
        invitation, [invitations.Approach(participation.pk, team.leader_name, team.leader_email)]
    )
    invitations.accept_team(
        Invitation.objects.select_related("study").get(participation=participation),
        mode=Participation.Mode.CONTACT,
        approached=12,
        meets_on=today,
        contact_name=team.leader_name,
        contact_email=team.leader_email,
    )
    plan = lock_plan(study, researcher)
    collections.open_survey(survey, plan.content_hash, by=researcher)
    collections.set_present(Meeting.objects.get(collection__survey=survey), 12)
    this_afternoon = timezone.localtime().replace(hour=15, minute=0, second=0, microsecond=0)
    planned = planning.begin(Participation.objects.get(pk=participation.pk))
    planning.fix(planned, this_afternoon, researcher=None, by=researcher, room="B1.12")


@contextmanager
def _nobody_mailed() -> Iterator[None]:
    """Everybody here is invented: what the steps queue is marked as sent in the same transaction, unseen by any worker."""
    last = OutboxMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    yield
    OutboxMessage.objects.filter(pk__gt=last).update(state=OutboxMessage.State.SENT, sent_on=timezone.localdate())


# ------------------------------------------------------------------------------------------------ analysing
def _analyse(survey: Survey, researcher: User) -> None:
    """First run, the two decisions, second run, publication; whatever is done already is left as it is."""
    if Publication.objects.filter(study=survey.study).exists():
        return
    taken = set(Decision.objects.filter(study=survey.study, undone_at__isnull=True).values_list("subject", flat=True))
    if not AnalysisRun.objects.filter(survey=survey, state=AnalysisRun.State.DONE).exists():
        _run(survey)
    for kind, subject, target, reason in DECISIONS:
        if subject not in taken:
            decide(survey.study, kind, subject, target, reason, researcher)
    run = _run(survey)
    with transaction.atomic(), _nobody_mailed():
        publish(run, researcher)
    if survey.study.slug == EARLIER:
        _write_goals(survey.study)


def _write_goals(study: Study) -> None:
    """The team with 14 answers talked about last year's report."""
    leader = next(entry.email for entry in sign_ins() if "14" in entry.who)
    talked = Participation.objects.filter(study=study, team__leader_email=leader).select_related("study").first()
    for scale, (target, next_steps) in GOALS.items() if talked else ():
        assert talked is not None
        write_goal(talked, scale, Decimal(target), next_steps)


def _run(survey: Survey) -> AnalysisRun:
    run = runs.request_run(survey)
    if not runs.execute(run.pk):
        run.refresh_from_db()
        raise RuntimeError(f"The analysis of the demo did not finish: {run.state} {run.error}")
    return AnalysisRun.objects.select_related("survey__study", "survey__version", "plan").get(pk=run.pk)
