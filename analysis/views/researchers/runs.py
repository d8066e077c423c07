"""The researcher's analysis: the plan, opening the survey, runs with their progress, decisions."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from analysis.choices import decisions as deciding
from analysis.data.accounting import held_by
from analysis.data.moved_on import moved_on
from analysis.forms.decisions_and_import import DECISION_FORMS, DecisionForm
from analysis.forms.plan import OpenForm
from analysis.models import AnalysisPlan, AnalysisRun, Decision
from analysis.plan.plans import default_plan, has_imported, lock_plan, locked_plan, rules
from analysis.results.run_words import failure_in_words, state_in_words, step_in_words
from analysis.runs import execution as running
from surveys.collecting import collections
from surveys.models import Survey
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import definition_of
from surveys.views.researchers.overview import not_opened
from teams import access
from teams.models import Participation, Study


@require_safe
def plan(request: HttpRequest, slug: str) -> HttpResponse:
    """The rules of the analysis: locked, or as they will be locked when the survey opens."""
    study = access.study_for_researcher(request.user, slug)
    return _plan_page(request, study, _survey(study))


def _plan_page(
    request: HttpRequest, study: Study, survey: Survey | None, refused: OpenForm | None = None
) -> HttpResponse:
    """The page of the plan, where it is not locked yet with the form that opens; or with that as it was ``refused``."""
    plans = list(AnalysisPlan.objects.filter(study=study).select_related("locked_by").order_by("-number"))
    content: dict[str, Any] | None = None
    if plans:
        content = plans[0].content
    elif survey is not None:
        content = default_plan(definition_of(survey.version), study.k)
    accepted = Participation.objects.filter(study=study, state=Participation.State.ACCEPTED).count()
    return render(
        request,
        "analysis/plan.html",
        {
            "study": study,
            "survey": survey,
            "plans": plans,
            "imported": has_imported(study),
            "plan": plans[0] if plans else None,
            "rules": rules(content) if content else None,
            "names": _scale_names(survey),
            "n_accepted": accepted,
            "form": refused or (OpenForm(content=content) if content and not plans else None),
        },
    )


@require_POST
def survey_open(request: HttpRequest, slug: str) -> HttpResponse:
    """Lock the plan and open the survey; its teams after that, outside this transaction: nobody waits for all of them."""
    study = access.study_for_researcher(request.user, slug)
    survey = _survey(study)
    if survey is None:
        messages.error(request, _("Choose a questionnaire first."))
        return redirect("plan", slug)
    user, locked = access.signed_in(request), locked_plan(study)
    form = OpenForm(request.POST, content=default_plan(definition_of(survey.version), study.k))
    try:
        collections.may_open(study)  # before the plan is locked for it
        if locked is None:  # else opening was interrupted after that
            if not form.is_valid():
                return _plan_page(request, study, survey, form)
            locked = lock_plan(study, user, form.chosen, mirror=form.cleaned_data["mirror"])
        collections.begin(survey, locked.content_hash, by=user, mirror=rules(locked.content).mirror)
    except collections.NotReady as error:
        messages.error(request, str(error))
    else:
        transaction.on_commit(partial(_open_teams, request, study), robust=True)
    return redirect("plan", slug)


def _open_teams(request: HttpRequest, study: Study) -> None:
    collections.open_missing(study)
    n = collections.n_open(study)
    messages.success(
        request,
        ngettext(
            "The questionnaire is open, for %(n)s team so far. A team that accepts later is added automatically.",
            "The questionnaire is open, for %(n)s teams so far. A team that accepts later is added automatically.",
            n,
        )
        % {"n": n},
    )
    if missing := collections.not_open(study).count():
        messages.error(request, not_opened(missing))


# ------------------------------------------------------------------------------------------------ runs
@require_safe
def runs(request: HttpRequest, slug: str) -> HttpResponse:
    """All runs of a study, newest first."""
    study = access.study_for_researcher(request.user, slug)
    runs = AnalysisRun.objects.filter(survey__study=study).select_related("plan", "publication").defer("counts")
    rows = runs.annotate(n_analysed=F("counts__analysed"))
    return render(
        request,
        "analysis/runs.html",
        {
            "study": study,
            "rows": [(run, state_in_words(run)) for run in rows],
            "plan": locked_plan(study),
        },
    )


@require_POST
def run_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a run."""
    study = access.study_for_researcher(request.user, slug)
    survey = get_object_or_404(Survey, study=study)
    try:
        run = running.request_run(survey)
    except running.NoPlan:
        messages.error(request, _("Lock the plan first: it says how the answers are analysed."))
        return redirect("plan", slug)
    return redirect("run", slug, run.pk)


