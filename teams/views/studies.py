"""Researchers: the list of studies, a new one, its settings."""

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from teams import access
from teams import studies as steps
from teams.forms import ResearcherForm, StudyForm
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


@require_http_methods(["GET", "HEAD", "POST"])
def study_people(request: HttpRequest, slug: str) -> HttpResponse:
    """Who may work in the study, and a form to let somebody in."""
    study = access.study_for_researcher(request.user, slug)
    form = ResearcherForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by = access.signed_in(request)
        if steps.add_researcher(study, **form.cleaned_data, by=by, language=get_language() or "nl"):
            messages.success(request, _("%(name)s is being mailed.") % {"name": form.cleaned_data["name"]})
        else:
            messages.warning(request, _("This person works in the study already."))
        return redirect("study_people", slug)
    context = {"study": study, "form": form, "roles": steps.researchers_of(study)}
    return render(request, "teams/study_people.html", context)


@require_POST
def study_person_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    role = access.researcher_role(request.user, slug, pk)
    if not steps.remove_researcher(role, access.signed_in(request)):
        messages.warning(request, _("A study needs at least one researcher."))
        return redirect("study_people", slug)
    messages.success(request, _("%(name)s no longer works in this study.") % {"name": role.user})
    # who took themselves off may see the study no more
    return redirect("studies") if role.user_id == access.signed_in(request).pk else redirect("study_people", slug)
