"""Researchers: which questionnaire a study asks, chosen before it opens; scales and items in both languages."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from surveys.forms.collecting import ChooseForm
from surveys.models import Survey
from surveys.questionnaires import offering, publishing
from teams import access
from teams.forms.filled import hold
from teams.models import Study


@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    hold(request, study)
    survey = Survey.objects.filter(study=study).select_related("version__questionnaire").first()
    if "begin" in request.POST:
        return _begin_with(request, study)
    versions = publishing.newest_versions(study.group_id)
    if survey is not None and survey.version not in versions:
        versions.insert(0, survey.version)
    form = ChooseForm(
        request.POST if request.method == "POST" else None,
        versions=versions,
        chosen=survey.background if survey else [],
        initial={"version": survey.version_id if survey else None},
    )
    if form.is_bound and form.is_valid():
        version = form.cleaned_data["version"]
        if publishing.choose(study, version, form.background(), by=access.signed_in(request)):
            messages.success(request, _("The questionnaire of this study is chosen."))
        else:
            messages.error(request, _("The questionnaire is open, so it can no longer be changed."))
        return redirect("questionnaire_choose", slug)
    shown = [(version, publishing.definition_of(version)) for version in versions]
    context = {
        "study": study,
        "survey": survey,
        "form": form,
        "shown": shown,
        "chosen": str(form["version"].value() or ""),
        "is_open": survey is not None and survey.opened_at is not None,
        "templates": [] if shown else offering.shipped_templates(),
    }
    return render(request, "surveys/questionnaire_choose.html", context)


def _begin_with(request: HttpRequest, study: Study) -> HttpResponse:
    """The button of a group that has no questionnaire: one that comes with the product, to choose from here on."""
    try:
        made = offering.begin_with(request.POST["begin"], study.group, access.signed_in(request))
    except offering.NotOffered:
        messages.error(request, _("This template is no longer offered. Nothing was copied."))
    else:
        if made is None:
            messages.info(
                request, _("Your group already has a questionnaire. Freeze a version of it, and choose it here.")
            )
        else:
            messages.success(
                request, _("The questionnaire is your group's own now. Choose it for this study, and save.")
            )
    return redirect("questionnaire_choose", study.slug)
