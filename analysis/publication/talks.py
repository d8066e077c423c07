"""What a team writes down in its talk: a target per subject and its next steps. It comes back in the next wave's report.

For the team and its leader: no page of researchers or directors reads these rows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import transaction

from analysis.models import Publication
from analysis.models.readers import TeamGoal
from analysis.reports.objects import LookedBack
from analysis.reports.team import Goal, Goals
from teams.models import Participation, Study
from teams.text.addresses import same_person

BULLET = re.compile(r"^\s*(?:[-–—*•·]|\d{1,2}[.)])\s+")


def goals_of(participation: Participation) -> dict[str, Goal]:
    """What the team wrote down in its talk about this wave."""
    return _written([participation])[participation.pk]


def _written(participations: Iterable[Participation]) -> dict[int, dict[str, Goal]]:
    """What teams wrote down on each subject, with what they said of it when they looked back: in one query.

    A team has a handful of subjects and of steps, so that each beside each is still little.
    """
    by_team: dict[int, dict[str, Goal]] = {participation.pk: {} for participation in participations}
    said = "participation__look_back__steps__"
    beside = [f"{said}{column}" for column in ("scale", "step", "status", "line")]
    goals = TeamGoal.objects.filter(participation__in=list(by_team)).order_by("pk", f"{said}pk")
    written: dict[tuple[int, str], tuple[Decimal | None, str]] = {}
    looked_back: dict[tuple[int, str], dict[str, LookedBack]] = {}
    for team, scale, target, next_steps, about, step, status, line in goals.values_list(
        "participation_id", "scale", "target", "next_steps", *beside
    ):
        written[team, scale] = target, next_steps
        if about == scale and (status or line):
            looked_back.setdefault((team, scale), {})[step] = LookedBack(step, status, line)
    for (team, scale), (target, next_steps) in written.items():
        steps = _looked_back(next_steps, looked_back.get((team, scale), {}))
        by_team[team][scale] = Goal(None if target is None else float(target), next_steps, steps)
    return by_team


def in_steps(text: str) -> list[str]:
    """The steps in what a team wrote down: a line each, without the sign that begins it, each once."""
    lines = (BULLET.sub("", line).strip() for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line))


def _looked_back(next_steps: str, said: Mapping[str, LookedBack]) -> tuple[LookedBack, ...]:
    """Each agreed step beside what was said of it, and what was said of words that are others now; empty if nothing was said."""
    words = dict.fromkeys([*in_steps(next_steps), *said]) if said else {}
    return tuple(said.get(step, LookedBack(step, "", "")) for step in words)


def wave_before(participation: Participation) -> Participation | None:
    """The same team in the wave before; None where there was none."""
    if participation.study.previous_id is None:
        return None
    before = Participation.objects.filter(study_id=participation.study.previous_id, team_id=participation.team_id)
    return before.first()


def goals_beside(participation: Participation, before: Participation | None) -> tuple[Goals, Goals]:
    """What a team wrote down about this wave, and after the wave ``before``: what this wave's report is held against.

    Of the wave before nothing under another leader, until it was handed over to this one: it was not written for them.
    """
    written = _written([participation, *([before] if before else [])])
    same = before is not None and same_person(before.leader_email, participation.leader_email)
    return written[participation.pk], written[before.pk] if before and same else {}


def may_write(participation: Participation) -> bool:
    """Until the next wave is published: from then on its report is held against what was written."""
    return not Publication.objects.filter(study__previous_id=participation.study_id).exists()


def own_words(participation: Participation, scale: str, page: str) -> frozenset[str]:
    """The fields in which stands what the page with this key wrote, which saves itself again and again."""
    goal = TeamGoal.objects.filter(participation=participation, scale=scale).first()
    if goal is None or not page:
        return frozenset()
    this_page = hash_of(page)
    return frozenset(name for name, writer in goal.pages.items() if writer == this_page)


def write_goal(
    participation: Participation, scale: str, target: Decimal | None, next_steps: str, page: str = ""
) -> bool:
    """Write down a target and next steps on one subject. False when the next wave was published already.

    :param page: the key of the page on which they were typed (teams/base/once.py)
    """
    with transaction.atomic():
        if not hold_open(participation):
            return False
        goal = TeamGoal.objects.filter(participation=participation, scale=scale).first()
        goal = goal or TeamGoal(participation=participation, scale=scale)
        for name, value in {"target": target, "next_steps": next_steps}.items():
            if getattr(goal, name) != value:
                setattr(goal, name, value)
                goal.pages[name] = hash_of(page) if page else ""
        goal.save()
    return True


def hold_open(participation: Participation) -> bool:
    """Inside a transaction: whether the team may still write, and from here on nothing changes that until it is done.

    Publishing takes the study's row too: nothing is written while the next wave's report is being made.
    """
    following = Study.objects.filter(previous_id=participation.study_id).values_list("pk", flat=True)
    list(Study.objects.select_for_update().filter(pk__in=list(following)))
    return may_write(participation)


def hash_of(page: str) -> str:
    """What is kept of a page's key: which page wrote something, and not its key."""
    return hashlib.sha256(page.encode(errors="surrogatepass")).hexdigest()
