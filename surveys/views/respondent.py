"""Public: the teacher's pages under /a/, from the code or the link to the thanks.

No session and no cookie authority: the response key in the body is the authority for every write, so these views are
csrf_exempt and check where a request comes from. Cookies only spare the teacher from typing: they are limited to /a/,
HttpOnly, and end with the browser. A GET writes nothing.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST, require_safe

from surveys import limits, links, page, submission
from surveys.answers import InvalidAnswers
from surveys.definition import Definition
from surveys.models import Collection, Invitee, Meeting, Response
from surveys.models.questionnaire import in_language
from surveys.questionnaires import definition_of
from surveys.submission import Outcome

ANSWER_COOKIE = "answer"
LINK_COOKIE = "link"
DEVICE_COOKIE = "device"
PATH = "/a/"
MAX_BODY = 64 * 1024
OWN_NAMES = ("localhost", "127.0.0.1", "::1")

View = Callable[..., HttpResponse]


def respondent(view: View) -> View:
    """Marks a public page of the teacher: in the language asked for, never stored, and no posts from other sites."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and _from_elsewhere(request):
            return HttpResponseForbidden("This request comes from another site.", content_type="text/plain")
        asked = request.GET.get("language") or (request.POST.get("language") if _is_form(request) else None)
        language = asked if asked in dict(settings.LANGUAGES) else (get_language() or settings.LANGUAGE_CODE)
        with override(language):
            response = view(request, *args, **kwargs)
        if asked == language:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                language,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                samesite="Lax",
            )
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return csrf_exempt(login_not_required(wrapped))


# ------------------------------------------------------------------------------------------------ welcome


@respondent
@require_safe
def join(request: HttpRequest) -> HttpResponse:
    """Type the code; the form comes back here with it and goes on to the meeting's welcome page."""
    code = submission.normal_code(request.GET.get("code", ""))
    if code:
        return _remember_device(request, HttpResponseRedirect(reverse("meeting_welcome", args=[code[:20]])))
    return _remember_device(
        request, render(request, "surveys/join.html", {"problem": "empty" if request.GET.get("code") else ""})
    )


@respondent
@require_safe
def meeting_welcome(request: HttpRequest, code: str) -> HttpResponse:
    meeting = _meeting(request, code)
    if isinstance(meeting, HttpResponse):
        return meeting
    return _welcome(request, meeting.collection, {"meeting": meeting, "offered": submission.offer_key(meeting)})


@respondent
@require_safe
def personal_link(request: HttpRequest, token: str) -> HttpResponse:
    """Opening a link writes and spends nothing, since mail scanners open links too: the token moves into a cookie."""
    response = HttpResponseRedirect(reverse("personal_welcome"))
    _set_cookie(response, LINK_COOKIE, token[:100])
    return response


@respondent
@require_safe
def personal_welcome(request: HttpRequest) -> HttpResponse:
    token = request.COOKIES.get(LINK_COOKIE, "")
    invitee = links.find_invitee(token)
    if invitee is None or invitee.collection.state == Collection.State.SEALED:
        return render(request, "surveys/link_ended.html", status=404)
    return _welcome(request, invitee.collection, {"invitee": invitee, "token": token})


@respondent
@require_POST
def answer_start(request: HttpRequest) -> HttpResponse:
    """Consent is given: the response begins, and its key goes into a cookie that only these pages see."""
    token = request.POST.get("link", "")
    source: Invitee | Meeting | HttpResponse | None
    source = links.find_invitee(token) if token else _meeting(request, request.POST.get("code", ""))
    if isinstance(source, HttpResponse):
        return source
    if source is None:
        return render(request, "surveys/link_ended.html", status=404)
    if request.POST.get("consent") != "yes":
        context = {"problem": "consent"}
        if isinstance(source, Invitee):
            return _welcome(request, source.collection, {**context, "invitee": source, "token": token}, status=400)
        offered = {"offered": request.POST.get("offered") or submission.offer_key(source)}
        return _welcome(request, source.collection, {**context, "meeting": source, **offered}, status=400)
    language = get_language() or ""
    try:
        if isinstance(source, Invitee):
            key = submission.start_by_link(source, language)
        else:
            key = submission.start_in_meeting(source, language, request.POST.get("offered", ""))
    except submission.Closed:
        return render(request, "surveys/link_ended.html", status=404)
    except submission.TooManyJoins:
        return render(request, "surveys/room_full.html", status=409)
    response = _see(reverse("questionnaire"))
    _set_cookie(response, ANSWER_COOKIE, key)
    return response


