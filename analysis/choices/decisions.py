"""Decisions about scales and items, each with its reason: taken after the factor models, on the record, undoable.

The plan names the scales of the theory. What becomes of them is decided here, and the final scales follow from both.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from analysis.history import Happened
from analysis.models import AnalysisRun, Decision, Publication
from analysis.plan.plans import locked_plan
from analysis.plan.scales import DecisionRefused, check, check_in_order, final_scales
from analysis.runs.execution import request_run
from surveys.models import Survey
from teams import history
from teams.models import Study, User

__all__ = ["DecisionRefused", "decide", "final_scales", "standing", "undo"]

RECORDED_AS = {
    Decision.Kind.SET_ASIDE: Happened.DECISION_SET_ASIDE,
    Decision.Kind.MERGE: Happened.DECISION_MERGE,
    Decision.Kind.DROP: Happened.DECISION_DROP,
}


def decide(study: Study, kind: str, subject: str, target: str, reason: str, user: User | None) -> Decision:
    """Record a decision and ask for a run that uses it.

    Raises :class:`DecisionRefused` without a reason, before the first run is done, or where the subject or target does
    not stand among the scales that earlier decisions left.
    """
    if not reason.strip():
        raise DecisionRefused(_("Give a reason for this decision."))
    plan = locked_plan(study)
    if plan is None or not AnalysisRun.objects.done_of(study.pk).exists():
        raise DecisionRefused(_("Decisions are taken after the first analysis: there is none yet."))
    try:
        with transaction.atomic():
            # Two decisions at once could each be right alone and not together (merge A into B; set B aside): the study's
            # row is the lock that lets the second one see the first. SQLite has one writer at a time anyway.
            Study.objects.select_for_update().get(pk=study.pk)
            check(final_scales(plan, standing(study)), kind, subject, target)
            decision = Decision.objects.create(
                study=study, kind=kind, subject=subject, target=target, reason=reason.strip(), decided_by=user
            )
            history.record(study, RECORDED_AS[Decision.Kind(kind)], by=user, detail=f"{subject} {target}".strip())
    except IntegrityError as error:
        raise DecisionRefused(_("This decision has already been made.")) from error
    request_run(Survey.objects.get(study=study))
    return decision


def undo(decision: Decision, user: User | None) -> None:
    """Undo a decision and ask for a run without it; after publication it stands. Undoing twice changes nothing.

    Raises :class:`DecisionRefused` where results that use it were published, or a later decision builds on it.
    """
    study = decision.study
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)  # as in decide
        if Publication.objects.filter(study=study, published_at__gt=decision.decided_at).exists():
            raise DecisionRefused(_("Results that use this decision have been published: it can no longer be undone."))
        plan = locked_plan(study)
        if plan is not None:
            rest = [other for other in standing(study) if other.pk != decision.pk]
            check_in_order(plan, rest)
        changed = Decision.objects.filter(pk=decision.pk, undone_at__isnull=True).update(undone_at=timezone.now())
        if changed:
            detail = f"{decision.kind} {decision.subject} {decision.target}".strip()
            history.record(study, Happened.DECISION_UNDONE, by=user, detail=detail)
    if changed:
        request_run(Survey.objects.get(study=study))


def standing(study: Study) -> list[Decision]:
    """The decisions in force, in the order in which they were taken."""
    return list(Decision.objects.filter(study=study, undone_at__isnull=True).order_by("decided_at", "pk"))
