"""Factor models that a researcher adds after the plan was locked: kept with their reason, fitted in every run, exploratory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from analysis.history import Happened
from analysis.models import OwnModel
from analysis.plan.plans import locked_plan
from analysis.psychometrics.errors import AnalysisInputError, ModelSyntaxError
from analysis.psychometrics.syntax.parsing import parse_model
from analysis.runs.execution import request_run
from analysis.runs.names import ESTIMATORS
from surveys.models import Survey
from teams import history
from teams.models import Study, User

#: A study's own models at one time: each is fitted in every run.
MOST = 12


class ModelRefused(Exception):
    """A model that cannot be added, in a sentence for the researcher."""


def syntax_of(ticked: Mapping[str, Sequence[str]]) -> str:
    """The model in which the ticked items of each scale are one factor; scales without a tick are left out."""
    return "\n".join(f"{scale} =~ {' + '.join(items)}" for scale, items in ticked.items() if items)


def check_model(syntax: str, items: Iterable[str]) -> None:
    """Raise :class:`ModelRefused` for a text that is no model of these items."""
    try:
        statements = parse_model(syntax).statements
    except ModelSyntaxError as error:
        raise ModelRefused(
            _("Line %(line)s, position %(column)s cannot be read. The syntax is lavaan's, for instance: F1 =~ A1 + A2.")
            % {"line": error.line, "column": error.column}
        ) from error
    except AnalysisInputError as error:
        raise ModelRefused(_("This model cannot be fitted: check the lines you wrote.")) from error
    factors = {statement.lhs for statement in statements if statement.op == "=~"}
    if not factors:
        raise ModelRefused(_("The model has no factor: give at least one line with =~."))
    known = set(items) | factors
    named = {name for statement in statements for name in (statement.lhs, statement.rhs) if name and name != "1"}
    if unknown := sorted(named - known):
        raise ModelRefused(_("%(names)s: not a question of this study.") % {"names": ", ".join(unknown)})


def add_model(study: Study, name: str, syntax: str, estimator: str, reason: str, user: User | None) -> OwnModel:
    """Add a model and ask for a run that fits it; what was computed before is not computed again.

    Raises :class:`ModelRefused` without a plan or a reason, for a name in use, or where there are :data:`MOST` already.
    """
    if locked_plan(study) is None:
        raise ModelRefused(_("Lock the plan first: it says how the answers are analysed."))
    if not reason.strip():
        raise ModelRefused(_("Give a reason for this model."))
    if estimator not in ESTIMATORS:
        raise ModelRefused(_("Choose an estimator."))
    if OwnModel.objects.filter(study=study, removed_at__isnull=True).count() >= MOST:
        raise ModelRefused(_("There are already %(n)s models of your own: remove one first.") % {"n": MOST})
    try:
        with transaction.atomic():
            model = OwnModel.objects.create(
                study=study, name=name.strip(), syntax=syntax, estimator=estimator, reason=reason.strip(), added_by=user
            )
            history.record(study, Happened.MODEL_ADDED, by=user, detail=model.name)
    except IntegrityError as error:
        # own_model_name_once
        raise ModelRefused(_("There is already a model with this name: choose another name.")) from error
    request_run(Survey.objects.get(study=study))
    return model


def remove_model(model: OwnModel, user: User | None) -> bool:
    """Take a model out of later runs; it stays on record. Removing twice changes nothing."""
    with transaction.atomic():
        changed = OwnModel.objects.filter(pk=model.pk, removed_at__isnull=True).update(removed_at=timezone.now())
        if changed:
            history.record(model.study, Happened.MODEL_REMOVED, by=user, detail=model.name)
    return bool(changed)
