"""Researchers: templates to copy, and offering a questionnaire of the own group as one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from surveys.access import questionnaire_for_researcher
from surveys.forms.questionnaires import TemplateForm
from surveys.questionnaires import offering
from teams import access


@require_http_methods(["GET", "HEAD", "POST"])
def questionnaire_templates(request: HttpRequest) -> HttpResponse:
    """What may be copied; a POST copies one into a group."""
    user = access.researcher(request.user)
    groups = access.groups_of(user)
    form = TemplateForm(request.POST or None, groups=groups)
    if request.method == "POST" and form.is_valid():
        try:
            made = offering.copy(form.cleaned_data["template"], form.cleaned_data["group"], user)
        except offering.NotOffered:
            messages.error(request, _("This template is no longer offered. Nothing was copied."))
            return redirect("questionnaire_templates")
        messages.success(
            request, _("The questionnaire has been copied. The copy belongs to your group: change it as you like.")
        )
        return redirect("questionnaire_edit", made.pk)
    context = {"templates": offering.templates(groups), "form": form}
    return render(request, "surveys/questionnaire_templates.html", context)


@require_POST
def questionnaire_offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Offer a questionnaire to all groups; without ``offered`` it is taken back."""
    questionnaire = questionnaire_for_researcher(request.user, pk)
    if "offered" not in request.POST:
        offering.take_back(questionnaire)
        messages.success(request, _("Other groups can no longer copy it. Copies already made stay."))
    elif offering.offer(questionnaire):
        messages.success(request, _("All research groups can copy it now."))
    else:
        messages.error(request, _("Freeze a version first: that is what other groups copy."))
    return redirect("questionnaire_versions", pk)
