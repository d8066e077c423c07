"""Public: the teacher's pages under /a/, from the code or the link to the thanks. What they save: saving.py."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language, override
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST, require_safe

from surveys import limits, links, page, remembered, submission
from surveys.models import Collection, Invitee, Meeting, Response
from surveys.models.questionnaire import in_language
from surveys.questionnaires import definition_of
from surveys.slotted import Slotted
from surveys.views import device
from surveys.views.device import ANSWER_COOKIE, set_cookie
from surveys.views.teacher import language_of, nothing_open, respondent, see

LINK_COOKIE = "link"
DEVICE_COOKIE = "device"
OFFERED_SLOT = "@@OFFERED@@"
OWN_NAMES = ("localhost", "127.0.0.1", "::1")


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
    response = see(reverse("questionnaire"))
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
    return see(reverse("personal_welcome") + "?mails=stopped")


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
        return nothing_open(request)
    if found.state == Response.State.SUBMITTED:
        return see(reverse("answer_done"))
    survey = found.collection.survey
    language = language_of(definition_of(survey.version))
    lock = device.lock_for(request, found.collection)
    if (blank := request.GET.get("blank")) in dict(settings.LANGUAGES):
        return _filled(request, *page.whole_page(survey, blank, None, lock))
    step = request.GET.get("step", "")
    if step.isascii() and step.isdigit():
        return HttpResponse(page.one_step_page(survey, language, found, int(step[:4]), shared=lock is not None))
    return _filled(request, *page.whole_page(survey, language, found, lock))


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
    response = see(device.shared_welcome(code) if (code := device.shared_code(request)) else reverse("join"))
    device.forget_key(response)
    return response


@respondent
@require_GET
def answer_done(request: HttpRequest) -> HttpResponse:
    """Thanks; and, until sealing, the way to delete the answers."""
    found = submission.find(request.COOKIES.get(ANSWER_COOKIE, ""))
    if found is None and device.is_shared(request):
        return nothing_open(request)
    if found is None:
        return render(request, "surveys/done.html", {"language": get_language()})
    if found.state != Response.State.SUBMITTED:
        return see(reverse("questionnaire"))
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
    language = language_of(definition)
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
    name = limits.known_device(request.COOKIES.get(DEVICE_COOKIE, ""))
    shown = submission.normal_code(code)[:20]
    if not limits.may_try(name):
        return render(request, "surveys/join.html", {"problem": "limit"}, status=429)
    if limits.must_ask_twice(name):
        page = render(request, "surveys/join.html", {"problem": "again", "code": shown}, status=429)
        return _remember_device(request, page)
    meeting = submission.join(code)
    if meeting is not None:
        return meeting
    limits.count_wrong(name)
    context = {"problem": "wrong", "code": shown}
    return _remember_device(request, render(request, "surveys/join.html", context, status=404))


def _remember_device(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A random cookie on which wrong codes are counted, so that one address may hold a whole room."""
    if not limits.known_device(request.COOKIES.get(DEVICE_COOKIE, "")):
        set_cookie(response, DEVICE_COOKIE, limits.new_device())
    return response
