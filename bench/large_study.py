"""A study of thousands of teams, written straight into the tables in bulk."""

import datetime
import hashlib
import random
from dataclasses import asdict, dataclass

from django.utils import timezone

from analysis.data.accounting import Dispositions
from analysis.models import AnalysisPlan, AnalysisRun
from analysis.plan.plans import lock_plan
from surveys.models import Collection, DayCount, Invitee, LinkSecret, Meeting, Response, Survey
from surveys.questionnaires.publishing import install_shipped
from teams.links import new_nonce
from teams.models import (
    Academy,
    Event,
    Institution,
    Invitation,
    OutboxMessage,
    Participation,
    PlannedMeeting,
    ProposedDate,
    ResearchGroup,
    Sector,
    Study,
    Team,
    User,
)
from teams.studies.setting_up import let_work

ACADEMIES, INSTITUTIONS = 500, 100
BATCH = 5_000
DAYS = 10


@dataclass(frozen=True)
class Made:
    slug: str
    n_teams: int
    n_invitees: int
    team: int  # a participation with an open collection


def make(n_teams: int, per_team: int) -> Made:
    """A study in which four of five teams take part; half of all teams answer by personal links, ``per_team`` each."""
    rng = random.Random(5)
    today = timezone.localdate()
    group = ResearchGroup.objects.create(name="Large")
    study = Study.objects.create(
        group=group,
        slug="large",
        title="A large study",
        starts_on=today - datetime.timedelta(days=60),
        ends_on=today + datetime.timedelta(days=10),
        controller="School",
        privacy_contact="privacy@large.example",
        contact_name="Researcher",
        contact_email="researcher@large.example",
    )
    researcher = User.objects.create_user("researcher@large.example", "a long password", name="Researcher")
    let_work(study, researcher)
    survey = Survey.objects.create(study=study, version=install_shipped(group)[0])
    plan = lock_plan(study, researcher)
    Survey.objects.filter(pk=survey.pk).update(plan_hash=plan.content_hash, opened_at=timezone.now())
    participations = _teams(study, n_teams)
    _invitations(study, participations)
    accepted = [
        participation for participation in participations if participation.state == Participation.State.ACCEPTED
    ]
    collections = _collections(survey, accepted, rng)
    n_invitees = _invitees(collections, per_team, n_teams)
    _answers(collections, rng)
    _run(survey, plan, collections, rng)
    _meetings(study, accepted, researcher, today)
    opened = next(c for c in collections if c.state == Collection.State.OPEN and c.mode != Participation.Mode.ONLINE)
    return Made(study.slug, n_teams, n_invitees, opened.participation_id)


def make_unopened(slug: str, n_teams: int) -> Study:
    """A study in which all teams take part and nothing was opened: half of them meet, of these half with a contact person."""
    today, host = timezone.localdate(), f"{slug}.example"
    group = ResearchGroup.objects.create(name=slug)
    study = Study.objects.create(
        group=group,
        slug=slug,
        title=slug,
        starts_on=today,
        ends_on=today + datetime.timedelta(days=60),
        controller="School",
        privacy_contact=f"privacy@{host}",
        contact_name="Researcher",
        contact_email=f"researcher@{host}",
    )
    let_work(study, User.objects.create_user(f"researcher@{host}", "a long password", name="Researcher"))
    Survey.objects.create(study=study, version=install_shipped(group)[0])
    made = _teams(study, n_teams)
    Participation.objects.filter(pk__in=[participation.pk for participation in made]).update(
        state=Participation.State.ACCEPTED, approached=20
    )
    return study


def _teams(study: Study, n_teams: int) -> list[Participation]:
    institutions = Institution.objects.bulk_create(
        Institution(group_id=study.group_id, name=f"School {n:03}") for n in range(INSTITUTIONS)
    )
    academies = Academy.objects.bulk_create(
        Academy(
            institution=institutions[n % INSTITUTIONS],
            name=f"Academy {n:03}",
            sector=Sector.values[n % len(Sector.values)],
            director_name=f"Director {n}",
            director_email=f"director{n}@large.example",
        )
        for n in range(ACADEMIES)
    )
    teams = Team.objects.bulk_create(
        [
            Team(
                academy=academies[n % ACADEMIES],
                name=f"Team {n:04}",
                leader_name=f"Leader {n}",
                leader_email=f"leader{n}@large.example",
            )
            for n in range(n_teams)
        ],
        batch_size=BATCH,
    )
    state, mode = Participation.State, Participation.Mode
    states = [state.ACCEPTED] * 8 + [state.DECLINED, state.INVITED]
    return Participation.objects.bulk_create(
        [
            Participation(
                study=study,
                team=team,
                leader_name=team.leader_name,
                leader_email=team.leader_email,
                state=states[n % 10],
                mode=mode.ONLINE if n % 2 else (mode.CONTACT if n % 4 else mode.RESEARCHER),
                approached=20 if n % 10 < 8 else None,
                contact_email="" if n % 2 or n % 8 == 2 else f"contact{n}@large.example",
            )
            for n, team in enumerate(teams)
        ],
        batch_size=BATCH,
    )


