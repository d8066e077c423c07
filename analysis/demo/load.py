"""The demo: a simulated study with the wave of the year before, and an open study to try at once.

It is written through the same steps as a real study: directors and leaders are invited and answer, the plan is locked,
collections open, responses come in through surveys/answering/submission.py, are closed and sealed; then the analysis runs, the two
decisions of the article are taken, it runs again and is published. Everybody in it is invented. In the wave of the year
before a team of four has one report together with a sibling team.

Nobody is mailed: what the steps put in the outbox is marked as sent in the transaction that queued it, so no worker ever
sees it waiting. Loading it a second time changes nothing; a load that was interrupted is finished.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from analysis.choices.decisions import decide
from analysis.demo import simulation
from analysis.demo.fieldwork import write_people, write_wave
from analysis.demo.people import INSTITUTIONS
from analysis.models import AnalysisRun, Decision, Publication, Unit
from analysis.models.readers import ReportLink
from analysis.plan.plans import lock_plan
from analysis.publication.links import path_of
from analysis.publication.publishing import publish
from analysis.publication.talks import write_goal
from analysis.publication.units import combine_teams
from analysis.runs import execution
from surveys.collecting import collections, sealing
from surveys.models import Collection, Meeting, QuestionnaireVersion, Survey
from surveys.questionnaires.publishing import definition_of, install_shipped
from teams import history
from teams.inviting import invitations
from teams.meetings import planning
from teams.models import (
    Academy,
    Institution,
    Invitation,
    OutboxMessage,
    Participation,
    ResearchGroup,
    Sector,
    Study,
    Team,
    User,
)
from teams.studies.setting_up import let_work

DEMO, EARLIER, TRY = "demo", "demo-vorig-jaar", "proef"
RESEARCHER, ADMINISTRATOR = "onderzoeker@demo.example", "beheer@demo.example"
GROUP = "Onderzoeksgroep van de demo"
TRY_LEADER = "teamleider@demo.example"
PASSWORD_OF = {RESEARCHER: "RESEARCHER", ADMINISTRATOR: "ADMINISTRATOR"}  # the names in settings.DEMO_PASSWORDS
#: The teams whose leaders' sign-ins are shown: 14, 6 and 4 analysed.
SHOWN_TEAMS = {"POL-VMT": "14 answers", "VLI-VAS": "6 answers", "POL-PLA": "4 answers"}
#: The year before, 4 people of the first answered: the two teams have one report.
COMBINED = ("WAD-MAR", "WAD-CIV")
#: Academies whose directors' reports are shown: of five teams, and of two of which one is too small.
SHOWN_ACADEMIES = ("EEM-EDU", "POL-VOE")
#: What one team wrote down after the wave of the year before: target and next steps per scale.
GOALS = {
    "GV": ("2.5", "In de eerste vergadering van het jaar maken we een lijst van wat onze studenten moeten leren."),
    "OD": ("2.8", "Wie voorzit, vraagt bij elk besluit eerst wie er anders over denkt."),
    "CH": ("2.6", ""),
    "ER": ("2.8", "Twee keer per jaar leggen we de resultaten naast die van vorig jaar. Hanneke zet het in de agenda."),
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
    teams = _teams()
    leaders = SHOWN_TEAMS | {
        COMBINED[0]: f"the year before 4 answers, one report with {teams[COMBINED[1]].programme}",
    }
    return [
        SignIn("researcher", RESEARCHER, password_of(RESEARCHER)),
        SignIn("administrator", ADMINISTRATOR, password_of(ADMINISTRATOR)),
        *(
            SignIn(f"leader of {teams[code].programme} ({what})", teams[code].leader.email, "")
            for code, what in leaders.items()
        ),
        SignIn("leader of the team to try", TRY_LEADER, ""),
    ]


def password_of(email: str) -> str:
    """The password of a demo account on this installation."""
    return settings.DEMO_PASSWORDS[PASSWORD_OF[email]]


def give_passwords() -> None:
    """Make the passwords that are printed at the start those that work, also where an earlier version set another."""
    for user in User.objects.filter(email__in=PASSWORD_OF):
        if not user.check_password(password_of(user.email)):
            user.set_password(password_of(user.email))
            user.save(update_fields=["password"])


def directors_links() -> list[tuple[str, str]]:
    """What directors get by mail, and nobody is mailed here: whose report, and the path of the link that opens it."""
    directors = {academy.director.email: academy for i in INSTITUTIONS for academy in i.academies}
    shown = {academy.director.email for academy in directors.values() if academy.code in SHOWN_ACADEMIES}
    links_ = ReportLink.objects.filter(study__slug=DEMO, academy__director_email__in=shown).select_related("academy")
    return [
        (f"{link.academy.name} ({len(directors[link.academy.director_email].teams)} teams)", path_of(link))
        for link in links_.order_by("pk")
        if link.academy is not None and link.is_open
    ]


def _teams() -> dict[str, simulation.Team]:
    return {
        team.code: team for institution in INSTITUTIONS for academy in institution.academies for team in academy.teams
    }


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
    group = ResearchGroup.objects.filter(name=GROUP).first() or ResearchGroup.objects.create(name=GROUP)
    default, demo = install_shipped(group)
    researcher = _user(RESEARCHER, "Onderzoeker van de demo")
    if not User.objects.filter(email=ADMINISTRATOR).exists():
        User.objects.create_superuser(ADMINISTRATOR, password_of(ADMINISTRATOR), name="Beheerder van de demo")
    teams = write_people(simulated, group)
    today = timezone.localdate()
    earlier = _study(
        group, EARLIER, "Collectief leren, de meting van vorig jaar", 1, today - timedelta(days=420), researcher
    )
    write_wave(earlier, demo, simulated.earlier, teams, researcher)
    study = _study(
        group, DEMO, "Collectief leren in teams", 2, today - timedelta(days=56), researcher, previous=earlier
    )
    write_wave(study, demo, simulated.main, teams, researcher)
    _try_study(group, default, today, researcher)


def _user(email: str, name: str) -> User:
    return User.objects.filter(email=email).first() or User.objects.create_user(email, password_of(email), name=name)


def _study(
    group: ResearchGroup,
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
        group=group,
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
    let_work(study, researcher)
    history.record(study, history.Happened.STUDY_CREATED, by=researcher)
    return study


def _try_study(group: ResearchGroup, version: QuestionnaireVersion, today: date, researcher: User) -> None:
    """A study that is open for a year, with one team meeting that anybody can join with its code."""
    study = _study(group, TRY, "Probeer het zelf", 1, today, researcher, days=365)
    institution = Institution.objects.create(group=group, name="Hogeschool Proeftuin")
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
        contact_name="Contactpersoon van de demo",
        contact_email="collega@demo.example",
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
    if survey.study.slug == EARLIER:
        _combine(survey.study, researcher)
    with transaction.atomic(), _nobody_mailed():
        publish(run, researcher)
    if survey.study.slug == EARLIER:
        _write_goals(survey.study)


def _combine(study: Study, researcher: User) -> None:
    """A team of four and a sibling team get one report."""
    if Unit.objects.filter(study=study).exists():
        return
    leaders = [_teams()[code].leader.email for code in COMBINED]
    together = Participation.objects.filter(study=study, leader_email__in=leaders)
    combine_teams(study, list(together), researcher)


def _write_goals(study: Study) -> None:
    """The team with 14 answers talked about last year's report."""
    leader = _teams()[next(iter(SHOWN_TEAMS))].leader.email
    talked = Participation.objects.filter(study=study, leader_email=leader).select_related("study").first()
    for scale, (target, next_steps) in GOALS.items() if talked else ():
        assert talked is not None
        write_goal(talked, scale, Decimal(target), next_steps)


def _run(survey: Survey) -> AnalysisRun:
    run = execution.request_run(survey)
    if not execution.execute(run.pk):
        run.refresh_from_db()
        raise RuntimeError(f"The analysis of the demo did not finish: {run.state} {run.error}")
    return AnalysisRun.objects.select_related("survey__study", "survey__version", "plan").get(pk=run.pk)
