"""Researchers: the list of studies, a new one, its settings."""

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from teams import access
from teams import studies as steps
from teams.forms import StudyForm
from teams.models import Participation, Study


def with_team_counts(studies: QuerySet[Study]) -> QuerySet[Study]:
    """The studies with how many teams are on the list, were invited and take part."""
    state = Participation.State
    return studies.annotate(
        n_teams=Count("participations", distinct=True),
        n_invited=Count("participations", filter=~Q(participations__state=state.LISTED), distinct=True),
        n_accepted=Count("participations", filter=Q(participations__state=state.ACCEPTED), distinct=True),
    )


@require_safe
def studies(request: HttpRequest) -> HttpResponse:
    user = access.researcher(request.user)
    return render(request, "teams/studies.html", {"studies": with_team_counts(access.studies_of(user))})


@require_http_methods(["GET", "HEAD", "POST"])
def study_new(request: HttpRequest) -> HttpResponse:
    user = access.researcher(request.user)
    initial = {"contact_name": user.name, "contact_email": user.email}
    form = StudyForm(request.POST or None, initial=initial, studies=access.studies_of(user))
    if request.method == "POST" and form.is_valid():
        study = steps.create_study(form.cleaned_data, user)
        messages.success(request, _("The study is made. Now put the academies and teams on its list."))
        return redirect("teams", study.slug)
    return render(request, "teams/study_new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def study_settings(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    form = StudyForm(
        request.POST or None,
        instance=study,
        studies=access.studies_of(request.user),
        promised=steps.promises_made(study),
    )
    if request.method == "POST" and form.is_valid():
        changed = steps.change_settings(study, form.cleaned_data, access.signed_in(request))
        messages.success(request, _("The settings are saved.") if changed else _("Nothing was changed."))
        return redirect("study_settings", study.slug)
    return render(request, "teams/study_settings.html", {"form": form, "study": study})
