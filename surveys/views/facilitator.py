"""Public by link: the page of whoever leads the meeting. No account; who holds the link leads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from surveys import collections, meeting_texts, qr
from surveys.access import meeting_for_facilitator
from surveys.forms import PresentForm
from surveys.models import Collection, Meeting
from surveys.paper_counts import paper_counts_of
from teams import links as signed_links
from teams.views.director import link_ended

Act = Callable[[HttpRequest, Meeting], None]


def _by_link(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Whoever holds no link, an old one or a broken one reads that it does not work, and where a newer one may be."""

    @login_not_required
    @never_cache
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Http404:
            return link_ended(request)

    return wrapped


@_by_link
@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link writes nothing: the token moves into a cookie for this meeting's pages."""
    read = signed_links.read_token(signed_links.FACILITATOR, token)
    if read is None:
        raise Http404
    return signed_links.enter(signed_links.FACILITATOR, token, reverse("facilitator", args=[read.object_id]))


@_by_link
@require_safe
def page(request: HttpRequest, meeting_id: int) -> HttpResponse:
    meeting = meeting_for_facilitator(request, meeting_id)
    return _page(request, meeting, PresentForm(initial=_as_recorded(meeting)))


@_by_link
@require_safe
def projector(request: HttpRequest, meeting_id: int) -> HttpResponse:
    """For the screen in the room: how to join, and only the total of who takes part."""
    meeting = meeting_for_facilitator(request, meeting_id)
    return render(request, "surveys/projector.html", _context(meeting))


@login_not_required
@require_safe
def counts(request: HttpRequest, meeting_id: int) -> HttpResponse:
    """The counts, asked for every two seconds; with an ETag, so that no change costs no body."""
    meeting = meeting_for_facilitator(request, meeting_id)
    collection = meeting.collection
    counted = collections.counts(collection)
    total_only = "total" in request.GET
    shown = (counted.started,) if total_only else (counted, meeting.paper)
    seen = _seen(meeting, counted)
    etag = hashlib.sha256(repr((shown, seen, get_language())).encode()).hexdigest()[:20]
    response: HttpResponse
    if request.headers.get("If-None-Match", "").strip('W/"') == etag:
        response = HttpResponseNotModified()
    else:
        template = "surveys/projector_total.html" if total_only else "surveys/facilitator_counts.html"
        response = render(request, template, {"counts": counted, "meeting": meeting, "state": _state(collection)})
    response["ETag"] = f'"{etag}"'
    response["Cache-Control"] = "private, no-cache"  # kept by the browser, asked about each time
    if request.GET.get("seen", seen) != seen:
        response["HX-Refresh"] = "true"  # closed, sealed or full meanwhile: the rest of the page is out of date
    return response


def _action(act: Act) -> Callable[..., HttpResponse]:
    """A button of the facilitator's page: does it, says so, and goes back to the page."""

    @_by_link
    @require_POST
    @wraps(act)
    def view(request: HttpRequest, meeting_id: int) -> HttpResponse:
        meeting = meeting_for_facilitator(request, meeting_id)
        act(request, meeting)
        return redirect("facilitator", meeting.pk)

    return view


@_by_link
@require_POST
def present(request: HttpRequest, meeting_id: int) -> HttpResponse:
    meeting = meeting_for_facilitator(request, meeting_id)
    form = PresentForm(request.POST)
    if not form.is_valid():
        return _page(request, meeting, form)
    if mode := form.cleaned_data["mode"]:
        collections.set_leading(meeting.collection, mode)
    if collections.set_present(meeting, form.cleaned_data["present"], form.cleaned_data["paper"]):
        messages.success(request, _("The numbers are saved."))
    else:
        messages.warning(request, _("Collecting has closed: the number can no longer be changed."))
    return redirect("facilitator", meeting.pk)


@_action
def more(request: HttpRequest, meeting: Meeting) -> None:
    collections.allow_more_joins(meeting)
    messages.success(request, _("More people can join now."))


@_action
def close(request: HttpRequest, meeting: Meeting) -> None:
    if collections.close_collection(meeting.collection, by_link=True):
        messages.success(request, _("Collecting is closed: nobody new can begin."))


@_action
def reopen(request: HttpRequest, meeting: Meeting) -> None:
    if collections.reopen_collection(meeting.collection, by_link=True):
        messages.success(request, _("Collecting is open again."))
    else:
        messages.warning(request, _("Collecting cannot be opened again: the answers are being sealed."))


@_action
def seal(request: HttpRequest, meeting: Meeting) -> None:
    try:
        collections.seal_now(meeting.collection, by_link=True)
        messages.success(request, _("The answers are being sealed. That takes a moment."))
    except collections.NotReady as error:
        messages.error(request, str(error))


def _page(request: HttpRequest, meeting: Meeting, form: PresentForm) -> HttpResponse:
    context = _context(meeting)
    context["form"] = form
    return render(request, "surveys/facilitator.html", context)


def _as_recorded(meeting: Meeting) -> dict[str, Any]:
    return {"present": meeting.present, "paper": meeting.paper, "mode": meeting.collection.mode}


def _context(meeting: Meeting) -> dict[str, Any]:
    collection = meeting.collection
    counted = collections.counts(collection)
    is_open = collection.state == Collection.State.OPEN
    study, team, language = collection.survey.study, collection.participation.team, get_language() or "nl"
    aloud = meeting_texts.text_of(collection.survey, meeting_texts.BRIEFING, language)
    questions = meeting_texts.text_of(collection.survey, meeting_texts.QUESTIONS, language)
    return {
        "meeting": meeting,
        "collection": collection,
        "study": study,
        "participation": collection.participation,
        "team": team,
        "briefing": meeting_texts.briefing(aloud, study, team.name),
        "questions": meeting_texts.asked(questions, study, team.name),
        "counts": counted,
        "paper": paper_counts_of(collection),
        "full": _full(meeting, counted),
        "state": _state(collection),
        "seen": _seen(meeting, counted),
        "address": qr.join_address(),
        "code": f"{meeting.code[:3]} {meeting.code[3:]}",
        "shared_qr": qr.qr_svg(f"{qr.join_url(meeting)}?shared=yes") if is_open and meeting.code else "",
        "shared_url": f"{qr.join_url(meeting)}?shared=yes" if is_open and meeting.code else "",
        "qr": qr.qr_svg(qr.join_url(meeting)) if is_open and meeting.code else "",
    }


def _state(collection: Collection) -> str:
    """As the page tells it: a sealing that was begun is a state of its own."""
    return "sealing" if collections.is_being_sealed(collection) else str(collection.state)


def _seen(meeting: Meeting, counted: collections.Counts) -> str:
    """What decides which parts the page has, beside the counts."""
    return _state(meeting.collection) + ("-full" if _full(meeting, counted) else "")


def _full(meeting: Meeting, counted: collections.Counts) -> bool:
    """Whether no more can join with the code until the facilitator allows it."""
    return counted.started >= collections.joins_allowed(meeting.collection, meeting)
