"""Researchers: what looks double among institutions, academies, teams and leaders, and merging two into one."""

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from teams import access
from teams.contacts import duplicates as steps
from teams.models import Academy, Institution, Study, Team


@require_safe
def duplicates(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    suggested = steps.suggestions(access.studies_of(request.user).filter(group=study.group_id))
    context = {
        "study": study,
        "suggestions": [(steps.KIND_WORDS[suggestion.kind], suggestion) for suggestion in suggested],
    }
    return render(request, "teams/duplicates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, slug: str, kind: str, keep: int, other: int) -> HttpResponse:
    """Both side by side, and what would move; POST merges, after the question whether that is meant."""
    study = access.study_for_researcher(request.user, slug)
    studies = list(access.studies_of(request.user).filter(group=study.group_id))
    kept, gone = (_find(kind, pk, studies) for pk in (keep, other))
    refused = ""
    if request.method == "POST":
        try:
            steps.merge(kind, kept, gone, studies, access.signed_in(request))
        except steps.Refused as error:
            refused = str(error)
        else:
            messages.success(request, _("The two have been merged."))
            return redirect("duplicates", slug)
    context = {
        "study": study,
        "kind": kind,
        "kind_word": steps.KIND_WORDS[kind],
        "keep": kept,
        "other": gone,
        "moves": steps.moves(kind, gone, studies),
        "keep_has": steps.moves(kind, kept, studies),
        "together": steps.together(kept, gone, studies) if kind != steps.PERSON else [],
        "refused": refused,
    }
    return render(request, "teams/merge.html", context)


def _find(kind: str, pk: int, studies: list[Study]) -> Institution | Academy | Team:
    """One of a pair, if it is in a study in which the person works. Raises Http404 otherwise."""
    if kind == "institution":
        return get_object_or_404(
            Institution.objects.filter(academies__invitations__study__in=studies).distinct(), pk=pk
        )
    if kind == "academy":
        academies = Academy.objects.filter(Q(invitations__study__in=studies)).select_related("institution")
        return get_object_or_404(academies.distinct(), pk=pk)
    if kind in ("team", steps.PERSON):
        teams = Team.objects.filter(participations__study__in=studies).select_related("academy__institution")
        team = get_object_or_404(teams.distinct(), pk=pk)
        steps.as_led_in([team], studies)
        return team
    raise Http404
