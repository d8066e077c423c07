"""Public: the writes of the teacher's pages. JSON from their script, and the form of a step where no script runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import override
from django.views.decorators.http import require_POST

from surveys.answering import devices, page, submission
from surveys.answering.answers import InvalidAnswers, background_answer, what_belongs_there
from surveys.answering.handles import handle_of
from surveys.answering.submission import Outcome
from surveys.keys import collection_keys
from surveys.models import Collection, Response
from surveys.questionnaires.definition import CHOICE, Definition, Question
from surveys.questionnaires.publishing import definition_of
from surveys.views.teachers import device
from surveys.views.teachers.requests import is_form, nothing_open, respondent, see
from teams.base.numbers import whole_number
from teams.models.languages import language_of

MAX_BODY = 64 * 1024
KEY = re.compile(r"[\w-]{1,43}", re.ASCII)
ECHO = re.compile(r"[0-9-]{1,40}")
# The key of another response than that of the address: nothing is written, and the device forgets nothing
OTHER = {"outcome": "other"}
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError)  # InvalidAnswers is a ValueError


@respondent
@require_POST
def answer_save(request: HttpRequest, handle: str = "") -> HttpResponse:
    """JSON: the whole answers as number ``sequence``. The answer says what stands in the database."""
    return _written(request, handle, submission.save)


@respondent
@require_POST
def answer_submit(request: HttpRequest, handle: str = "") -> HttpResponse:
    """Hand in: JSON from the page's script, or the form of the last step."""
    if not is_form(request):
        return _written(request, handle, submission.submit)
    return _step(request, handle, hand_in=True)


@respondent
@require_POST
def answer_step(request: HttpRequest, handle: str = "") -> HttpResponse:
    """The form of one step, from a browser without JavaScript: save what it holds, go where its button says."""
    return _step(request, handle, hand_in=False)


def delete_in_json(request: HttpRequest, handle: str) -> JsonResponse:
    """Delete by the key, for the page's script, which forgets its own copy only when it has this answer."""
    body: Any = None
    try:
        body = json.loads(request.body)
        key = _key(body["key"])
    except MALFORMED:
        return _ours(body, {"outcome": "invalid"}, 400)
    if handle and handle_of(key) != handle:
        return _ours(body, OTHER, 409)
    response = _ours(body, {"outcome": "deleted" if submission.delete(key) else Outcome.UNKNOWN.value})
    device.forget_key(response, handle_of(key))
    device.forget_begun(request, response, handle_of(key))
    return response


def _step(request: HttpRequest, handle: str, hand_in: bool) -> HttpResponse:
    key = request.POST.get("key", "")
    handle = handle or handle_of(key)
    if handle_of(key) != handle:
        return nothing_open(request)
    stored_response = submission.find(key)
    if stored_response is None:
        return nothing_open(request, handle)
    survey = stored_response.collection.survey
    definition = definition_of(survey.version)
    part, wrong = _answers_of(request, definition, survey.background)
    eligibility = request.POST.get(page.ELIGIBILITY, "")
    not_eligible = bool(eligibility) and eligibility not in definition.eligible_codes
    language = language_of(definition.languages)
    try:
        written = submission.merge(
            key, part, eligibility=eligibility, language=language, hand_in=(hand_in and not wrong) or not_eligible
        )
    except InvalidAnswers:
        return HttpResponse("These answers do not belong to this questionnaire.", status=400, content_type="text/plain")
    if written.outcome == Outcome.UNKNOWN:
        return nothing_open(request, handle)
    if written.outcome == Outcome.SUBMITTED:
        response = see(reverse("answer_done", args=[handle]))
    elif wrong and (again := submission.find(key)) is not None and again.state != Response.State.SUBMITTED:
        with override(language):
            problems = {question.code: what_belongs_there(question) for question in wrong}
        typed = {code: request.POST[code] for code in problems}
        html = page.one_step_page(
            survey, language, again, _this_step(request), typed, problems, device.is_shared(request)
        )
        return HttpResponse(html, status=422)  # it has the key
    elif "step" not in request.POST:
        response = see(device.pages_of(handle))  # the way back that welcome pages of releases before show
    else:
        response = see(f"{device.pages_of(handle)}?step={_next_step(request)}")
    device.hold_key(request, response, key)
    return response


