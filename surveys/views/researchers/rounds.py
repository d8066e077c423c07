"""Researchers: when the holders of personal links are reminded."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from surveys.forms.collecting import RoundForm
from surveys.linking import rounds
from surveys.models import Collection, Survey
from teams import access


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reminder_rounds(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    survey = Survey.objects.filter(study=study).first()
    if survey is None:
        return render(request, "surveys/reminder_rounds.html", {"study": study})
    form = RoundForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        if rounds.plan_round(survey, form.cleaned_data["due_at"], by=access.signed_in(request)):
            messages.success(request, _("The reminder is planned."))
        else:
            messages.warning(request, _("There is already a reminder at that time: choose another time."))
        return redirect("reminder_rounds", slug)
    context = {
        "study": study,
        "survey": survey,
        "form": form,
        "rounds": list(survey.reminder_rounds.all()),
        "n_teams": survey.collections.filter(state=Collection.State.OPEN, invitees__isnull=False).distinct().count(),
    }
    return render(request, "surveys/reminder_rounds.html", context)


@never_cache
@require_POST
def drop(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    survey = get_object_or_404(Survey, study=study)
    if rounds.drop_round(survey, pk, by=access.signed_in(request)):
        messages.success(request, _("The reminder is cancelled."))
    else:
        messages.warning(request, _("This reminder has already been sent, or somebody else has cancelled it."))
    return redirect("reminder_rounds", slug)
