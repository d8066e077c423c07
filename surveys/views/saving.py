"""Public: the writes of the teacher's pages. JSON from their script, and the form of a step where no script runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import override
from django.views.decorators.http import require_POST

from surveys import devices, keys, page, submission
from surveys.answers import InvalidAnswers, background_answer, what_belongs_there
from surveys.definition import CHOICE, Definition, Question
from surveys.models import Collection
from surveys.questionnaires import definition_of
from surveys.submission import Outcome
from surveys.views import device
from surveys.views.teacher import is_form, language_of, nothing_open, respondent, see

MAX_BODY = 64 * 1024


@respondent
@require_POST
def answer_save(request: HttpRequest) -> HttpResponse:
    """JSON: the whole answers as number ``sequence``. The answer says what stands in the database."""
    return _written(request, submission.save)


@respondent
@require_POST
def answer_submit(request: HttpRequest) -> HttpResponse:
    """Hand in: JSON from the page's script, or the form of the last step."""
    if not is_form(request):
        return _written(request, submission.submit)
    return _step(request, hand_in=True)


@respondent
@require_POST
def answer_step(request: HttpRequest) -> HttpResponse:
    """The form of one step, from a browser without JavaScript: save what it holds, go where its button says."""
    return _step(request, hand_in=False)


def _step(request: HttpRequest, hand_in: bool) -> HttpResponse:
    key = request.POST.get("key", "")
    found = submission.find(key)
    if found is None:
        return nothing_open(request)
    survey = found.collection.survey
    definition = definition_of(survey.version)
    part, wrong = _answers_of(request, definition, survey.background)
    eligibility = request.POST.get(page.ELIGIBILITY, "")
    not_eligible = bool(eligibility) and eligibility not in definition.eligible_codes
    language = language_of(definition)
    try:
        written = submission.merge(
            key, part, eligibility=eligibility, language=language, hand_in=(hand_in and not wrong) or not_eligible
        )
    except InvalidAnswers:
        return HttpResponse("These answers do not belong to this questionnaire.", status=400, content_type="text/plain")
    if written.outcome == Outcome.UNKNOWN:
        return nothing_open(request)
    if written.outcome == Outcome.SUBMITTED:
        response = see(reverse("answer_done"))
    elif wrong and (again := submission.find(key)) is not None:
        with override(language):
            problems = {question.code: what_belongs_there(question) for question in wrong}
        typed = {code: request.POST[code] for code in problems}
        html = page.one_step_page(
            survey, language, again, _this_step(request), typed, problems, device.is_shared(request)
        )
        response = HttpResponse(html, status=422)
    else:
        response = see(f"{reverse('questionnaire')}?step={_next_step(request)}")
    device.remember_key(request, response, key)
    return response


def _this_step(request: HttpRequest) -> int:
    here = request.POST.get("step", "1")
    return int(here[:4]) if here.isascii() and here.isdigit() else 1


def _next_step(request: HttpRequest) -> int:
    moves = {"back": -1, "stay": 0, "next": 1}
    return max(
        _this_step(request) + moves.get(request.POST.get("go", "stay" if "language" in request.POST else "next"), 1), 1
    )


def _answers_of(
    request: HttpRequest, definition: Definition, background: list[str]
) -> tuple[dict[str, Any], list[Question]]:
    """The answers in a form, and the questions where something was typed that is no answer.

    Numbers for items, codes for choices; what was typed may be empty, and then it takes the answer away. Checked when they
    are written.
    """
    answers: dict[str, Any] = {}
    wrong: list[Question] = []
    for code in definition.item_codes:
        value = request.POST.get(code)
        if value:
            answers[code] = int(value) if value.isascii() and value.isdigit() else value
    for question in definition.asked_background(background):
        value = request.POST.get(question.code)
        if question.type == CHOICE:
            if value:
                answers[question.code] = value
        elif value is not None:
            if value.strip() and background_answer(question, value) is None:
                wrong.append(question)
            else:
                answers[question.code] = value
    return answers, wrong


def _written(request: HttpRequest, write: Callable[..., submission.Written]) -> JsonResponse:
    """Carry out a write asked for in JSON, and say what stands in the database now."""
    if is_form(request):
        return JsonResponse({"outcome": "invalid"}, status=400)
    try:
        if int(request.headers.get("Content-Length") or 0) > MAX_BODY:
            return JsonResponse({"outcome": "invalid"}, status=413)
        body = json.loads(request.body)
        if "parcel" in body:
            return _opened_parcel(body)
        written = write(
            str(body["key"]),
            body["sequence"],
            body["answers"],
            eligibility=body.get("eligibility") or "",
            language=str(body.get("language") or ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError):  # InvalidAnswers is a ValueError
        return JsonResponse({"outcome": "invalid"}, status=400)
    response = _as_json(written)
    if device.is_shared(request):  # at work: ten more minutes
        device.remember_key(request, response, str(body["key"]))
    return response


def _opened_parcel(body: dict[str, Any]) -> JsonResponse:
    """Hand in what a shared device locked while it had no network: its answers are laid over what was saved before."""
    collection = Collection.objects.filter(uid=UUID(body["collection"])).first()
    if collection is None:
        return _as_json(submission.Written(Outcome.UNKNOWN))
    try:
        inside = devices.open_parcel(collection, body["parcel"])
    except keys.KeyDestroyed:
        return _as_json(submission.Written(Outcome.UNKNOWN))
    written = submission.merge(
        str(inside["key"]),
        inside["answers"],
        eligibility=inside.get("eligibility") or "",
        language=str(inside.get("language") or ""),
        hand_in=True,
    )
    return JsonResponse({"outcome": written.outcome.value})  # nothing of what it holds


def _as_json(written: submission.Written) -> JsonResponse:
    return JsonResponse(
        {
            "outcome": written.outcome.value,
            "sequence": written.sequence,
            "answers": written.answers,
            "eligibility": written.eligibility,
        }
    )
