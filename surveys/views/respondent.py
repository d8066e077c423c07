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
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language, override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST, require_safe

from surveys import devices, keys, limits, links, page, remembered, submission
from surveys.answers import InvalidAnswers, background_answer, what_belongs_there
from surveys.definition import CHOICE, Definition, Question
from surveys.models import Collection, Invitee, Meeting, Response
from surveys.models.questionnaire import in_language
from surveys.questionnaires import definition_of
from surveys.slotted import Slotted
from surveys.submission import Outcome
from surveys.views import device
from surveys.views.device import ANSWER_COOKIE, set_cookie

LINK_COOKIE = "link"
DEVICE_COOKIE = "device"
OFFERED_SLOT = "@@OFFERED@@"
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
@gzip_page
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
@gzip_page
@require_safe
def meeting_welcome(request: HttpRequest, code: str) -> HttpResponse:
    meeting = _meeting(request, code)
    if isinstance(meeting, HttpResponse):
        return meeting
    shared = request.GET.get("shared", "yes" if device.is_shared(request) else "no") != "no"
    begun = _begun(request, meeting.collection, shared)
    if begun is None:
        response = _welcome_of_room(request, meeting, shared)
    else:
        context = {"meeting": meeting, "offered": submission.offer_key(meeting), "shared": shared, "begun": begun}
        response = _welcome(request, meeting.collection, context)
    device.share(request, response, meeting.code)
    return response


@respondent
@require_safe
def personal_link(request: HttpRequest, token: str) -> HttpResponse:
    """Opening a link writes and spends nothing, since mail scanners open links too: the token moves into a cookie."""
    response = HttpResponseRedirect(reverse("personal_welcome"))
    set_cookie(response, LINK_COOKIE, token[:100])
    return response


@respondent
@gzip_page
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
        context: dict[str, Any] = {"problem": "consent"}
        if isinstance(source, Invitee):
            return _welcome(request, source.collection, {**context, "invitee": source, "token": token}, status=400)
        shared = device.is_shared(request)
        offered = request.POST.get("offered") or submission.offer_key(source)
        context |= {"meeting": source, "offered": offered, "shared": shared}
        context["begun"] = _begun(request, source.collection, shared)
        return _welcome(request, source.collection, context, status=400)
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
    device.remember_key(request, response, key)
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
    """The whole questionnaire; with ``?step=n`` one step of it, for browsers without JavaScript.

    With ``?blank=language`` the page without key and answers, which the device keeps for when there is no network.
    """
    key = request.COOKIES.get(ANSWER_COOKIE, "")
    found = submission.open_draft(key) or submission.find(key)
    if found is None:
        return _nothing_open(request)
    if found.state == Response.State.SUBMITTED:
        return _see(reverse("answer_done"))
    survey = found.collection.survey
    language = _language_of(definition_of(survey.version))
    lock = device.lock_for(request, found.collection)
    if (blank := request.GET.get("blank")) in dict(settings.LANGUAGES):
        return _filled(request, *page.whole_page(survey, blank, None, lock))
    step = request.GET.get("step", "")
    if step.isascii() and step.isdigit():
        return HttpResponse(page.one_step_page(survey, language, found, int(step[:4]), shared=lock is not None))
    return _filled(request, *page.whole_page(survey, language, found, lock))


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
    context = {"deleted": deleted, "shared": device.is_shared(request)}
    response = render(request, "surveys/deleted.html", context, status=200 if deleted else 404)
    device.forget_key(response)
    return response


@respondent
@require_POST
def answer_next(request: HttpRequest) -> HttpResponse:
    """Next person: a shared device forgets who used it, and shows the welcome page."""
    response = _see(device.shared_welcome(code) if (code := device.shared_code(request)) else reverse("join"))
    device.forget_key(response)
    return response


@respondent
@require_GET
def answer_done(request: HttpRequest) -> HttpResponse:
    """Thanks; and, until sealing, the way to delete the answers."""
    found = submission.find(request.COOKIES.get(ANSWER_COOKIE, ""))
    if found is None and device.is_shared(request):
        return _nothing_open(request)
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
        "shared": device.is_shared(request),
    }
    response = render(request, "surveys/done.html", context)
    if context["shared"]:
        device.forget_key(response)
    return response


# ------------------------------------------------------------------------------------------------ parts of these views


