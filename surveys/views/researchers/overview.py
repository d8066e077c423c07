"""Researchers: collecting in all teams of a study."""

from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from surveys.collecting import collections
from surveys.collecting.listing import STATES, list_collecting
from surveys.models import Survey
from teams import access
from teams.models import Participation, Study


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
        "n_not_open": collections.not_open(study).count(),
    }
    return render(request, "surveys/collecting.html", context)


@never_cache
@require_POST
def open_missing(request: HttpRequest, slug: str) -> HttpResponse:
    """Open what should be open and is not, outside this transaction: nobody waits for all of it."""
    study = access.study_for_researcher(request.user, slug)
    transaction.on_commit(partial(_open_missing, request, study), robust=True)
    return redirect("collecting", slug)


def _open_missing(request: HttpRequest, study: Study) -> None:
    n_opened = collections.open_missing(study)
    missing = collections.not_open(study).count()
    if n_opened:
        opened = ngettext(
            "The questionnaire is open for %(n)s more team.",
            "The questionnaire is open for %(n)s more teams.",
            n_opened,
        )
        messages.success(request, opened % {"n": n_opened})
    if missing:
        messages.error(request, not_opened(missing))
    elif not n_opened:
        messages.info(request, _("The questionnaire is already open for every team that takes part."))


def not_opened(n: int) -> str:
    """What is said of teams that could not be opened."""
    return ngettext(
        "The questionnaire could not be opened for %(n)s team: the server could not write its key. It is retried "
        "automatically.",
        "The questionnaire could not be opened for %(n)s teams: the server could not write their keys. It is retried "
        "automatically.",
        n,
    ) % {"n": n}