def _this_step(request: HttpRequest) -> int:
    return whole_number(request.POST.get("step")) or 1


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
            answers[code] = value if (number := whole_number(value)) is None else number
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


def _written(request: HttpRequest, handle: str, write: Callable[..., submission.Written]) -> JsonResponse:
    """Carry out a write asked for in JSON, and say what stands in the database now."""
    body: Any = None
    if is_form(request):
        return _ours(body, {"outcome": "invalid"}, 400)
    try:
        if len(request.body) > MAX_BODY:
            return _ours(body, {"outcome": "invalid"}, 413)
        body = json.loads(request.body)
        if "parcel" in body:
            return _opened_parcel(body)
        key = _key(body["key"])
        if handle and handle_of(key) != handle:
            return _ours(body, OTHER, 409)
        written = _once_more(
            write,
            key,
            body["sequence"],
            body["answers"],
            eligibility=body.get("eligibility") or "",
            language=str(body.get("language") or ""),
        )
    except MALFORMED:
        return _ours(body, {"outcome": "invalid"}, 400)
    response = _as_json(body, written)
    if written.outcome == Outcome.SUBMITTED and device.is_shared(request):  # the thanks come next
        device.hold_key(request, response, key)
    return response


def _once_more(write: Callable[..., submission.Written], *given: Any, **named: Any) -> submission.Written:
    """Write; once more where the line to the database broke meanwhile. The same number again changes nothing twice."""
    try:
        return write(*given, **named)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or connection.is_usable():
            raise  # the line is there: it was something else, and the page tries again by itself
        connection.close()
        return write(*given, **named)


def _key(value: Any) -> str:
    """A response's key as this server makes them; anything else need not be looked up. :raises ValueError: for that"""
    if not isinstance(value, str) or not KEY.fullmatch(value):
        raise ValueError("key")
    return value


def _opened_parcel(body: dict[str, Any]) -> JsonResponse:
    """Hand in what a shared device locked while it had no network: its answers are laid over what was saved before."""
    collection = Collection.objects.filter(uid=UUID(body["collection"])).first()
    if collection is None:
        return _as_json(body, submission.Written(Outcome.UNKNOWN))
    try:
        inside = devices.open_parcel(collection, body["parcel"])
    except collection_keys.KeyDestroyed:
        collection.refresh_from_db(fields=["state", "sealing"])
        if collection.state != Collection.State.SEALED and not collection.sealing:
            return JsonResponse({}, status=503)  # a key that is away may come back: the device keeps it and tries again
        return _as_json(body, submission.Written(Outcome.UNKNOWN))
    written = submission.merge(
        _key(inside["key"]),
        inside["answers"],
        eligibility=inside.get("eligibility") or "",
        language=str(inside.get("language") or ""),
        hand_in=True,
    )
    return _ours(body, {"outcome": written.outcome.value})  # nothing of what it holds, a draft's neither


def _as_json(asked: Any, written: submission.Written) -> JsonResponse:
    """Of what was handed in, deleted or sealed the outcome alone."""
    said: dict[str, Any] = {"outcome": written.outcome.value}
    if written.outcome in (Outcome.SAVED, Outcome.CONFLICT):
        said |= {"sequence": written.sequence, "answers": written.answers, "eligibility": written.eligibility}
    return _ours(asked, said)


def _ours(asked: Any, said: dict[str, Any], status: int = 200) -> JsonResponse:
    """An answer that the page knows to be ours, as no proxy, filter or cache can send it: with the random ``echo`` that this
    one request asked with. The page forgets answers for no other; whatever lacks it, it takes for no answer."""
    echo = asked.get("echo") if isinstance(asked, dict) else None
    if isinstance(echo, str) and ECHO.fullmatch(echo):
        said = {**said, "echo": echo}
    return JsonResponse(said, status=status)
