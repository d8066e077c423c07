"""What became of each agreed step. A step is a line of the next steps of the talk, under its subject.

The words of the talk may be changed after something was said of them: what was said of the words of then stays, and stands
below what is agreed now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from analysis.models import LookBack, LookBackStep
from analysis.publication.talks import goals_of, hash_of, hold_open, in_steps
from teams.models import Participation


@dataclass(frozen=True, slots=True)
class Step:
    """One agreed step, and what the team said of it. ``status``: a `LookBackStep.Status`, or blank."""

    scale: str
    words: str
    status: str = ""
    line: str = ""
    status_hash: str = ""
    line_hash: str = ""
    agreed: bool = True  # now too; else the talk has other words by now

    @property
    def key(self) -> str:
        """Names the step on a page."""
        return hashlib.sha256(f"{self.scale}\n{self.words}".encode(errors="surrogatepass")).hexdigest()[:16]


def steps_of(participation: Participation) -> list[Step]:
    """Each agreed step of a team with what was said of it, in the order of the talk's words."""
    said = {(row.scale, row.step): row for row in _rows(participation)}
    steps = []
    for scale, goal in goals_of(participation).items():
        for words in in_steps(goal.next_steps):
            steps.append(_step(scale, words, said.pop((scale, words), None)))
    left = [row for row in said.values() if row.status or row.line]
    return steps + [_step(row.scale, row.step, row, agreed=False) for row in left]


def _rows(participation: Participation) -> Sequence[LookBackStep]:
    return list(LookBackStep.objects.filter(look_back__participation=participation))


def _step(scale: str, words: str, row: LookBackStep | None, *, agreed: bool = True) -> Step:
    if row is None:
        return Step(scale, words, agreed=agreed)
    return Step(scale, words, row.status, row.line, row.status_hash, row.line_hash, agreed)


def write(participation: Participation, said: Mapping[Step, Mapping[str, str]], page: str = "") -> bool:
    """Write down what was said of steps. False, with nothing written, when the next wave was published already.

    :param said: of each step "status", "line" or both: what is not named stays
    :param page: the key of the page on which it was said (teams/base/once.py)
    """
    by = hash_of(page) if page else ""
    with transaction.atomic():
        Participation.objects.select_for_update(no_key=True).get(pk=participation.pk)
        if not hold_open(participation):
            return False
        look_back, _made = LookBack.objects.get_or_create(participation=participation)
        for step, fields in said.items():
            values = {**fields, **{f"{name}_hash": by for name in fields}}
            rows = LookBackStep.objects.filter(look_back=look_back, scale=step.scale, step=step.words)
            if not rows.update(**values):
                # where a person was removed from its words, the same words typed again are the same step
                words = {"scale": step.scale, "step": step.words}
                LookBackStep.objects.update_or_create(look_back=look_back, key=step.key, defaults=words | values)
    return True
