"""The analysis plan: the rules fixed before the data are seen, and their hash.

A plan is a JSON document. It names the scales of the questionnaire, never a decision taken after the factor models.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from analysis.history import Happened
from analysis.models import AnalysisPlan, AnalysisRun, EarlyPicture
from analysis.plan.nulls import Null, default_agreement, nulls_of
from analysis.psychometrics.scales.minimum import default_minimum_answered
from surveys.models import Collection, PresentBy, Response, SealedResponse, Survey
from surveys.questionnaires.publishing import Definition, definition_of
from teams import history
from teams.models import Study, User

#: A share of unanswered items above this sets a response aside (docs/methods.md, Screening).
MOST_UNANSWERED = 0.25
#: Maximum likelihood, with errors robust to skewed answers (MLM), and to teachers sharing a team as well (MLR).
ESTIMATORS = ("ML", "MLM", "MLR")

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """A scale as it is scored: its items in order, those that are reverse-keyed, and how many must be answered."""

    code: str
    items: tuple[str, ...]
    reverse_keyed: tuple[str, ...]
    minimum_answered: int


@dataclass(frozen=True, slots=True)
class PlanRules:
    """A plan's content, read once: what the run needs, with types."""

    k: int
    n_points: int
    set_aside_not_eligible: bool
    most_unanswered: float | None
    rule_version: int
    minimum_rule: str
    scales: tuple[ScalePlan, ...]
    nulls: tuple[Null, ...]  # of rwg(j)
    estimators: tuple[str, ...]
    mirror: bool = False  # teams that meet may see their own figures in the meeting (surveys/collecting/mirror.py)

    @property
    def items(self) -> tuple[str, ...]:
        """The items of all scales in the plan, in the order of the questionnaire."""
        return tuple(item for scale in self.scales for item in scale.items)

    @property
    def reverse_keyed(self) -> tuple[str, ...]:
        return tuple(item for scale in self.scales for item in scale.reverse_keyed)

    @property
    def published_nulls(self) -> str:
        """The nulls of rwg(j) whose variance is from the literature, which is then cited."""
        return ", ".join(null.label for null in self.nulls if null.is_published)

    def minimum_answered(self, n_items: int) -> int:
        """How many of a scale's items must be answered for a score, by the rule of the plan."""
        return 1 if self.minimum_rule == "one" else default_minimum_answered(n_items)


def default_plan(definition: Definition, k: int) -> Content:
    """The plan of a study that collects its own answers: screening on, two thirds of a scale's items answered."""
    return _plan(definition, k, screening=True, minimum_rule="two_thirds")


def import_plan(definition: Definition, k: int) -> Content:
    """The plan for answers collected elsewhere: nobody is screened out, one answered item gives a score."""
    return _plan(definition, k, screening=False, minimum_rule="one")


def _plan(definition: Definition, k: int, *, screening: bool, minimum_rule: str) -> Content:
    scales = []
    for scale in definition.scales:
        items = [item.code for item in scale.items]
        scales.append(
            {
                "code": scale.code,
                "items": items,
                "reverse_keyed": [item.code for item in scale.items if item.reverse_keyed],
                "minimum_answered": 1 if minimum_rule == "one" else default_minimum_answered(len(items)),
            }
        )
    return {
        "format": 1,
        "k": k,
        "points": definition.n_points,
        "screening": {
            "version": 1,
            "not_eligible": screening,
            "unanswered_over": MOST_UNANSWERED if screening else None,
        },
        "minimum_rule": minimum_rule,
        "scales": scales,
        "agreement": default_agreement(definition.n_points),
        "factor_models": {"names": ["theoretical"], "estimators": list(ESTIMATORS)},
    }


def canonical(content: Any) -> bytes:
    """One spelling of a JSON value: keys sorted, no spaces, UTF-8."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def hash_of(content: Any) -> str:
    """The SHA-256 of the canonical spelling, in hexadecimal."""
    return hashlib.sha256(canonical(content)).hexdigest()


def rules(content: Content) -> PlanRules:
    """Read a plan's content."""
    screening = content["screening"]
    return PlanRules(
        k=content["k"],
        n_points=content["points"],
        set_aside_not_eligible=screening["not_eligible"],
        most_unanswered=screening["unanswered_over"],
        rule_version=screening["version"],
        minimum_rule=content["minimum_rule"],
        scales=tuple(
            ScalePlan(scale["code"], tuple(scale["items"]), tuple(scale["reverse_keyed"]), scale["minimum_answered"])
            for scale in content["scales"]
        ),
        nulls=nulls_of(content["agreement"], content["points"]),
        estimators=tuple(content["factor_models"]["estimators"]),
        mirror=_has_mirror(content),
    )


def _has_mirror(content: Content) -> bool:
    """Stands in a plan only where it is true, so that plans of before keep their hashes."""
    return bool(content.get("mirror"))


def model_syntax(scales: Iterable[ScalePlan]) -> str:
    """The model in which every scale is one factor, in lavaan's syntax; one line per scale."""
    return "\n".join(f"{scale.code} =~ {' + '.join(scale.items)}" for scale in scales)


def locked_plan(study: Study) -> AnalysisPlan | None:
    """The plan in force: the locked one with the highest number."""
    return AnalysisPlan.objects.filter(study=study, locked_at__isnull=False).order_by("-number").first()


