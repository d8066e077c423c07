"""Researchers: collecting in one team."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from surveys import collections, qr
from surveys import links as personal_links
from surveys.access import collection_for_researcher
from surveys.forms import AddressesForm
from surveys.models import Collection
from surveys.paper_counts import paper_counts_of
from teams import access
from teams.models import User

Act = Callable[[HttpRequest, Collection, User], None]


@never_cache
@require_safe
def team(request: HttpRequest, slug: str, participation_id: int) -> HttpResponse:
    collection = collection_for_researcher(request.user, slug, participation_id)
    return _team_page(request, collection, AddressesForm())


def _action(act: Act) -> Callable[..., HttpResponse]:
    """A button of the team's collecting page: does it, says so, and goes back to the page."""

    @never_cache
    @require_POST
    @wraps(act)
    def view(request: HttpRequest, slug: str, participation_id: int) -> HttpResponse:
        collection = collection_for_researcher(request.user, slug, participation_id)
        act(request, collection, access.signed_in(request))
        return redirect("collecting_team", slug, participation_id)

    return view


@never_cache
@require_POST
def links(request: HttpRequest, slug: str, participation_id: int) -> HttpResponse:
    """Mail a personal link to each pasted address; who has one already gets no second."""
    collection = collection_for_researcher(request.user, slug, participation_id)
    form = AddressesForm(request.POST)
    if not form.is_valid():
        return _team_page(request, collection, form)
    n = personal_links.issue_links(collection, form.cleaned_data["addresses"], by=access.signed_in(request))
    messages.success(
        request, ngettext("%(n)s new link is on its way.", "%(n)s new links are on their way.", n) % {"n": n}
    )
    return redirect("collecting_team", slug, participation_id)


@_action
def close(request: HttpRequest, collection: Collection, user: User) -> None:
    if collections.close_collection(collection, by=user):
        messages.success(request, _("Collecting is closed: nobody new can begin."))


@_action
def reopen(request: HttpRequest, collection: Collection, user: User) -> None:
    if collections.reopen_collection(collection, by=user):
        messages.success(request, _("Collecting is open again."))
    else:
        messages.warning(request, _("Collecting cannot be opened again: the answers are being sealed."))


@_action
def seal(request: HttpRequest, collection: Collection, user: User) -> None:
    try:
        collections.seal_now(collection, by=user)
        messages.success(request, _("The answers are being sealed. That takes a moment."))
    except collections.NotReady as error:
        messages.error(request, str(error))


@_action
def remind(request: HttpRequest, collection: Collection, user: User) -> None:
    sent = personal_links.remind(collection, by=user)
    if not sent.n_queued:
        messages.warning(request, _("There is nobody to remind."))
    elif sent.only_those_not_done:
        messages.success(request, _("A reminder goes to everybody who has not finished. Who that is, is not kept."))
    else:
        messages.success(
            request,
            _(
                "The reminder goes to everybody with a link: since the last one too few answers came in to leave people "
                "out without showing who answered."
            ),
        )


@_action
def send_facilitator_link(request: HttpRequest, collection: Collection, user: User) -> None:
    meeting = getattr(collection, "meeting", None)
    if meeting is not None and personal_links.send_facilitator_link(meeting, by=user):
        messages.success(request, _("The link is on its way to the contact person."))
    else:
        messages.warning(request, _("No e-mail address of a contact person is known. Copy the link instead."))


@_action
def renew_facilitator_link(request: HttpRequest, collection: Collection, user: User) -> None:
    meeting = getattr(collection, "meeting", None)
    if meeting is not None:
        collections.renew_facilitator_link(meeting)
        messages.success(request, _("There is a new link. The old one opens nothing any more."))


def _team_page(request: HttpRequest, collection: Collection, form: AddressesForm) -> HttpResponse:
    meeting = getattr(collection, "meeting", None)
    is_open = collection.state == Collection.State.OPEN
    return render(
        request,
        "surveys/collecting_team.html",
        {
            "study": collection.survey.study,
            "participation": collection.participation,
            "team": collection.participation.team,
            "collection": collection,
            "counts": collections.counts(collection),
            "sealing": collections.is_being_sealed(collection),
            "paper": paper_counts_of(collection),
            "meeting": meeting,
            "facilitator_url": personal_links.facilitator_url(meeting) if meeting else "",
            "address": qr.join_address(),
            "join_url": qr.join_url(meeting) if meeting and is_open and meeting.code else "",
            "form": form,
        },
    )
