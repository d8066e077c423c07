"""What a researcher knows of the population from a source outside the study: how many gave each background answer."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from analysis.data.bands import Limits
from analysis.history import Happened
from analysis.models.comparisons import KnownComposition
from analysis.plan.plans import locked_plan
from analysis.runs.execution import request_run
from surveys.models import Survey
from teams import history
from teams.models import User


def store(survey: Survey, question: str, counts: Sequence[int], limits: Limits, source: str, user: User | None) -> bool:
    """Keep what is known about a question; it replaces what stood there. True if an analysis was asked for."""
    with transaction.atomic():
        KnownComposition.objects.update_or_create(
            study_id=survey.study_id,
            question=question,
            defaults={"counts": list(counts), "limits": list(limits), "source": source.strip(), "entered_by": user},
        )
        history.record(survey.study, Happened.COMPOSITION_ENTERED, by=user, detail=question)
    return _run_again(survey)


def remove(survey: Survey, question: str, user: User | None) -> bool:
    """Forget what is known about a question. True if an analysis was asked for."""
    with transaction.atomic():
        deleted, _of = KnownComposition.objects.filter(study_id=survey.study_id, question=question).delete()
        if deleted:
            history.record(survey.study, Happened.COMPOSITION_REMOVED, by=user, detail=question)
    return bool(deleted) and _run_again(survey)


def _run_again(survey: Survey) -> bool:
    """Ask for a run where there is something to analyse: all steps but one are taken from the last."""
    if not survey.n_seals or locked_plan(survey.study) is None:
        return False
    request_run(survey)
    return True