def known_now(study: Study) -> AnalysisPlan.Known:
    """What is known of a study's answers now, for a plan that is locked at this moment."""
    known = AnalysisPlan.Known
    if AnalysisRun.objects.filter(survey__study=study, state=AnalysisRun.State.DONE).exists():
        return known.RESULTS
    if EarlyPicture.objects.filter(study=study, state=EarlyPicture.State.SHOWN).exists():  # on a screen in its meeting
        return known.RESULTS
    for table in (Response, SealedResponse):
        if table.objects.filter(collection__survey__study=study).exists():
            return known.ANSWERS
    return known.NOTHING


def has_imported(study: Study) -> bool:
    """Whether answers of the study were collected elsewhere: nobody knows when these were given."""
    by_import = Q(present_by=PresentBy.IMPORT) | Q(meeting__present_by=PresentBy.IMPORT)
    return Collection.objects.filter(by_import, survey__study=study).exists()


def lock_plan(
    study: Study,
    user: User | None,
    content: Content | None = None,
    *,
    mirror: bool = False,
    answers_elsewhere: bool = False,
) -> AnalysisPlan:
    """Lock the study's first plan (default: :func:`default_plan` of its questionnaire); locking twice changes nothing.

    Args:
        mirror: whether teams that meet may see their own figures in the meeting.
        answers_elsewhere: whether it is locked for answers that were collected before it.

    Raises ``Survey.DoesNotExist`` when no questionnaire was chosen: without items there is nothing to plan.
    """
    if plan := AnalysisPlan.objects.filter(study=study, number=1, locked_at__isnull=False).first():
        return plan
    survey = Survey.objects.select_related("version").get(study=study)
    if content is None:
        content = default_plan(definition_of(survey.version), study.k)
    content = {**content, "questionnaire": survey.version.content_hash}
    if mirror:
        content["mirror"] = True
    try:
        with transaction.atomic():
            plan = AnalysisPlan.objects.create(
                study=study,
                content=content,
                content_hash=hash_of(content),
                locked_at=timezone.now(),
                locked_by=user,
                known=AnalysisPlan.Known.ELSEWHERE if answers_elsewhere else known_now(study),
            )
            history.record(study, Happened.PLAN_LOCKED, by=user, detail=plan.content_hash)
    except IntegrityError:
        # Somebody else was first (plan_number_once): theirs is the plan.
        return AnalysisPlan.objects.get(study=study, number=1)
    return plan


def amend_plan(study: Study, content: Content, reason: str, user: User) -> AnalysisPlan:
    """Lock another plan with a reason; results made from then on say which plan made them.

    Raises ``ValueError`` without a reason, before the first plan was locked, without a difference, or when somebody else
    changed it meanwhile.
    """
    if not reason.strip():
        raise ValueError(_("Say why you are changing the plan."))
    current = locked_plan(study)
    if current is None:
        raise ValueError(_("There is no locked plan yet, so there is nothing to change."))
    content = {**content, "questionnaire": current.content["questionnaire"]}
    if _has_mirror(content) != _has_mirror(current.content):
        raise ValueError(
            _(
                "Whether teams see their own figures in the meeting cannot be changed: teachers read it before they begin."
            )
        )
    if content == current.content:
        raise ValueError(_("Nothing differs from the current plan."))
    if content["k"] < current.content["k"]:
        # what was promised before answering is kept: k may only grow
        raise ValueError(_("k cannot become smaller: teachers answered on that promise."))
    try:
        with transaction.atomic():
            plan = AnalysisPlan.objects.create(
                study=study,
                number=current.number + 1,
                content=content,
                content_hash=hash_of(content),
                locked_at=timezone.now(),
                locked_by=user,
                amendment_reason=reason.strip()[:500],
                known=known_now(study),
            )
            if content["k"] != current.content["k"]:
                Study.objects.filter(pk=study.pk).update(k=content["k"])  # what decides what is shown
            history.record(study, Happened.PLAN_AMENDED, by=user, detail=plan.amendment_reason)
    except IntegrityError as error:
        # plan_number_once: somebody else's change came first, and this one was not made with it in view.
        raise ValueError(_("Somebody else has just changed the plan: look at it first.")) from error
    return plan


def changed(
    content: Content,
    *,
    screening: Content,
    minimums: dict[str, int],
    agreement: Content,
    estimators: list[str],
    items: dict[str, list[str]],
    reverse_keyed: list[str],
    k: int,
) -> Content:
    """A plan's content with other rules; the screening rule gets the next version when it is another one.

    ``items`` are those of each scale, in the plan's order. A plan of before that has the same nulls of rwg(j) keeps its
    spelling of them.
    """
    points = content["points"]
    same_nulls = nulls_of(agreement, points) == nulls_of(content["agreement"], points)
    before = content["screening"]
    rule = {**screening, "version": before["version"]}
    if rule != before:
        rule["version"] += 1
    return {
        **content,
        "screening": rule,
        "k": k,
        "scales": [
            {
                **scale,
                "items": items[scale["code"]],
                "reverse_keyed": [item for item in items[scale["code"]] if item in reverse_keyed],
                "minimum_answered": minimums[scale["code"]],
            }
            for scale in content["scales"]
        ],
        "agreement": content["agreement"] if same_nulls else agreement,
        "factor_models": {**content["factor_models"], "estimators": estimators},
    }


def document_of(plan: AnalysisPlan) -> Content:
    """A plan as data for a preregistration. ``hash`` is the SHA-256 of ``content`` as :func:`canonical` spells it."""
    return {
        "study": plan.study.title,
        "plan": plan.number,
        "locked_at": plan.locked_at.isoformat() if plan.locked_at else None,
        "reason_of_the_change": plan.amendment_reason or None,
        "known_when_locked": plan.known,
        "hash": plan.content_hash,
        "content": plan.content,
    }