def _invitations(study: Study, participations: list[Participation]) -> None:
    now, state = timezone.now(), Invitation.State
    academies = Academy.objects.values_list("pk", flat=True)
    directors = [
        Invitation(study=study, academy_id=pk, state=state.ACCEPTED, undertaking=True, nonce=new_nonce(), sent_at=now)
        for pk in academies
    ]
    words = {"accepted": state.ACCEPTED, "declined": state.DECLINED, "invited": state.SENT}
    leaders = [
        Invitation(
            study=study,
            participation=participation,
            state=words[participation.state],
            undertaking=participation.state == "accepted",
            reason="workload" if participation.state == "declined" else "",
            nonce=new_nonce(),
            sent_at=now,
        )
        for participation in participations
    ]
    every = Invitation.objects.bulk_create([*directors, *leaders], batch_size=BATCH)
    sent, bounced = OutboxMessage.State.SENT, OutboxMessage.State.BOUNCED
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                kind="teams.leader_invitation" if invitation.participation_id else "teams.director_invitation",
                object_id=invitation.pk,
                state=bounced if n % 200 == 0 else sent,
                message_id=f"<{n}@large.example>",
            )
            for n, invitation in enumerate(every)
        ],
        batch_size=BATCH,
    )
    Event.objects.bulk_create(
        [
            Event(study=study, participation=participation, kind=kind)
            for participation in participations
            for kind in ("team_listed", "leader_invited", "leader_accepted", "links_issued")
        ],
        batch_size=BATCH,
    )


def _collections(survey: Survey, accepted: list[Participation], rng: random.Random) -> list[Collection]:
    state = Collection.State
    states = [state.SEALED, state.SEALED, state.OPEN, state.CLOSED]
    collections = Collection.objects.bulk_create(
        [
            Collection(
                survey=survey,
                participation=participation,
                state=states[(n // 2) % 4],
                mode=participation.mode,
                approached=20,
                closes_for_good_at=timezone.now() + datetime.timedelta(days=1),
                n_started=15,
                n_submitted=14,
                n_present=16,
                n_links=0,
                n_confirmed=0,
                present_by="researcher",
            )
            for n, participation in enumerate(accepted)
        ],
        batch_size=BATCH,
    )
    Meeting.objects.bulk_create(
        [
            Meeting(collection=collection, code=f"{n:06}", facilitator_nonce=new_nonce(), present=16)
            for n, collection in enumerate(collections)
            if collection.mode != Participation.Mode.ONLINE
        ],
        batch_size=BATCH,
    )
    today = timezone.localdate()
    DayCount.objects.bulk_create(
        [
            DayCount(
                collection=collection,
                day=today - datetime.timedelta(days=rng.randrange(60) * 1 + day),
                n=1 + rng.randrange(8),
            )
            for collection in collections
            for day in (0, 61, 122)
        ],
        batch_size=BATCH,
    )
    return collections


def _invitees(collections: list[Collection], per_team: int, n_teams: int) -> int:
    """Personal links for all teams that answer online; the same number in all as if half the teams did."""
    online = [collection for collection in collections if collection.mode == Participation.Mode.ONLINE]
    wanted = per_team * n_teams // 2
    invitees = [
        Invitee(
            collection=online[n % len(online)],
            email=f"teacher{n}@large.example",
        )
        for n in range(wanted)
    ]
    made = Invitee.objects.bulk_create(invitees, batch_size=BATCH)
    LinkSecret.objects.bulk_create(
        [
            LinkSecret(
                invitee=invitee, nonce=new_nonce(), token_hash=hashlib.sha256(str(invitee.pk).encode()).hexdigest()
            )
            for invitee in made
        ],
        batch_size=BATCH,
    )
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(kind="surveys.personal_link", object_id=invitee.pk, state=OutboxMessage.State.SENT)
            for invitee in made
        ],
        batch_size=BATCH,
    )
    return len(made)


def _answers(collections: list[Collection], rng: random.Random) -> None:
    items = [f"I{n}" for n in range(36)]
    live = [collection for collection in collections if collection.state != Collection.State.SEALED]
    Response.objects.bulk_create(
        [
            Response(
                key=hashlib.sha256(f"{collection.pk}-{n}".encode()).hexdigest()[:43],
                collection=collection,
                state="submitted" if n % 5 else "draft",
                answers={item: rng.randrange(1, 5) for item in items},
            )
            for collection in live
            for n in range(4 if collection.pk % 3 else 15)
        ],
        batch_size=BATCH,
    )


def _run(survey: Survey, plan: AnalysisPlan, collections: list[Collection], rng: random.Random) -> None:
    sealed = [collection for collection in collections if collection.state == Collection.State.SEALED]
    teams = {
        str(collection.participation_id): asdict(
            Dispositions.of_team(20, analysed=rng.randrange(3, 14), screened_out=1)
        )
        for collection in sealed
    }
    now = timezone.now()
    AnalysisRun.objects.create(
        survey=survey,
        plan=plan,
        state=AnalysisRun.State.DONE,
        n_seals=len(sealed),
        fingerprint="0" * 64,
        counts={"teams": teams, "teams_held": len(teams)},
        started_at=now,
        finished_at=now,
    )


def _meetings(study: Study, accepted: list[Participation], researcher: User, today: datetime.date) -> None:
    meeting = [participation for participation in accepted if participation.mode != Participation.Mode.ONLINE]
    start = timezone.now().replace(minute=0, second=0, microsecond=0) - datetime.timedelta(days=20)
    planned = PlannedMeeting.objects.bulk_create(
        [
            PlannedMeeting(
                participation=participation,
                state="confirmed" if n % 3 else "proposed",
                starts_at=start + datetime.timedelta(hours=n % 1000) if n % 3 else None,
                researcher=researcher if participation.mode == Participation.Mode.RESEARCHER else None,
            )
            for n, participation in enumerate(meeting)
        ]
    )
    ProposedDate.objects.bulk_create(
        ProposedDate(meeting=meeting, starts_at=start + datetime.timedelta(days=40 + n % 20), by_leader=bool(n % 2))
        for n, meeting in enumerate(planned)
        if meeting.state == "proposed"
    )
