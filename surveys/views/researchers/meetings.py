"""Researchers: all team meetings of a study, the times offered to leaders, and the calendar feed."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from surveys.collecting import agenda
from teams import access
from teams.forms.meetings import OfferForm
from teams.meetings import calendars
from teams.meetings.slots import offer_slots, withdraw_slot
from teams.models import Participation, PlannedMeeting

PER_PAGE = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def meetings(request: HttpRequest, slug: str) -> HttpResponse:
    """The list, and a form to offer times."""
    study = access.study_for_researcher(request.user, slug)
    user = access.signed_in(request)
    form = OfferForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        n = offer_slots(study, user, form.moments, form.cleaned_data["minutes"])
        messages.success(
            request,
            ngettext("%(n)s time is offered to the teams.", "%(n)s times are offered to the teams.", n) % {"n": n},
        )
        return redirect("meetings", slug)
    show, search = request.GET.get("show", ""), request.GET.get("q", "").strip()
    show = show if show in agenda.SHOWS else "todo"
    wanted = request.GET.get("page")
    days: list[agenda.Day] = []
    page: Page[Participation] | Page[PlannedMeeting]
    if show == "todo":
        page = Paginator(agenda.to_be_agreed(study).filter(agenda.matching(search, "")), PER_PAGE).get_page(wanted)
    else:
        listed = agenda.coming(study) if show == "coming" else agenda.past(study)
        fixed = Paginator(listed.filter(agenda.matching(search, "participation__")), PER_PAGE).get_page(wanted)
        days, page = agenda.looked_at(fixed), fixed
    context = {
        "study": study,
        "form": form,
        "shows": agenda.SHOWS.items(),
        "show": show,
        "search": search,
        "query": urlencode({"show": show, "q": search}),
        "page": page,
        "days": days,
        "slots": study.slots.filter(starts_at__gte=timezone.now()).select_related("researcher", "taken_by__team")[:200],
        "feed": calendars.feed_address(user),
    }
    return render(request, "surveys/meetings.html", context)


@require_POST
def slot_withdraw(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    slot = study.slots.filter(pk=pk).first()
    if slot is None or withdraw_slot(slot):  # somebody may have taken it back a moment ago
        messages.success(request, _("The time is no longer offered."))
    else:
        messages.warning(request, _("A team has taken this time. Call the meeting off, or move it."))
    return redirect("meetings", slug)


@require_POST
def feed_change(request: HttpRequest, slug: str) -> HttpResponse:
    """A new secret address, or none any more."""
    access.study_for_researcher(request.user, slug)
    user = access.signed_in(request)
    if "end" in request.POST:
        calendars.end_feed(user)
        messages.success(request, _("Your calendar address has been switched off: it no longer works."))
    else:
        calendars.renew_feed(user)
        messages.success(request, _("Your calendar address is ready. If you had one before, it no longer works."))
    return redirect("meetings", slug)


@login_not_required
@never_cache
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """Public by its secret address, which calendar programs ask for again and again: it says which teams meet when."""
    user = calendars.user_of_feed(token)
    if user is None:
        raise Http404
    with override(user.language):
        response = HttpResponse(calendars.feed(user), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="teamspiegel.ics"'
    response["Referrer-Policy"] = "no-referrer"
    return response
