"""What a team writes down in its talk: a target per subject and its next steps. It comes back in the next wave's report.

For the team and its leader: no page of researchers or directors reads these rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction

from analysis.models import Publication
from analysis.models.readers import TeamGoal
from analysis.reports.team import Goal, Goals
from teams.models import Participation, Study
from teams.text.addresses import same_person


def goals_of(participation: Participation) -> dict[str, Goal]:
    """What the team wrote down in its talk about this wave."""
    return _written([participation])[participation.pk]


def _written(participations: Iterable[Participation]) -> dict[int, dict[str, Goal]]:
    found: dict[int, dict[str, Goal]] = {one.pk: {} for one in participations}
    for goal in TeamGoal.objects.filter(participation__in=list(found)):
        target = None if goal.target is None else float(goal.target)
        found[goal.participation_id][goal.scale] = Goal(target, goal.next_steps)
    return found


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
    mine = _hash(page)
    return frozenset(name for name, writer in goal.pages.items() if writer == mine)


def write_goal(
    participation: Participation, scale: str, target: Decimal | None, next_steps: str, page: str = ""
) -> bool:
    """Write down a target and next steps on one subject. False when the next wave was published already.

    :param page: the key of the page on which they were typed (teams/base/once.py)
    """
    with transaction.atomic():
        # publishing takes the study's row too: nothing is written while the next wave's report is being made
        following = Study.objects.filter(previous_id=participation.study_id).values_list("pk", flat=True)
        list(Study.objects.select_for_update().filter(pk__in=list(following)))
        if not may_write(participation):
            return False
        goal = TeamGoal.objects.filter(participation=participation, scale=scale).first()
        goal = goal or TeamGoal(participation=participation, scale=scale)
        for name, value in {"target": target, "next_steps": next_steps}.items():
            if getattr(goal, name) != value:
                setattr(goal, name, value)
                goal.pages[name] = _hash(page) if page else ""
        goal.save()
    return True


def _hash(page: str) -> str:
    return hashlib.sha256(page.encode(errors="surrogatepass")).hexdigest()