def _welcome(request: HttpRequest, collection: Collection, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(_welcome_html(request, collection, context), status=status)


def _welcome_of_room(request: HttpRequest, meeting: Meeting, shared: bool) -> HttpResponse:
    """The welcome page that a whole room opens: made once, with a slot for the response key that it offers."""
    room = remembered.room(meeting.collection.uid)
    assert room is not None
    shown = ("welcome", get_language(), _is_insecure(request), shared, request.GET.get("mails") == "stopped")
    made = room.pages.get(shown)
    if made is None:
        context = {"meeting": meeting, "offered": OFFERED_SLOT, "shared": shared}
        made = room.pages[shown] = Slotted(_welcome_html(request, meeting.collection, context), OFFERED_SLOT)
    return _filled(request, made, {OFFERED_SLOT: submission.offer_key(meeting).encode()})


def _welcome_html(request: HttpRequest, collection: Collection, context: dict[str, Any]) -> str:
    survey = collection.survey
    definition = definition_of(survey.version)
    language = _language_of(definition)
    with override(language):
        return render_to_string(
            "surveys/welcome.html",
            {
                "study": survey.study,
                "collection": collection,
                "team": collection.participation.team,
                "definition": definition,
                "title": in_language(dict(definition.title), language),
                "intro": in_language(dict(definition.intro), language),
                "consent": in_language(dict(definition.consent), language),
                "closed": collection.state != Collection.State.OPEN,
                "insecure": _is_insecure(request),
                "mails_stopped": request.GET.get("mails") == "stopped",
                **context,
            },
            request,
        )


def _begun(request: HttpRequest, collection: Collection, shared: bool) -> Response | None:
    """The response of this collection that this device began."""
    begun = submission.find(request.COOKIES.get(ANSWER_COOKIE, ""))
    if begun is None or begun.collection_id != collection.pk:
        return None
    return None if shared and begun.state == Response.State.SUBMITTED else begun


def _is_insecure(request: HttpRequest) -> bool:
    """Plain http is for a demo on a local network: browsers hold what works offline for secure origins."""
    return not request.is_secure() and urlsplit(f"//{request.get_host()}").hostname not in OWN_NAMES


def _filled(request: HttpRequest, made: Slotted, values: dict[str, bytes]) -> HttpResponse:
    """A page with its slots filled, compressed for who takes that."""
    gzip = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    response = HttpResponse(made.gzipped(values) if gzip else made.plain(values), headers={"Vary": "Accept-Encoding"})
    if gzip:
        response["Content-Encoding"] = "gzip"
    return response


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


def _nothing_open(request: HttpRequest) -> HttpResponse:
    """This device has no response; a shared one goes back to the welcome page, so that back shows nothing of before."""
    if code := device.shared_code(request):
        return HttpResponseRedirect(device.shared_welcome(code))
    return render(request, "surveys/nothing_open.html", status=404)


def _step(request: HttpRequest, hand_in: bool) -> HttpResponse:
    key = request.POST.get("key", "")
    found = submission.find(key)
    if found is None:
        return render(request, "surveys/nothing_open.html", status=404)
    survey = found.collection.survey
    definition = definition_of(survey.version)
    part, wrong = _answers_of(request, definition, survey.background)
    eligibility = request.POST.get(page.ELIGIBILITY, "")
    not_eligible = bool(eligibility) and eligibility not in definition.eligible_codes
    language = _language_of(definition)
    try:
        written = submission.merge(
            key, part, eligibility=eligibility, language=language, hand_in=(hand_in and not wrong) or not_eligible
        )
    except InvalidAnswers:
        return HttpResponse("These answers do not belong to this questionnaire.", status=400, content_type="text/plain")
    if written.outcome == Outcome.UNKNOWN:
        return render(request, "surveys/nothing_open.html", status=404)
    if written.outcome == Outcome.SUBMITTED:
        response = _see(reverse("answer_done"))
    elif wrong and (again := submission.find(key)) is not None:
        with override(language):
            problems = {question.code: what_belongs_there(question) for question in wrong}
        typed = {code: request.POST[code] for code in problems}
        html = page.one_step_page(
            survey, language, again, _this_step(request), typed, problems, device.is_shared(request)
        )
        response = HttpResponse(html, status=422)
    else:
        response = _see(f"{reverse('questionnaire')}?step={_next_step(request)}")
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
    if _is_form(request):
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


def _remember_device(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A random cookie on which wrong codes are counted, so that one address may hold a whole room."""
    if DEVICE_COOKIE not in request.COOKIES:
        set_cookie(response, DEVICE_COOKIE, secrets.token_urlsafe(12))
    return response
