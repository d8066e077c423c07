"""Researchers: what happened in a study, and to one of its teams."""

from collections.abc import Iterable
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from teams import access, history
from teams.models import Event

HISTORIES = ("study", "academies", "teams")  # what `about` in the address may say
EVENTS_PER_PAGE = 50


@require_safe
def study_history(request: HttpRequest, slug: str) -> HttpResponse:
    """What happened in a study, its academies and its teams. Who may see the study may see this."""
    study = access.study_for_researcher(request.user, slug)
    about = request.GET.get("about", "")
    about = about if about in HISTORIES else ""
    page = Paginator(history.history_of_study(study, about), EVENTS_PER_PAGE).get_page(request.GET.get("page"))
    choices = [
        ("", _("everything")),
        ("study", _("the study as a whole")),
        ("academies", _("academies")),
        ("teams", _("teams")),
    ]
    context = {
        "study": study,
        "events": _told(page),
        "page": page,
        "about": about,
        "choices": choices,
        "query": urlencode({"about": about}),
    }
    return render(request, "teams/study_history.html", context)


def _told(events: Iterable[Event]) -> list[tuple[Event, str, str]]:
    return [(event, history.in_words(event), history.detail_in_words(event)) for event in events]


@require_safe
def team_history(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    participation = access.participation_for_researcher(request.user, slug, pk)
    events = _told(history.history_of(participation))
    context = {"study": participation.study, "participation": participation, "events": events}
    return render(request, "teams/team_history.html", context)
