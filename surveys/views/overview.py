"""Researchers: collecting in all teams of a study."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from surveys.collecting_list import STATES, list_collecting
from surveys.models import Survey
from teams import access
from teams.models import Participation


@never_cache
@require_safe
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """A page of the teams that take part, with their counts and codes, in as many queries for twenty teams as for two."""
    study = access.study_for_researcher(request.user, slug)
    search = request.GET.get("q", "").strip()
    state, mode = request.GET.get("state", ""), request.GET.get("mode", "")
    state = state if state in STATES else ""
    mode = mode if mode in Participation.Mode.values else ""
    context = {
        "study": study,
        "survey": Survey.objects.filter(study=study).first(),
        "listing": list_collecting(study, search, state, mode, request.GET.get("page")),
        "filtered": bool(search or state or mode),
        "query": urlencode({"q": search, "state": state, "mode": mode}),
        "search": search,
        "state": state,
        "states": STATES.items(),
        "mode": mode,
        "modes": Participation.Mode.choices,
    }
    return render(request, "surveys/collecting.html", context)
