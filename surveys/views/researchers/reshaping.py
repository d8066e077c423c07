"""Researchers: two teams of a study become one, or one becomes two. What comes of it is said before."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from surveys.forms.reshaping import MergeForm, SplitForm
from surveys.reshaping import merging, splitting
from teams import access
from teams.forms.filled import hold
from teams.inviting import new_leaders
from teams.models import Participation, Role
from teams.people.contact_person import SamePerson, hold_academy
from teams.text.directions import isolated


@require_safe
def reshape(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """With which teams this one can become one, and whether it can become two."""
    participation = access.participation_for_researcher(request.user, slug, pk)
    others = [(other, merging.why_not(participation, other)) for other in merging.others(participation)]
    reasons = {why_not for _other, why_not in others}
    context = {
        "study": participation.study,
        "participation": participation,
        "others": others,
        "why_none": reasons.pop() if len(reasons) == 1 else "",  # said once, not beside each
        "why_no_split": splitting.why_not(participation),
    }
    return render(request, "surveys/team_reshape.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, slug: str, pk: int, other: int) -> HttpResponse:
    """Both side by side, what becomes of everything, who leads; POST merges."""
    keep = access.participation_for_researcher(request.user, slug, pk)
    try:
        gone = access.participation_for_researcher(request.user, slug, other)
    except access.NotAnyMore as error:  # another researcher was first
        messages.warning(request, str(error))
        return redirect("team_reshape", slug, pk)
    refused = ""
    if request.method == "POST":
        try:
            keep, gone = merging.hold_both(keep, gone)
        except merging.Refused as error:
            messages.error(request, str(error))
            return redirect("team_reshape", slug, pk)
    form = MergeForm(request.POST or None, keep=keep, gone=gone)
    if request.method == "POST" and form.is_valid():
        merger, name = form.merger(), gone.team.name
        try:
            merging.merge(keep, gone, merger, by=access.signed_in(request))
        except merging.Refused as error:
            refused = str(error)
        except SamePerson as error:
            form.add_error("leader_email" if form.cleaned_data["leader"] == "other" else "leader", str(error))
        else:
            text = _("%(other)s and %(team)s are now one team in this study.")
            messages.success(request, text % {"other": isolated(name), "team": isolated(keep.team.name)})
            _warn(request, slug, pk, keep.leader_email)
            return redirect("team_edit", slug, pk)
    context = {
        "study": keep.study,
        "keep": keep,
        "gone": gone,
        "form": form,
        "refused": refused or merging.why_not(keep, gone),
        "pair": [(keep, _led(keep)), (gone, _led(gone))],
        "taking_part": keep.state == Participation.State.ACCEPTED,
        "in_other_studies": Participation.objects.filter(team=gone.team_id).exclude(pk=gone.pk).exists(),
    }
    return render(request, "surveys/team_merge.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def split(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The new team with its leader, both numbers, what cannot be moved; POST splits."""
    participation = access.participation_for_researcher(request.user, slug, pk)
    if request.method == "POST":
        hold_academy(participation.team.academy_id)
        hold(request, participation)
    refused = splitting.why_not(participation)
    n_teachers = splitting.n_teachers(participation)
    form = SplitForm(request.POST or None, participation=participation, n_teachers=n_teachers)
    if request.method == "POST" and not refused and form.is_valid():
        try:
            made = splitting.split(participation, form.new_team(), by=access.signed_in(request))
        except splitting.Refused as error:
            form.add_error(None, str(error))
        except SamePerson as error:
            form.add_error("leader_email", str(error))
        else:
            text = _("%(new)s is now a separate team in this study, next to %(old)s.")
            messages.success(
                request, text % {"new": isolated(made.team.name), "old": isolated(participation.team.name)}
            )
            return redirect("team_edit", slug, made.pk)
    context = {
        "study": participation.study,
        "participation": participation,
        "form": form,
        "refused": refused,
        "open": splitting.collection_of(participation) is not None,
        "asked_now": splitting.is_asked_now(participation),
        "k": participation.study.k,
    }
    return render(request, "surveys/team_split.html", context)


def _led(participation: Participation) -> bool:
    """Whether its pages open to somebody."""
    return Role.objects.filter(participation=participation, kind=Role.Kind.LEADER).exists()


def _warn(request: HttpRequest, slug: str, pk: int, led_by: str) -> None:
    """Say it where another leads the team now who gets no mail about it."""
    kept = access.participation_for_researcher(request.user, slug, pk)
    if kept.leader_email != led_by and (untold := new_leaders.untold(kept)):
        messages.warning(request, untold)