@respondent
@require_POST
def answer_opt_out(request: HttpRequest) -> HttpResponse:
    """No more mails to the address of this link."""
    invitee = links.find_invitee(request.POST.get("link", ""))
    if invitee is None:
        return render(request, "surveys/link_ended.html", status=404)
    links.opt_out(invitee)
    return _see(reverse("personal_welcome") + "?mails=stopped")


# ------------------------------------------------------------------------------------------------ answering


@respondent
@gzip_page
@require_safe
def questionnaire(request: HttpRequest) -> HttpResponse:
    """The whole questionnaire; with ``?step=n`` one step of it, for browsers without JavaScript."""
    found = submission.find(request.COOKIES.get(ANSWER_COOKIE, ""))
    if found is None:
        return render(request, "surveys/nothing_open.html", status=404)
    if found.state == Response.State.SUBMITTED:
        return _see(reverse("answer_done"))
    survey = found.collection.survey
    language = _language_of(definition_of(survey.version))
    step = request.GET.get("step", "")
    if step.isascii() and step.isdigit():
        return HttpResponse(page.one_step_page(survey, language, found, int(step[:4])))
    return HttpResponse(page.whole_page(survey, language, found))


@respondent
@require_POST
def answer_save(request: HttpRequest) -> HttpResponse:
    """JSON: the whole answers as number ``sequence``. The answer says what stands in the database."""
    return _written(request, submission.save)


@respondent
@require_POST
def answer_submit(request: HttpRequest) -> HttpResponse:
    """Hand in: JSON from the page's script, or the form of the last step."""
    if not _is_form(request):
        return _written(request, submission.submit)
    return _step(request, hand_in=True)


@respondent
@require_POST
def answer_step(request: HttpRequest) -> HttpResponse:
    """The form of one step, from a browser without JavaScript: save what it holds, go where its button says."""
    return _step(request, hand_in=False)


@respondent
@require_POST
def answer_delete(request: HttpRequest) -> HttpResponse:
    deleted = submission.delete(request.POST.get("key", ""))
    response = render(request, "surveys/deleted.html", {"deleted": deleted}, status=200 if deleted else 404)
    response.delete_cookie(ANSWER_COOKIE, path=PATH, samesite="Lax")
    return response


@respondent
@require_GET
def answer_done(request: HttpRequest) -> HttpResponse:
    """Thanks; and, until sealing, the way to delete the answers."""
    found = submission.find(request.COOKIES.get(ANSWER_COOKIE, ""))
    if found is None:
        return render(request, "surveys/done.html", {"language": get_language()})
    if found.state != Response.State.SUBMITTED:
        return _see(reverse("questionnaire"))
    survey = found.collection.survey
    definition = definition_of(survey.version)
    eligible = not found.eligibility or found.eligibility in definition.eligible_codes
    context = {
        "response": found,
        "study": survey.study,
        "eligible": eligible,
        "thanks": in_language(dict(definition.thanks), get_language()) if eligible else "",
    }
    return render(request, "surveys/done.html", context)


# ------------------------------------------------------------------------------------------------ parts of these views


