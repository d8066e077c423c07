"""Public: how a teacher comes in, by the meeting's code or a personal link, and begins. What follows: respondent.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language, override
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from surveys.answering import cache, limits, offers, submission
from surveys.answering.handles import handle_of, link_handle
from surveys.answering.page_slots import Slotted
from surveys.collecting import collections, mirror
from surveys.keys import collection_keys
from surveys.linking import personal_links
from surveys.models import Collection, Invitee, Meeting, Response
from surveys.models.questionnaire import in_language
from surveys.paper import slips
from surveys.questionnaires.publishing import definition_of
from surveys.views.teachers import device
from surveys.views.teachers.device import LINK_COOKIE, Begun, set_cookie
from surveys.views.teachers.requests import filled, no_cookies, nothing_open, respondent, see
from teams.models import Participation
from teams.models.languages import language_of

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
    shared = request.GET.get("shared") == "yes" or device.is_shared(request)
    begun = None if shared else device.begun_here(request, meeting.collection)
    if begun is None:
        response = _welcome_of_room(request, meeting, shared)
    else:
        context = {"meeting": meeting, "offered": offers.offer(meeting), "shared": shared, "begun": begun}
        response = _welcome(request, meeting.collection, context)
    device.share(request, response, meeting.code)
    device.let_begin(request, response, shared)
    return response


@respondent
@require_safe
def personal_link(request: HttpRequest, token: str) -> HttpResponse:
    """Opening a link writes and spends nothing, since mail scanners open links too: the token moves into a cookie."""
    return _to_link(request, token[:100], HttpResponseRedirect)


@respondent
@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
def personal_welcome(request: HttpRequest, handle: str = "") -> HttpResponse:
    """The same bytes whether something was begun, handed in or deleted, since whoever reads the mailbox can open the link.

    Only the device that began this response is told how things stand. Where the device is shared, no cookie of the link is
    left once the page is there: its language is switched by a POST with the token.
    """
    if request.method == "POST":
        return _to_link(request, request.POST.get("link", "")[:100])
    token = request.COOKIES.get(LINK_COOKIE, "")
    if token and not handle:
        return _to_link(request, token)
    if not token or link_handle(token) != handle:
        return render(request, "surveys/link_again.html", status=404)
    invitee = personal_links.find_invitee(token)
    if invitee is None or _is_over(invitee.collection):
        return render(request, "surveys/link_ended.html", status=404)
    shared = device.is_shared(request)
    context = {"token": token, "masked": personal_links.masked(invitee.email), "shared": shared}
    try:
        context["begun"] = _begun_by_link(request, invitee)
    except collection_keys.KeyDestroyed:
        return render(request, "surveys/link_ended.html", status=404)
    response = _welcome(request, invitee.collection, context)
    device.let_begin(request, response, shared)
    if shared:
        device.forget_link(response, handle)
    return response


@respondent
@require_POST
def answer_start(request: HttpRequest) -> HttpResponse:
    """Consent is given: the response begins, and its key goes into a cookie that only these pages see.

    By a personal link the same button begins and goes on, and the consent stands beside it: a box to tick for who begins only
    would tell whether somebody did.
    """
    token = request.POST.get("link", "")
    source: Invitee | Meeting | HttpResponse | None
    source = personal_links.find_invitee(token) if token else _meeting(request, request.POST.get("code", ""))
    if isinstance(source, HttpResponse):
        return source
    if source is None:
        return render(request, "surveys/link_ended.html", status=404)
    if not request.COOKIES:
        return no_cookies(request)  # nothing begins that this device could not find again
    if isinstance(source, Meeting) and not device.holder(request):
        return nothing_open(request)  # the page of before
    begun = device.begun_here(request, source.collection)
    if isinstance(source, Meeting) and request.POST.get("consent") != "yes":
        shared = device.is_shared(request)
        offered = request.POST.get("offered") or offers.offer(source)
        context: dict[str, Any] = {"problem": "consent", "meeting": source, "offered": offered, "shared": shared}
        context["begun"] = begun
        return _welcome(request, source.collection, context, status=400)
    if isinstance(source, Meeting) and begun is not None and "anew" not in request.POST:
        return see(device.pages_of(begun.handle))  # another tab began meanwhile, and this page did not know
    language = get_language() or ""
    try:
        if isinstance(source, Invitee):
            key = submission.start_by_link(source, language)
        else:
            key = _start_in_meeting(request, source, language)
    except slips.NoSlip:
        return _wrong_slip(request, source)
    except submission.Closed:
        return render(request, "surveys/link_ended.html", status=404)
    except submission.TooManyJoins:
        return render(request, "surveys/room_full.html", status=409)
    except submission.HandedIn:
        context = {"token": token, "shared": device.is_shared(request), "team": source.collection.participation.team}
        return render(request, "surveys/handed_in.html", context)
    response = see(device.pages_of(handle_of(key)))
    device.hold_key(request, response, key)
    n_begun = device.count_begun(request, response, source.collection, key)
    collections.begun_on_one_device(source.collection, n_begun)
    return response


@respondent
@require_POST
def answer_opt_out(request: HttpRequest) -> HttpResponse:
    """No more mails to the address of this link; with ``again`` that is taken back."""
    invitee = personal_links.find_invitee(request.POST.get("link", ""))
    if invitee is None:
        return render(request, "surveys/link_ended.html", status=404)
    if "again" in request.POST:
        personal_links.opt_in(invitee)
    else:
        personal_links.opt_out(invitee)
    return _to_link(
        request, request.POST["link"], query="?mails=again" if "again" in request.POST else "?mails=stopped"
    )


# ------------------------------------------------------------------------------------------------ parts of these views


def _welcome(request: HttpRequest, collection: Collection, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(_welcome_html(request, collection, context), status=status)


def _welcome_of_room(request: HttpRequest, meeting: Meeting, shared: bool) -> HttpResponse:
    """The welcome page that a whole room opens: made once, with a slot for the nonce that it offers."""
    room = cache.room(meeting.collection.uid)
    assert room is not None
    shown = ("welcome", get_language(), _is_insecure(request), shared, request.GET.get("mails") == "stopped")
    made = room.pages.get(shown)
    if made is None:
        context = {"meeting": meeting, "offered": OFFERED_SLOT, "shared": shared}
        made = room.pages[shown] = Slotted(_welcome_html(request, meeting.collection, context), OFFERED_SLOT)
    return filled(request, made, {OFFERED_SLOT: offers.offer(meeting).encode()})


def _welcome_html(request: HttpRequest, collection: Collection, context: dict[str, Any]) -> str:
    survey = collection.survey
    definition = definition_of(survey.version)
    language = language_of(definition.languages)
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
                # never by a personal link: a team that has such links sees its figures in the report
                "mirror": mirror.is_offered(collection) and "token" not in context,
                "mails_stopped": request.GET.get("mails") == "stopped",
                "mails_again": request.GET.get("mails") == "again",
                **context,
            },
            request,
        )


def _to_link(
    request: HttpRequest, token: str, redirect: Callable[[str], HttpResponse] = see, query: str = ""
) -> HttpResponse:
    """To the page of a personal link, whose address does not hold the token."""
    response = redirect(reverse("personal_welcome", args=[link_handle(token)]) + query)
    device.remember_link(request, response, token)
    return response


def _is_over(collection: Collection) -> bool:
    """Whether nothing can be done with a link of it: its answers are sealed, or its team stopped and they go (analysis/withdrawals.py)."""
    return collection.state == Collection.State.SEALED or collection.participation.state != Participation.State.ACCEPTED


def _begun_by_link(request: HttpRequest, invitee: Invitee) -> Begun | None:
    """What this device knows of the response of this link. :raises keys.KeyDestroyed: once the collection is being sealed"""
    key = personal_links.response_key(invitee)
    begun = device.begun_here(request, invitee.collection)
    response = submission.find(key) if begun and begun.handle == handle_of(key) else None
    return Begun(handle_of(key), response.state == Response.State.SUBMITTED) if response else None


def _start_in_meeting(request: HttpRequest, meeting: Meeting, language: str) -> str:
    offered, holder = request.POST.get("offered", ""), device.holder(request)
    if not meeting.collection.survey.study.slips:
        return submission.start_in_meeting(meeting, language, offered, holder)
    return slips.start(meeting, request.POST.get("slip", "")[:40], language, offered, holder)


def _wrong_slip(request: HttpRequest, source: Invitee | Meeting) -> HttpResponse:
    """The welcome page again; wrong slips count as wrong codes do, so that nobody goes on guessing."""
    assert isinstance(source, Meeting)
    name = limits.known_device(request.COOKIES.get(DEVICE_COOKIE, ""))
    limits.count_wrong(name)
    shared = device.is_shared(request)
    context = {
        "problem": "slip" if request.POST.get("slip") else "no_slip",
        "meeting": source,
        "offered": request.POST.get("offered") or offers.offer(source),
        "shared": shared,
        "begun": device.begun_here(request, source.collection),
        "slip": request.POST.get("slip", "")[:40],
        "consented": True,
    }
    return _remember_device(request, _welcome(request, source.collection, context, status=400))


def _is_insecure(request: HttpRequest) -> bool:
    """Plain http is for a demo on a local network: browsers hold what works offline for secure origins."""
    return not request.is_secure() and urlsplit(f"//{request.get_host()}").hostname not in OWN_NAMES


def _meeting(request: HttpRequest, code: str) -> Meeting | HttpResponse:
    """The meeting that a code opens, or the page that says why it opens none: wrong and closed read alike."""
    name = limits.known_device(request.COOKIES.get(DEVICE_COOKIE, ""))
    shown = submission.normal_code(code)[:20]
    if not limits.may_try(name):
        return render(request, "surveys/join.html", {"problem": "limit"}, status=429)
    if limits.must_ask_twice(name):
        page = render(request, "surveys/join.html", {"problem": "again", "code": shown}, status=429)
        return _remember_device(request, page)
    try:
        meeting = submission.join(code)
    except submission.ByLinkNow as old:  # no wrong code: nobody is made to wait for it
        begun = device.begun_here(request, old.collection)
        context = {"code": shown, "study": old.collection.survey.study, "begun": begun}
        return render(request, "surveys/by_link_now.html", context, status=404)
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
