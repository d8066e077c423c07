"""Researchers: the list of studies, a new one, its settings."""

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from teams import access
from teams.forms.filled import hold
from teams.forms.studies import ResearcherForm, StudyForm
from teams.models import Participation, ResearcherInvitation, Study
from teams.models.languages import current_language
from teams.studies import joining, retention
from teams.studies import setting_up as steps
from teams.text.directions import isolated
from teams.views.setup import warn_of_boxes


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
    own_studies = access.studies_of(user)
    context = {
        "studies": with_team_counts(own_studies),
        "due": [study.pk for study in retention.due(own_studies)],
        "n_deleted": access.deletions_of(user).count(),
    }
    return render(request, "teams/studies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def study_new(request: HttpRequest) -> HttpResponse:
    user = access.researcher(request.user)
    initial = {"contact_name": user.name, "contact_email": user.email, "language": user.language}
    groups = access.groups_of(user)
    if not groups.exists():
        messages.warning(
            request,
            _(
                "A study belongs to a research group, and you are not a member of one yet. Ask an "
                "administrator to add you."
            ),
        )
        return redirect("groups" if user.is_superuser else "studies")
    form = StudyForm(request.POST or None, initial=initial, studies=access.studies_of(user), groups=groups)
    if request.method == "POST" and form.is_valid():
        study = steps.create_study(form.cleaned_data, user)
        messages.success(request, _("The study has been created. Now put the academies and teams on its list."))
        warn_of_boxes(request, _printed(study))
        return redirect("teams", study.slug)
    return render(request, "teams/study_new.html", {"form": form})


def _printed(study: Study) -> list[str]:
    """What the paper form and the reports say of a study in its researchers' words."""
    return [study.title, study.contact_name, study.controller, study.privacy_contact]


@require_http_methods(["GET", "HEAD", "POST"])
def study_settings(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    hold(request, study)
    form = StudyForm(
        request.POST or None,
        instance=study,
        studies=access.studies_of(request.user),
        promised=steps.promises_made(study),
    )
    if request.method == "POST" and form.is_valid():
        changed = steps.change_settings(study, form.cleaned_data, access.signed_in(request))
        messages.success(request, _("The settings are saved.") if changed else _("Nothing was changed."))
        if changed:
            warn_of_boxes(request, _printed(study))
        return redirect("study_settings", study.slug)
    return render(
        request, "teams/study_settings.html", {"form": form, "study": study, "until": retention.promised_until(study)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def study_people(request: HttpRequest, slug: str) -> HttpResponse:
    """Who may work in the study, and a form to let somebody in."""
    study = access.study_for_researcher(request.user, slug)
    form = ResearcherForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by = access.signed_in(request)
        try:
            asked = joining.ask_for_study(study, **form.cleaned_data, by=by, language=current_language())
        except joining.LeadsTeam as reason:
            form.add_error("email", str(reason))
        else:
            tell_asked(request, asked, form.cleaned_data["name"], _("This person already works in the study."))
            return redirect("study_people", slug)
    context = {
        "study": study,
        "form": form,
        "roles": steps.researchers_of(study),
        "asked": joining.asked_for(study),
        "days": joining.DAYS,
    }
    return render(request, "teams/study_people.html", context)


def tell_asked(request: HttpRequest, asked: joining.Asked, name: str, already: str) -> None:
    """What came of adding somebody, at the top of the next page."""
    match asked:
        case joining.Asked.WORKS:
            messages.success(
                request,
                _("%(name)s is a member of the group, works here from now on, and is being sent an email.")
                % {"name": isolated(name)},
            )
        case joining.Asked.MAILED:
            messages.success(
                request,
                _("%(name)s is being sent an email, and can work here after saying yes.") % {"name": isolated(name)},
            )
        case joining.Asked.WAITS:
            messages.warning(
                request,
                _("%(name)s was sent an email less than a day ago. You can ask again tomorrow.")
                % {"name": isolated(name)},
            )
        case joining.Asked.ALREADY:
            messages.warning(request, already)


def take_back(request: HttpRequest, invitation: ResearcherInvitation | None) -> None:
    """Take a question back, and say so; nothing where it was answered or taken back meanwhile."""
    if invitation is None:
        messages.warning(request, _("This invitation was answered or withdrawn in the meantime."))
        return
    joining.take_back(invitation, access.signed_in(request))
    messages.success(request, _("The invitation to %(email)s is withdrawn.") % {"email": invitation.email})


@require_POST
def study_asked_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take back that somebody was asked."""
    study = access.study_for_researcher(request.user, slug)
    take_back(request, joining.asked_for(study).filter(pk=pk).first())
    return redirect("study_people", slug)


@require_POST
def study_person_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    role = access.researcher_role(request.user, slug, pk)
    if not steps.remove_researcher(role, access.signed_in(request)):
        messages.warning(request, _("A study needs at least one researcher."))
        return redirect("study_people", slug)
    messages.success(request, _("%(name)s no longer works in this study.") % {"name": isolated(role.user)})
    # who took themselves off may see the study no more
    return redirect("studies") if role.user_id == access.signed_in(request).pk else redirect("study_people", slug)