def _welcome(request: HttpRequest, collection: Collection, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The welcome page; where this device began a response of this collection, with the way back to it."""
    survey = collection.survey
    definition = definition_of(survey.version)
    language = _language_of(definition)
    begun = submission.find(request.COOKIES.get(ANSWER_COOKIE, "")) if "invitee" not in context else None
    if begun is not None and begun.collection_id != collection.pk:
        begun = None
    with override(language):
        return render(
            request,
            "surveys/welcome.html",
            {
                "study": survey.study,
                "team": collection.participation.team,
                "definition": definition,
                "title": in_language(dict(definition.title), language),
                "intro": in_language(dict(definition.intro), language),
                "consent": in_language(dict(definition.consent), language),
                "closed": collection.state != Collection.State.OPEN,
                "begun": begun,
                # plain http is for a demo on a local network: browsers hold what works offline for secure origins
                "insecure": not request.is_secure() and urlsplit(f"//{request.get_host()}").hostname not in OWN_NAMES,
                "mails_stopped": request.GET.get("mails") == "stopped",
                **context,
            },
            status=status,
        )


def _meeting(request: HttpRequest, code: str) -> Meeting | HttpResponse:
    """The meeting that a code opens, or the page that says it opens none: wrong and closed read alike."""
    device = request.COOKIES.get(DEVICE_COOKIE, "")[:40]
    if not limits.may_try(request, device):
        return render(request, "surveys/join.html", {"problem": "limit"}, status=429)
    meeting = submission.join(code)
    if meeting is not None:
        return meeting
    limits.count_wrong(request, device)
    context = {"problem": "wrong", "code": submission.normal_code(code)[:20]}
    return _remember_device(request, render(request, "surveys/join.html", context, status=404))


def _step(request: HttpRequest, hand_in: bool) -> HttpResponse:
    key = request.POST.get("key", "")
    found = submission.find(key)
    if found is None:
        return render(request, "surveys/nothing_open.html", status=404)
    survey = found.collection.survey
    definition = definition_of(survey.version)
    part = _answers_of(request, definition, survey.background)
    eligibility = request.POST.get(page.ELIGIBILITY, "")
    not_eligible = bool(eligibility) and eligibility not in definition.eligible_codes
    language = _language_of(definition)
    try:
        written = submission.merge(
            key, part, eligibility=eligibility, language=language, hand_in=hand_in or not_eligible
        )
    except InvalidAnswers:
        return HttpResponse("These answers do not belong to this questionnaire.", status=400, content_type="text/plain")
    if written.outcome == Outcome.UNKNOWN:
        return render(request, "surveys/nothing_open.html", status=404)
    if written.outcome == Outcome.SUBMITTED:
        response = _see(reverse("answer_done"))
    else:
        response = _see(f"{reverse('questionnaire')}?step={_next_step(request)}")
    _set_cookie(response, ANSWER_COOKIE, key)
    return response


def _next_step(request: HttpRequest) -> int:
    here = request.POST.get("step", "1")
    number = int(here[:4]) if here.isascii() and here.isdigit() else 1
    moves = {"back": -1, "stay": 0, "next": 1}
    return max(number + moves.get(request.POST.get("go", "stay" if "language" in request.POST else "next"), 1), 1)


def _answers_of(request: HttpRequest, definition: Definition, background: list[str]) -> dict[str, Any]:
    """The answers in a form: numbers for items, codes for background questions. Checked when they are written."""
    answers: dict[str, Any] = {}
    for code in definition.item_codes:
        value = request.POST.get(code)
        if value:
            answers[code] = int(value) if value.isascii() and value.isdigit() else value
    for question in definition.asked_background(background):
        value = request.POST.get(question.code)
        if value:
            answers[question.code] = value
    return answers


def _written(request: HttpRequest, write: Callable[..., submission.Written]) -> JsonResponse:
    """Carry out a write asked for in JSON, and say what stands in the database now."""
    if _is_form(request):
        return JsonResponse({"outcome": "invalid"}, status=400)
    try:
        if int(request.headers.get("Content-Length") or 0) > MAX_BODY:
            return JsonResponse({"outcome": "invalid"}, status=413)
        body = json.loads(request.body)
        written = write(
            str(body["key"]),
            body["sequence"],
            body["answers"],
            eligibility=body.get("eligibility") or "",
            language=str(body.get("language") or ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError):  # InvalidAnswers is a ValueError
        return JsonResponse({"outcome": "invalid"}, status=400)
    return JsonResponse(
        {
            "outcome": written.outcome.value,
            "sequence": written.sequence,
            "answers": written.answers,
            "eligibility": written.eligibility,
        }
    )


def _language_of(definition: Definition) -> str:
    """The reader's language where the questionnaire has it, else its first."""
    language = get_language() or ""
    return language if language in definition.languages else definition.languages[0]


def _is_form(request: HttpRequest) -> bool:
    return request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data")


def _from_elsewhere(request: HttpRequest) -> bool:
    """Whether another site sent this. With no-referrer a form's origin is 'null', so only a real other one is refused."""
    site = request.headers.get("Sec-Fetch-Site", "")
    if site:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin", "")
    return origin not in ("", "null") and urlsplit(origin).netloc != request.get_host()


def _see(address: str) -> HttpResponse:
    """303: the browser fetches the address with GET, so that reload and back repeat nothing."""
    return HttpResponse(status=303, headers={"Location": address})


def _set_cookie(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, path=PATH, httponly=True, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax")


def _remember_device(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A random cookie on which wrong codes are counted, so that one address may hold a whole room."""
    if DEVICE_COOKIE not in request.COOKIES:
        _set_cookie(response, DEVICE_COOKIE, secrets.token_urlsafe(12))
    return response
