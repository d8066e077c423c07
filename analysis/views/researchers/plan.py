"""A locked plan: change it with a reason, and take it along as a document for a preregistration."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis.forms.plan import AmendmentForm
from analysis.models import AnalysisPlan, AnalysisRun
from analysis.plan.plans import amend_plan, document_of, locked_plan, rules
from analysis.runs import execution
from surveys.models import Survey
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import definition_of
from teams import access
from teams.forms.filled import hold
from teams.models import Study


@require_http_methods(["GET", "HEAD", "POST"])
def plan_amend(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the plan in force: another plan, with its reason. Results made before keep the plan that made them."""
    study = access.study_for_researcher(request.user, slug)
    hold(request, study)
    plan = locked_plan(study)
    survey = Survey.objects.select_related("version", "study").filter(study=study).first()
    if plan is None or survey is None:
        messages.info(request, _("There is no locked plan yet, so there is nothing to change."))
        return redirect("plan", slug)
    names = {scale.code: in_language(dict(scale.name)) for scale in definition_of(survey.version).scales}
    form = AmendmentForm(request.POST or None, content=plan.content, names=names)
    if request.method == "POST" and form.is_valid():
        try:
            amended = amend_plan(study, form.amended, form.cleaned_data["reason"], access.signed_in(request))
        except ValueError as refusal:
            form.add_error(None, str(refusal))
        else:
            if AnalysisRun.objects.filter(survey=survey).exists():
                execution.request_run(survey)
            messages.success(
                request, _("Plan %(n)s now applies. The analysis is being run again.") % {"n": amended.number}
            )
            return redirect("plan", slug)
    return render(
        request,
        "analysis/plan_amend.html",
        {"study": study, "plan": plan, "form": form, "n_runs": plan.runs.count()},
    )


@require_safe
def plan_document(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A plan to read, print and file with a registry."""
    study = access.study_for_researcher(request.user, slug)
    plan = _plan(study, number)
    version = get_object_or_404(Survey.objects.select_related("version__questionnaire"), study=study).version
    definition = definition_of(version)
    return render(
        request,
        "analysis/plan_document.html",
        {
            "study": study,
            "plan": plan,
            "rules": rules(plan.content),
            "names": {scale.code: in_language(dict(scale.name)) for scale in definition.scales},
            "questionnaire": in_language(dict(definition.title)),
            "questionnaire_hash": plan.content.get("questionnaire", version.content_hash),
            "scales": [
                (
                    scale.code,
                    in_language(dict(scale.name)),
                    in_language(dict(scale.meaning)),
                    [(item, in_language(dict(item.text))) for item in scale.items],
                )
                for scale in definition.scales
            ],
        },
    )


@require_safe
def plan_json(request: HttpRequest, slug: str, number: int) -> JsonResponse:
    """A plan as data, with the hash that anybody can compute again."""
    study = access.study_for_researcher(request.user, slug)
    answer = JsonResponse(document_of(_plan(study, number)), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{slug}-plan-{number}.json"'
    return answer


def _plan(study: Study, number: int) -> AnalysisPlan:
    plans = AnalysisPlan.objects.filter(locked_at__isnull=False).select_related("study", "locked_by")
    return get_object_or_404(plans, study=study, number=number)
