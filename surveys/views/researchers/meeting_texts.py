"""Researchers: what is read aloud in the meetings of a study and what people ask there, in both languages with a preview."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from surveys.collecting import meeting_texts
from surveys.forms.collecting import MeetingTextsForm
from surveys.models import Survey
from teams import access
from teams.forms.filled import hold


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def texts(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    survey = Survey.objects.filter(study=study).first()
    if survey is None:
        return render(request, "surveys/meeting_texts.html", {"study": study})
    hold(request, survey)
    form = MeetingTextsForm(request.POST if request.method == "POST" else None, survey=survey)
    sound = not form.is_bound or form.is_valid()
    if form.is_bound and sound and "preview" not in request.POST:
        if meeting_texts.change(survey, form.texts(), by=access.signed_in(request)):
            messages.success(request, _("The texts have been saved. From now on, whoever leads a meeting sees them."))
        else:
            messages.info(request, _("Nothing was changed."))
        return redirect("meeting_texts", slug)
    shown = form.texts() if sound and form.is_bound else form.stored()
    preview = []
    for language in meeting_texts.languages():
        with override(language):
            team = _("the name of the team")
            aloud = shown[meeting_texts.BRIEFING, language]
            briefing = meeting_texts.briefing(aloud, study, team, mirror=survey.mirror)
        questions = meeting_texts.asked(shown[meeting_texts.QUESTIONS, language], study, team)
        preview.append({"language": language, "briefing": briefing, "questions": questions})
    context = {"study": study, "survey": survey, "form": form, "preview": preview, "unsaved": form.is_bound}
    return render(request, "surveys/meeting_texts.html", context)
