"""Make early pictures: what a unit is shown of itself as soon as its teams closed their meeting. The row is the queue.

A picture is a publication of one unit, judged as one: its own counts, the rules on what is shown, and whatever was ever shown
of the series (docs/disclosure.md). It rests on the sealed answers of its teams alone, on the plan that is locked, and on no other
team. Several teams that were combined get one picture of all together, once the last of them is sealed.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from analysis.data import dataset
from analysis.disclosure import Reason, Withheld
from analysis.history import Happened
from analysis.models import AnalysisPlan, EarlyPicture, Publication, Unit
from analysis.plan.plans import locked_plan, rules
from analysis.publication import versions
from analysis.reports.groups import COUNTED, GroupFigures, Moments, TeamFigures, collections_of, group_now, scales_of
from analysis.reports.material import Material, spreads_of
from analysis.reports.shown import Member, pack
from analysis.reports.shown import Unit as UnitCounts
from surveys.models import Collection, Survey
from surveys.questionnaires.publishing import definition_of
from teams.base.leases import Claim, ClaimLost, Queue, kept, wake
from teams.history import record
from teams.models import Participation, Study

logger = logging.getLogger(__name__)

TASK = "analysis.make_pictures"
State = EarlyPicture.State
QUEUE = Queue(
    EarlyPicture,
    waits=Q(state__in=(State.WAITING, State.WORKING)),
    held=Q(state=State.WORKING),
    taken=(("state", State.WORKING),),
    pauses=(timedelta(seconds=10),),
    most=5,
)
#: A meeting is over by then: nobody waits for its picture any more.
TOO_LATE = timedelta(days=2)
TIMES = 5  # in a row that a picture is made when something changed meanwhile


class Changed(Exception):
    """What a picture was made of is not what there is now: it is made again."""


@dataclass(frozen=True)
class _World:
    """What a picture is judged against: as long as none of it changed, the verdict stands."""

    plan: int
    publications: tuple[int, ...]
    pictures: tuple[int, ...]
    teams: tuple[tuple[int, int], ...]  # of the unit: participation and collection
    counts: str
    k: int


# ------------------------------------------------------------------------------------------------ what is due
def _asked() -> QuerySet[Collection]:
    """The sealed teams whose meeting was closed to see their figures, and not so long ago that nobody waits any more."""
    return Collection.objects.filter(
        meeting__picture_asked_at__gte=timezone.now() - TOO_LATE,
        state=Collection.State.SEALED,
        survey__mirror=True,
        survey__study__deletion__isnull=True,
        participation__state=Participation.State.ACCEPTED,
    )


def is_awaited(participation: Participation) -> bool:
    """Whether a picture of a team that has none is still asked for."""
    return _asked().filter(participation=participation).exists()


def ask_due() -> int:
    """Ask for the picture of each unit whose teams are sealed, since whoever led a meeting closed it to see one. How many are new.

    Once for each team: of those who are left when another of its unit withdrew there is no second one.
    """
    teams = dict(_asked().values_list("participation_id", "survey__study_id"))
    if not teams:
        return 0
    there = set(EarlyPicture.objects.filter(study__in=set(teams.values())).values_list("unit", flat=True))
    combined = Unit.participations.through.objects.filter(participation__in=list(teams))
    units = dict(combined.values_list("participation_id", "unit_id"))
    waiting = [team for team in teams if there.isdisjoint({f"team:{team}", f"unit:{units.get(team)}"})]
    wanted = {(teams[team], key) for team in waiting if (key := _complete_unit(team)) is not None}
    n_new = 0
    for study, key in sorted(wanted):
        try:
            with transaction.atomic():
                EarlyPicture.objects.create(study_id=study, unit=key)
        except IntegrityError:  # one_early_picture_per_unit: another worker was first
            continue
        n_new += 1
    return n_new


def _complete_unit(participation_id: int) -> str | None:
    """The key of the unit that a team is in; None while another of its teams that takes part is not sealed."""
    unit = Unit.objects.filter(participations=participation_id).first()
    if unit is None:
        return f"team:{participation_id}"
    taking_part = unit.participations.filter(state=Participation.State.ACCEPTED)
    if taking_part.exclude(collection__state=Collection.State.SEALED).exists():
        return None
    return f"unit:{unit.pk}" if taking_part.count() > 1 else f"team:{participation_id}"


def make_due() -> int:
    """Ask for what is due and make it; what workers died of is given up. How many pictures were made now."""
    ask_due()
    QUEUE.hopeless().update(state=State.FAILED, error="stopped", lease_until=None, made_at=timezone.now())
    waiting = EarlyPicture.objects.filter(QUEUE.due()).order_by("pk").values_list("pk", flat=True)
    return sum(_make(pk) for pk in list(waiting))


def wake_making() -> None:
    """Wake a worker for what is due; should nobody hear it, beat wakes too."""
    wake(TASK)


# ------------------------------------------------------------------------------------------------ one picture
def _make(pk: int) -> bool:
    claim = QUEUE.claim(pk)
    if claim is None:
        return False
    try:
        with kept(claim.renew):
            for _time in range(TIMES):
                with suppress(Changed):
                    return _judge_and_store(claim)
        logger.info("Early picture %s waits: again and again something changed while it was made.", pk)
        claim.release(state=State.WAITING)  # as when several teams meet in one minute: it did not fail
    except ClaimLost:
        logger.warning("Early picture %s was taken over: what was made is thrown away.", pk)
    except OperationalError:
        logger.info("Early picture %s is made again: the database was away.", pk)
        claim.put_off(state=State.WAITING)
    except Exception as error:
        logger.exception("Early picture %s failed.", pk)
        claim.finish(state=State.FAILED, error=type(error).__name__[:80], made_at=timezone.now())
    return False


def _judge_and_store(claim: Claim[EarlyPicture]) -> bool:
    picture = claim.row
    study = Study.objects.get(pk=picture.study_id)
    world = _world(picture, study)
    shown = _shown(picture, study)
    with transaction.atomic():
        # in the order of publishing.publish: of the two the second judges beside what the first showed
        series = versions.series_of(study)
        list(Study.objects.select_for_update(no_key=True).filter(pk__in=series).order_by("pk"))
        list(Participation.objects.select_for_update(no_key=True).filter(study=study).order_by("pk"))
        study.refresh_from_db(fields=["k"])
        teams = _teams_of(picture)
        if any(_complete_unit(team.pk) != picture.unit for team in teams):
            # combined, taken apart or left by the others since it was asked for: as later publications know these teams
            if not claim.remove():
                raise ClaimLost
            transaction.on_commit(wake_making, robust=True)
            return False
        if _world(picture, study) != world:
            raise Changed
        state = State.SHOWN if shown else State.WITHHELD
        if not claim.finish(state=state, made_at=timezone.now(), **shown):
            raise ClaimLost
        for participation in teams:
            record(study, Happened.PICTURE_MADE, participation=participation)
    return True


def _teams_of(picture: EarlyPicture) -> list[Participation]:
    """The teams of a picture's unit that take part."""
    kind, _colon, pk = picture.unit.partition(":")
    of_unit = Q(pk=pk) if kind == "team" else Q(units=pk)
    teams = Participation.objects.filter(of_unit, study=picture.study_id, state=Participation.State.ACCEPTED)
    return list(teams.order_by("pk"))


