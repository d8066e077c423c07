"""Researchers: collecting in one team."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from surveys import qr
from surveys.access import collection_for_researcher
from surveys.collecting import collections, mirror, new_keys
from surveys.collecting.counts import counts
from surveys.collecting.paper_counts import paper_counts_of
from surveys.forms import pasting
from surveys.forms.collecting import AddressesForm, CloseForm, CountedForm, SlipsForm
from surveys.keys import collection_keys
from surveys.linking import confirming, personal_links
from surveys.models import Collection, Meeting
from surveys.paper import slips
from surveys.views.by_link.facilitator import slips_file
from teams import access
from teams.models import Participation, User

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
    """Show the pasted addresses; the second press mails a link to each, but for who has one already."""
    collection = collection_for_researcher(request.user, slug, participation_id)
    form = AddressesForm(request.POST)
    if not form.is_valid():
        return _team_page(request, collection, form)
    if not pasting.may_send(form) and not new_keys.is_lost(collection):
        back = reverse("collecting_team", args=[slug, participation_id])
        return render(request, "surveys/pasted.html", pasting.page(collection, form, "study.html", back))
    try:
        n = personal_links.issue_links(collection, form.cleaned_data["addresses"], by=access.signed_in(request))
    except collection_keys.KeyDestroyed:
        form.add_error("addresses", _("No link can be made: the key of this team has been lost. Make a new key first."))
        return _team_page(request, collection, form)
    messages.success(
        request, ngettext("%(n)s new link is on its way.", "%(n)s new links are on their way.", n) % {"n": n}
    )
    return redirect("collecting_team", slug, participation_id)


@never_cache
@require_POST
def count_present(request: HttpRequest, slug: str, participation_id: int) -> HttpResponse:
    """A researcher's own number of those present: whose count the report may rest on."""
    collection = collection_for_researcher(request.user, slug, participation_id)
    meeting = _meeting_of(collection)
    form = CountedForm(request.POST)
    if meeting is None or not form.is_valid():
        return _team_page(request, collection, AddressesForm(), form)
    if collections.count_present(meeting, form.cleaned_data["present"], access.signed_in(request)):
        messages.success(request, _("The number is saved."))
    else:
        messages.warning(request, _("The answers are sealed: the number can no longer be changed."))
    return redirect("collecting_team", slug, participation_id)


@never_cache
@require_POST
def print_slips(request: HttpRequest, slug: str, participation_id: int) -> HttpResponse:
    """New slips for a meeting as a PDF; their codes are told this once."""
    collection = collection_for_researcher(request.user, slug, participation_id)
    form = SlipsForm(request.POST)
    if not collection.survey.study.slips or _meeting_of(collection) is None or not form.is_valid():
        return _team_page(request, collection, AddressesForm(), slips_form=form)
    codes = slips.make(collection, form.cleaned_data["n"], by=access.signed_in(request))
    file = slips_file(collection, codes)
    if file is None:
        messages.warning(
            request,
            _(
                "No slips were made: collecting has closed, there are too many already, or the key of the team has "
                "been lost."
            ),
        )
    return file or redirect("collecting_team", slug, participation_id)


@_action
def end_slips(request: HttpRequest, collection: Collection, user: User) -> None:
    n = slips.make_worthless(collection, by=user)
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
def new_key(request: HttpRequest, collection: Collection, user: User) -> None:
    """A new key in place of a lost one, and new links: what that comes to stands on the page before."""
    try:
        n = new_keys.renew(collection, by=user)
    except collections.NotReady as error:
        messages.error(request, str(error))
        return
    done = ngettext(
        "The new key is ready. %(n)s new link is on its way.",
        "The new key is ready. %(n)s new links are on their way.",
        n,
    )
    messages.success(request, done % {"n": n})


@_action
def close(request: HttpRequest, collection: Collection, user: User) -> None:
    """Close collecting; where nobody said how many were in the meeting, that is asked first."""
    meeting = _meeting_of(collection)
    if meeting is not None and meeting.present is None:
        form = CloseForm(request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
            return
        if (present := form.cleaned_data["present"]) is not None:
            collections.count_present(meeting, present, user)
    if collections.close_collection(collection, by=user):
        messages.success(request, _("Collecting is closed: nobody else can begin."))


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
    if personal_links.remind(collection, by=user):
        messages.success(
            request, _("The reminder goes to everybody with a link, except those who asked for no more emails.")
        )
    else:
        messages.warning(request, _("There is nobody to remind."))


@_action
def send_facilitator_link(request: HttpRequest, collection: Collection, user: User) -> None:
    meeting = _meeting_of(collection)
    if meeting is not None and personal_links.send_facilitator_link(meeting, by=user):
        messages.success(request, _("The link is on its way to the contact person."))
    else:
        messages.warning(request, _("No email address of a contact person is known. Copy the link instead."))


@_action
def renew_facilitator_link(request: HttpRequest, collection: Collection, user: User) -> None:
    meeting = _meeting_of(collection)
    if meeting is not None:
        collections.renew_facilitator_link(meeting)
        messages.success(request, _("The new link is ready. The old one no longer works."))


def _meeting_of(collection: Collection) -> Meeting | None:
    """The meeting in which a team answers; none where it was to meet once, and answers by personal link now."""
    return getattr(collection, "meeting", None) if collection.mode in Participation.MEETING_MODES else None


def _team_page(
    request: HttpRequest,
    collection: Collection,
    form: AddressesForm,
    counted_form: CountedForm | None = None,
    slips_form: SlipsForm | None = None,
) -> HttpResponse:
    meeting = _meeting_of(collection)
    study = collection.survey.study
    is_open = collection.state == Collection.State.OPEN
    lost = new_keys.is_lost(collection)
    return render(
        request,
        "surveys/collecting_team.html",
        {
            "study": study,
            "participation": collection.participation,
            "team": collection.participation.team,
            "collection": collection,
            "counts": counts(collection),
            "lost": new_keys.consequences(collection) if lost else None,
            "sealing": collections.is_being_sealed(collection),
            "mirror": mirror.is_offered(collection),
            "paper": paper_counts_of(collection),
            "meeting": meeting,
            "close_form": CloseForm() if meeting is not None and meeting.present is None else None,
            "facilitator_url": personal_links.facilitator_url(meeting) if meeting else "",
            "address": qr.join_address(),
            "join_url": qr.join_url(meeting) if meeting and is_open and meeting.code else "",
            "form": form,
            "counted_form": counted_form or CountedForm(initial={"present": meeting.present if meeting else None}),
            "slips_form": slips_form
            or SlipsForm(initial={"n": (meeting.present if meeting else None) or collection.approached}),
            "n_slips": slips.n_left(collection) if study.slips else 0,
            "n_confirmed": confirming.n_confirmed(collection)
            if collection.state != Collection.State.SEALED
            else collection.n_confirmed,
        },
    )
