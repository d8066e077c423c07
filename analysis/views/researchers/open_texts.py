"""Researchers: open answers, reviewed one by one after sealing, and the file of what may be shown."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analysis.data import open_texts
from analysis.exports.result_tables import csv_lines
from analysis.history import Happened
from surveys.models import Survey
from surveys.models.questionnaire import in_language
from surveys.questionnaires.definition import LONGEST_ANSWER
from surveys.questionnaires.publishing import definition_of
from teams import access, history
from teams.views.employment import for_no_colleague

AT_ONCE = 10
#: Letters of a line in the field of a text on a phone: whoever reviews sees the whole text at once.
LINE = 36


@require_safe
@for_no_colleague
def open_texts_page(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    survey = Survey.objects.select_related("version", "study").filter(study=study).first()
    questions = definition_of(survey.version).background if survey else ()
    words = {question.code: in_language(dict(question.text)) for question in questions}
    texts = open_texts.texts_of(survey) if survey else []
    context = {
        "study": study,
        "parts": [
            (part, words[part.question], [(answer, _rows(answer.text)) for answer in part.waiting[:AT_ONCE]])
            for part in texts
        ],
        "n_shown": sum(len(part.shown) for part in texts),
        "longest": LONGEST_ANSWER,
    }
    return render(request, "analysis/open_texts.html", context)


def _rows(text: str) -> int:
    """The height of a text's field."""
    return 1 + sum(1 + len(line) // LINE for line in text.splitlines() or [""])


@require_POST
@for_no_colleague
def open_text_review(request: HttpRequest, slug: str) -> HttpResponse:
    """A verdict on one text, or taking it back."""
    study = access.study_for_researcher(request.user, slug)
    survey = get_object_or_404(Survey.objects.select_related("version", "study"), study=study)
    handle, action = request.POST.get("handle", ""), request.POST.get("action", "")
    user = access.signed_in(request)
    try:
        if action == "again":
            open_texts.review_again(survey, handle, user)
            messages.success(request, _("This text is waiting to be reviewed again."))
        else:
            text = request.POST.get("text", "") if action == "show" else ""
            row = open_texts.review(survey, handle, text, user)
            messages.success(request, _("This text %(verdict)s.") % {"verdict": row.get_verdict_display()})
    except open_texts.NotThere:
        messages.error(request, _("Somebody else has reviewed this text in the meantime."))
    return redirect("open_texts", slug)


@require_safe
@for_no_colleague
def open_texts_file(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """What may be shown as CSV: question and text, nothing else. Who took it stands in the history."""
    study = access.study_for_researcher(request.user, slug)
    survey = get_object_or_404(Survey.objects.select_related("version", "study"), study=study)
    history.record(study, Happened.TEXTS_DOWNLOADED, by=access.signed_in(request))
    answer = StreamingHttpResponse(csv_lines(open_texts.rows(survey)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{slug}-open-answers.csv"'
    answer["Cache-Control"] = "no-store"
    return answer