def _world(picture: EarlyPicture, study: Study) -> _World:
    plan = _plan_of(study)
    series = versions.series_of(study)
    known = collections_of(team.pk for team in _teams_of(picture))
    publications = Publication.objects.filter(study__in=series).order_by("pk").values_list("pk", flat=True)
    pictures = EarlyPicture.objects.filter(study__in=series, state=State.SHOWN).order_by("pk")
    return _World(
        plan.pk,
        tuple(publications),
        tuple(pictures.values_list("pk", flat=True)),
        tuple(sorted((pk, counted.collection.pk) for pk, counted in known.items())),
        repr(sorted((pk, counted.accepted_at, _counts_in(counted.collection)) for pk, counted in known.items())),
        study.k,
    )


def _counts_in(collection: Collection) -> list[Any]:
    """The columns by which a unit is judged."""
    return [getattr(collection, name) for name in COUNTED]


def _plan_of(study: Study) -> AnalysisPlan:
    plan = locked_plan(study)
    if plan is None:
        raise Changed  # a questionnaire opens only with a locked plan
    return plan


def _shown(picture: EarlyPicture, study: Study) -> dict[str, Any]:
    """The columns of a picture that is shown; none where it is withheld."""
    from analysis.runs.pictures import counts_of, moments_of, rows_of
    from analysis.runs.steps import Computation

    survey = Survey.objects.select_related("version__questionnaire", "study").get(study=study)
    plan = rules(_plan_of(study).content)
    known = collections_of(team.pk for team in _teams_of(picture))
    if not known:  # they withdrew meanwhile
        return {}
    data = dataset.load(survey, only=list(known))
    approached = {pk: counted.collection.approached for pk, counted in known.items()}
    computation = Computation(data, plan, plan.scales, approached)
    rows = rows_of(computation)
    returned = data.respondents["participation"][data.returned].value_counts()
    keys = {pk: data.respondents.index[of_team].tolist() for pk, of_team in rows.items()}
    members = tuple(Member(pk, len(keys[pk]), int(returned.get(pk, 0)), approached[pk]) for pk in sorted(known))
    counts = {pk: counts_of(computation, of_team) for pk, of_team in rows.items()}
    moments = {pk: moments_of(computation, of_team, plan.scales) for pk, of_team in rows.items()}
    unit = _unit_of(picture, members)
    group = group_now(unit, known)
    if group is None:
        return {}
    teams = tuple(
        TeamFigures(
            known[member.participation].collection.participation,
            of_team,
            known[member.participation].accepted_at,
            {scale: Moments(*known_of) for scale, known_of in moments[member.participation].items()},
            {item: tuple(row) for item, row in counts[member.participation].items()},
        )
        for member, of_team in zip(members, group.teams, strict=True)
    )
    definition = definition_of(survey.version)
    scorings = {scale.code: {item: item in scale.reverse_keyed for item in scale.items} for scale in plan.scales}
    figures = GroupFigures(group, picture.unit, teams, unit.combined_at)
    material = Material(study, definition, scales_of(definition, scorings), [figures], spreads={})
    material = replace(material, spreads=spreads_of(material, []))
    if material.judge(figures) is not None:
        return {}
    everybody = sorted(key for of_team in keys.values() for key in of_team)
    behind = versions.figures_of({picture.unit: frozenset(everybody)}, versions.values_of([], data), study.k)
    earlier = versions.shown_in(versions.publications_of(study), versions.pictures_of(study))
    if versions.telling_figures(earlier, behind, versions.values_of([], data), data.n_points, study.k):
        return {}
    place = {key: nth for nth, key in enumerate(everybody)}
    alone = Withheld(Reason.OTHERS_LATER)
    return {
        "members": everybody,
        "missing": versions.missing_of({picture.unit: everybody}, behind)[picture.unit],
        "figures": {
            str(member.participation): {
                "analysed": member.analysed,
                "returned": member.returned,
                "members": sorted(place[key] for key in keys[member.participation]),
                "items": counts[member.participation],
            }
            for member in members
        },
        "content": pack(material.unit_shown(figures)),
        "setting": pack(replace(material.study_shown, withheld=alone, outsider=alone)),
    }


def _unit_of(picture: EarlyPicture, members: tuple[Member, ...]) -> UnitCounts:
    kind, _colon, pk = picture.unit.partition(":")
    combined_at = Unit.objects.get(pk=pk).decided_at if kind == "unit" else None
    return UnitCounts(picture.unit, members, combined_at, released=True)