@require_safe
def run(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One run: how far it is, what it set aside, which versions computed. Asks itself again while it is not finished."""
    study, row = _run(request, slug, pk)
    finished = row.state not in (AnalysisRun.State.QUEUED, AnalysisRun.State.RUNNING)
    steps = [(step, step_in_words(step.name)) for step in row.steps.defer("staged")]
    held = held_by(row) if row.state == AnalysisRun.State.DONE else None
    context = {
        "study": study,
        "run": row,
        "held": held,
        "moved_on": moved_on(held) if held else (),
        "state": state_in_words(row),
        "failure": failure_in_words(row),
        "finished": finished,
        "steps": steps,
    }
    if request.headers.get("HX-Request"):
        response = render(request, "analysis/run_progress.html", context)
        if finished:
            response["HX-Refresh"] = "true"  # the whole page has more to say now
        return response
    return render(request, "analysis/run.html", context)


@require_POST
def run_cancel(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Stop a run that is not finished; nothing of it is kept."""
    _study, row = _run(request, slug, pk)
    if running.cancel(row):
        messages.success(request, _("The analysis has been cancelled."))
    else:
        messages.warning(request, _("This analysis was finished already."))
    return redirect("run", slug, pk)


# ------------------------------------------------------------------------------------------------ decisions
def decisions(request: HttpRequest, slug: str) -> HttpResponse:
    """What was decided about scales and questions, with the reasons, and the forms to decide."""
    study = access.study_for_researcher(request.user, slug)
    forms = _decision_forms(study)
    if request.method == "POST" and (chosen := forms.get(request.POST.get("kind", ""))):
        form = _form_of(chosen, request)
        forms[chosen.kind] = form
        if form.is_valid():
            try:
                deciding.decide(
                    study,
                    form.kind,
                    form.cleaned_data["subject"],
                    form.target,
                    form.cleaned_data["reason"],
                    access.signed_in(request),
                )
            except deciding.DecisionRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, _("Recorded. The analysis is being run again with this decision."))
                return redirect("decisions", slug)
    rows = Decision.objects.filter(study=study).select_related("decided_by")
    return render(
        request,
        "analysis/decisions.html",
        {
            "study": study,
            "rows": rows,
            "forms": forms,
            "final": next(iter(forms.values())).scales if forms else (),
            "run": _last_done(study),
        },
    )


@require_POST
def decision_undo(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Undo a decision that no publication uses."""
    study = access.study_for_researcher(request.user, slug)
    decision = get_object_or_404(Decision.objects.select_related("study"), study=study, pk=pk)
    try:
        deciding.undo(decision, access.signed_in(request))
    except deciding.DecisionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Undone. The analysis is being run again without this decision."))
    return redirect("decisions", slug)


def _decision_forms(study: Study) -> dict[str, DecisionForm]:
    """The empty forms over the scales that stand; none while there is no plan."""
    plan = locked_plan(study)
    if plan is None:
        return {}
    scales = deciding.final_scales(plan, deciding.standing(study))
    names = _scale_names(_survey(study))
    return {kind: form(prefix=kind, scales=scales, names=names) for kind, form in DECISION_FORMS.items()}


def _form_of(empty: DecisionForm, request: HttpRequest) -> DecisionForm:
    return type(empty)(request.POST, prefix=empty.prefix, scales=empty.scales, names=empty.names)


def _run(request: HttpRequest, slug: str, pk: int) -> tuple[Study, AnalysisRun]:
    study = access.study_for_researcher(request.user, slug)
    rows = AnalysisRun.objects.select_related("plan", "survey__version").defer("counts")
    row = get_object_or_404(rows, survey__study=study, pk=pk)
    return study, row


def _last_done(study: Study) -> AnalysisRun | None:
    return AnalysisRun.objects.done_of(study.pk).defer("counts").first()


def _survey(study: Study) -> Survey | None:
    return Survey.objects.select_related("version__questionnaire", "study").filter(study=study).first()


def _scale_names(survey: Survey | None) -> dict[str, str]:
    """The scales' names in the reader's language."""
    if survey is None:
        return {}
    return {scale.code: in_language(dict(scale.name)) for scale in definition_of(survey.version).scales}
