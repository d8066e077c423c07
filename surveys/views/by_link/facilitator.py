"""Public by link: the page of whoever leads the meeting. No account; who holds the link leads."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from zlib import crc32

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from surveys import qr
from surveys.access import meeting_for_facilitator
from surveys.answering import limits, submission
from surveys.collecting import collections, meeting_texts, mirror
from surveys.collecting.paper_counts import paper_counts_of
from surveys.forms.collecting import CloseForm, PresentForm, ShowForm, SlipsForm
from surveys.models import Collection, Meeting
from surveys.paper import slips
from surveys.views.by_link import picture_screen
from teams import links as signed_links
from teams.forms.filled import hold
from teams.models import Participation
from teams.models.languages import current_language
from teams.views.director import link_ended

Act = Callable[[HttpRequest, Meeting], None]


def by_link(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
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


@by_link
@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link writes nothing: the token moves into a cookie for this meeting's pages."""
    read = signed_links.read_token(signed_links.FACILITATOR, token)
    if read is None:
        raise Http404
    return signed_links.enter(signed_links.FACILITATOR, token, reverse("facilitator", args=[read.object_id]))


def _in_meeting(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """What is pressed on a page of before, once the team answers by personal link, goes back to the page, which says so now."""

    @wraps(view)
    def wrapped(request: HttpRequest, meeting_id: int) -> HttpResponse:
        meeting = meeting_for_facilitator(request, meeting_id)
        if meeting.collection.mode not in Participation.MEETING_MODES:
            messages.warning(request, _("Nothing was done: this team no longer answers in a meeting."))
            return redirect("facilitator", meeting.pk)
        return view(request, meeting)

    return wrapped


@by_link
@require_safe
def page(request: HttpRequest, meeting_id: int) -> HttpResponse:
    meeting = meeting_for_facilitator(request, meeting_id)
    return _page(request, meeting, PresentForm(initial=_as_recorded(meeting)))


@by_link
@require_safe
def projector(request: HttpRequest, meeting_id: int) -> HttpResponse:
    """For the screen in the room: how to join, and only the total of who takes part."""
    meeting = meeting_for_facilitator(request, meeting_id)
    return render(request, "surveys/projector.html", _context(meeting))


@login_not_required
@require_safe
@never_cache
def counts(request: HttpRequest, meeting_id: int) -> HttpResponse:
    """The counts, asked for every two seconds; empty once the meeting is closed. No browser keeps them: the counts of one
    moment beside those of the next would say who handed in when.
    """
    meeting = meeting_for_facilitator(request, meeting_id)
    counted = collections.room_counts(meeting)
    template = "surveys/projector_total.html" if "total" in request.GET else "surveys/facilitator_counts.html"
    context: dict[str, Any] = {"counts": counted}
    if "mirror" in request.GET:
        now = _mirror_now(meeting)
        if (
            str(now["mirror_seen"]) != request.GET["mirror"]
        ):  # a button that is not new stays, with the focus that may be on it
            context |= {**now, "meeting": meeting, "mirror_is_new": True}
    response = render(request, template, context)
    seen = _seen(meeting, counted)
    if request.GET.get("seen", seen) != seen:
        response["HX-Refresh"] = "true"  # closed, sealed or full meanwhile: the rest of the page is out of date
    return response


def _action(act: Act) -> Callable[..., HttpResponse]:
    """A button of the facilitator's page: does it, says so, and goes back to the page."""

    @by_link
    @require_POST
    @_in_meeting
    @wraps(act)
    def view(request: HttpRequest, meeting: Meeting) -> HttpResponse:
        act(request, meeting)
        return redirect("facilitator", meeting.pk)

    return view


@by_link
@require_POST
@_in_meeting
def present(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    participation = meeting.collection.participation
    # the order in which they are locked elsewhere, or two would wait for each other
    hold(request, participation.team.academy, participation, meeting.collection, meeting)
    form = PresentForm(request.POST, initial=_as_recorded(meeting))
    if not form.is_valid():
        return _page(request, meeting, form)
    if mode := form.cleaned_data["mode"]:
        if mode == Participation.Mode.CONTACT and not participation.contact_email:
            form.add_error("mode", _("No contact person is known for this team. Ask a researcher to record who it is."))
            return _page(request, meeting, form)
        collections.set_leading(meeting.collection, mode)
    by = request.user if request.user.is_authenticated else None
    collections.announce_shared_device(meeting.collection, form.cleaned_data["shared_device"])
    if collections.set_present(meeting, form.cleaned_data["present"], form.cleaned_data["paper"], by=by):
        messages.success(request, _("The numbers are saved."))
    else:
        messages.warning(request, _("Collecting has closed: the number can no longer be changed."))
    return redirect("facilitator", meeting.pk)


@by_link
@require_POST
@_in_meeting
def print_slips(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    """New slips as a PDF. Their codes are told this once: printed again they would be others."""
    form = SlipsForm(request.POST)
    if not form.is_valid() or not meeting.collection.survey.study.slips:
        return _page(request, meeting, PresentForm(initial=_as_recorded(meeting)), form)
    return slips_file(
        meeting.collection, slips.make(meeting.collection, form.cleaned_data["n"], by_link=True)
    ) or redirect("facilitator", meeting.pk)


def slips_file(collection: Collection, codes: list[str]) -> HttpResponse | None:
    """Printed slips as a file to download; None where none were made."""
    if not codes:
        return None
    content = slips.pdf(collection, codes, current_language())
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="slips.pdf"'
    response["Cache-Control"] = "no-store"
    return response


@_action
def end_slips(request: HttpRequest, meeting: Meeting) -> None:
    n = slips.make_worthless(meeting.collection, by_link=True)
    messages.success(
        request,
        ngettext(
            "%(n)s slip was left over, and is now cancelled: nobody can begin with it.",
            "%(n)s slips were left over, and are now cancelled: nobody can begin with them.",
            n,
        )
        % {"n": n},
    )


@_action
def more(request: HttpRequest, meeting: Meeting) -> None:
    collections.allow_more_joins(meeting)
    messages.success(request, _("More people can join now."))


@_action
def close(request: HttpRequest, meeting: Meeting) -> None:
    """Close collecting; where nobody said how many are present, that is asked first."""
    if _is_counted(request, meeting, CloseForm) and collections.close_collection(meeting.collection, by_link=True):
        messages.success(request, _("Collecting is closed: nobody else can begin."))


@by_link
@require_POST
@_in_meeting
def show(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    """Close for good and go to the team's own figures; whoever comes second goes there too."""
    collection = meeting.collection
    # the order in which they are locked elsewhere, or two would wait for each other
    hold(request, collection.participation.team.academy, collection.participation, collection, meeting)
    if meeting.picture_asked_at is None:
        if why := _why_no_mirror(meeting):
            messages.warning(request, why)
            return redirect("facilitator", meeting.pk)
        if not _is_counted(request, meeting, ShowForm):
            return redirect("facilitator", meeting.pk)
        if mirror.close_and_show(collection, by_link=True):
            return redirect(picture_screen.address(meeting))
    return redirect(_picture_address(meeting) or reverse("facilitator", args=[meeting.pk]))


def _is_counted(request: HttpRequest, meeting: Meeting, asks: type[CloseForm | ShowForm]) -> bool:
    """Whether it is known how many are present, or what was asked is answered; else it is said what to fill in."""
    if meeting.present is not None:
        return True
    form = asks(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return False
    if (present := form.cleaned_data["present"]) is not None:
        by = request.user if request.user.is_authenticated else None
        collections.set_present(meeting, present, meeting.paper, by=by)
    return True


@_action
def reopen(request: HttpRequest, meeting: Meeting) -> None:
    if collections.reopen_collection(meeting.collection, by_link=True):
        messages.success(request, _("Collecting is open again."))
    else:
        messages.warning(request, _("Collecting cannot be opened again: the answers are being sealed."))


def _page(
    request: HttpRequest, meeting: Meeting, form: PresentForm, slips_form: SlipsForm | None = None
) -> HttpResponse:
    context = _context(meeting)
    context["form"] = form
    context["close_form"] = CloseForm() if meeting.present is None else None
    context |= _mirror_now(meeting)
    if meeting.collection.survey.study.slips:
        context["slips_form"] = slips_form or SlipsForm(initial={"n": meeting.present or meeting.collection.approached})
        context["n_slips"] = slips.n_left(meeting.collection)
    return render(request, "surveys/facilitator.html", context)


def _mirror_now(meeting: Meeting) -> dict[str, Any]:
    """Whether the team can see its own figures here, why not yet, and what tells the page whether that is new."""
    offered = mirror.is_offered(meeting.collection) and _state(meeting.collection) in ("open", "closed")
    why = _why_no_mirror(meeting) if offered else None
    return {
        "mirror": offered,
        "mirror_why_not": why,
        "mirror_seen": crc32((why or "").encode()),
        "mirror_form": ShowForm() if meeting.present is None else None,
    }


def _why_no_mirror(meeting: Meeting) -> str | None:
    """As `mirror.why_not`; and a closed room is counted no more on this page, but without the count there are no figures."""
    if meeting.present is None and _state(meeting.collection) == "closed":
        return _("Nobody counted who is here. Open collecting again, and say how many teachers are present.")
    return mirror.why_not(meeting.collection)


def _picture_address(meeting: Meeting) -> str:
    """Where the team's own figures are shown until the end of the day on which it closed to see them; else blank."""
    asked_at = meeting.picture_asked_at
    if asked_at is None or timezone.localdate(asked_at) != timezone.localdate():
        return ""
    return reverse("facilitator_picture", args=[meeting.pk])


def _as_recorded(meeting: Meeting) -> dict[str, Any]:
    collection = meeting.collection
    return {
        "present": meeting.present,
        "paper": meeting.paper,
        "mode": collection.mode,
        "shared_device": collection.shared_device,
    }


def _context(meeting: Meeting) -> dict[str, Any]:
    collection = meeting.collection
    counted = collections.room_counts(meeting)
    is_open = _state(collection) == "open"
    study, team, language = collection.survey.study, collection.participation.team, current_language()
    aloud = meeting_texts.text_of(collection.survey, meeting_texts.BRIEFING, language)
    questions = meeting_texts.text_of(collection.survey, meeting_texts.QUESTIONS, language)
    return {
        "meeting": meeting,
        "collection": collection,
        "study": study,
        "participation": collection.participation,
        "team": team,
        "briefing": meeting_texts.briefing(aloud, study, team.name, mirror=mirror.is_offered(collection)),
        "questions": meeting_texts.asked(questions, study, team.name),
        "counts": counted,
        "paper": paper_counts_of(collection),
        "full": _full(meeting, counted),
        "picture": _picture_address(meeting),
        "state": _state(collection),
        "seen": _seen(meeting, counted),
        "address": qr.join_address(),
        "code": f"{meeting.code[:3]} {meeting.code[3:]}",
        "shared_qr": qr.qr_svg(f"{qr.join_url(meeting)}?shared=yes") if is_open and meeting.code else "",
        "shared_url": f"{qr.join_url(meeting)}?shared=yes" if is_open and meeting.code else "",
        "qr": qr.qr_svg(qr.join_url(meeting)) if is_open and meeting.code else "",
    }


def _state(collection: Collection) -> str:
    """As the page tells it: a sealing that was begun is a state of its own, and a team that does not meet any more."""
    if collection.state == Collection.State.OPEN and collection.mode not in Participation.MEETING_MODES:
        return "by_link"
    return "sealing" if collections.is_being_sealed(collection) else str(collection.state)


def _seen(meeting: Meeting, counted: collections.RoomCounts | None) -> str:
    """What decides which parts the page has, beside the counts."""
    return _state(meeting.collection) + ("-full" if _full(meeting, counted) else "")


def _full(meeting: Meeting, counted: collections.RoomCounts | None) -> bool:
    """Whether no more can join with the code until the facilitator allows it."""
    return counted is not None and limits.is_full(submission.room_name(meeting.collection, meeting.joins_confirmed))
