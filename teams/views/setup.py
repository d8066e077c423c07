"""Researchers: the academies and teams of a study, and their invitations."""

from collections.abc import Iterable
from urllib.parse import urlencode

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from teams import access
from teams.contacts import contacts
from teams.forms.filled import hold
from teams.forms.invitations import WithdrawForm
from teams.forms.studies import AcademyForm, NewTeamForm, TeamForm
from teams.inviting import corrections, invitations, new_leaders
from teams.inviting.withdrawing import reissue, withdraw
from teams.mail import listing, refusals
from teams.models import Academy, Invitation, Participation
from teams.people.contact_person import SamePerson
from teams.people.elsewhere import Elsewhere
from teams.studies import setting_up
from teams.studies.listing import list_teams
from teams.text import glyphs
from teams.text.directions import isolated


@require_safe
def teams(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    search, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    context = {
        "study": study,
        "listing": list_teams(study, search, state, request.GET.get("page")),
        "query": urlencode({"q": search, "state": state}),
        "search": search,
        "state": state,
        "states": Participation.State.choices,
        "why_not_yet": setting_up.why_not_yet(study),
    }
    return render(request, "teams/teams.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def academy_new(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    form = AcademyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            academy = contacts.add_academy(study, form.data_of(), access.signed_in(request))
        except Elsewhere as error:
            form.add_error(None, str(error))
        except SamePerson as error:
            form.add_error("director_email", str(error))
        else:
            messages.success(request, _("%(academy)s is on the list.") % {"academy": isolated(academy)})
            warn_of_boxes(request, [academy.name])
            return redirect("teams", slug)
    context = {"study": study, "form": form, "institutions": form.institutions(study)}
    return render(request, "teams/academy_new.html", context)


def warn_of_boxes(request: HttpRequest, texts: Iterable[str]) -> None:
    """Name the signs of a text that was just frozen or saved which no font of the PDFs has."""
    if words := glyphs.in_words(texts):
        messages.warning(request, words)


@require_http_methods(["GET", "HEAD", "POST"])
def academy_edit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    study, academy = access.academy_for_researcher(request.user, slug, pk)
    invitation = Invitation.objects.select_related("study").get(study=study, academy=academy)
    hold(request, academy)
    form = AcademyForm(request.POST or None, academy=academy)
    if request.method == "POST" and form.is_valid():
        try:
            contacts.change_academy(academy, form.data_of(), access.signed_in(request))
        except IntegrityError:  # somebody took the name since the form looked: the constraint decides
            form.add_error("name", _("This institution has another academy with this name."))
        except SamePerson as error:
            form.add_error("director_email", str(error))
        except Elsewhere as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The details of %(academy)s are saved.") % {"academy": isolated(academy)})
            warn_of_boxes(request, [academy.name])
            return redirect("teams", slug)
    context = {
        "study": study,
        "academy": academy,
        "form": form,
        "invitation": invitation,
        "row": listing.last_mail_about(invitation),
        "no_reminders": refusals.wants_none(academy.director_email),
        "withdraw_form": WithdrawForm(),
    }
    return render(request, "teams/academy_edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def team_new(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    form = NewTeamForm(request.POST or None, study=study, initial={"academy": request.GET.get("academy")})
    if request.method == "POST" and form.is_valid():
        academy: Academy = form.cleaned_data["academy"]
        try:
            participation = contacts.add_team(study, academy, form.data_of(), access.signed_in(request))
        except SamePerson as error:
            form.add_error("leader_email", str(error))
        else:
            messages.success(request, _("%(team)s is on the list.") % {"team": isolated(participation.team)})
            warn_of_boxes(request, [participation.team.name, academy.name])
            return redirect("teams", slug)
    return render(request, "teams/team_new.html", {"study": study, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def team_edit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    participation = access.participation_for_researcher(request.user, slug, pk)
    invitation = Invitation.objects.filter(participation=participation).first()  # none where answers were imported
    hold(request, participation, participation.team)
    led_by = participation.leader_email
    form = TeamForm(request.POST or None, participation=participation)
    if request.method == "POST" and form.is_valid():
        try:
            contacts.change_team(participation, form.data_of(), access.signed_in(request))
        except IntegrityError:  # as in academy_edit
            form.add_error("name", _("This academy already has a team with this name and form."))
        except SamePerson as error:
            form.add_error("leader_email", str(error))
        except Elsewhere as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The details of %(team)s are saved.") % {"team": isolated(participation.team)})
            if participation.leader_email != led_by and (untold := new_leaders.untold(participation)):
                messages.warning(request, untold)
            warn_of_boxes(request, [participation.team.name])
            return redirect("teams", slug)
    context = {
        "study": participation.study,
        "participation": participation,
        "form": form,
        "invitation": invitation,
        "row": listing.last_mail_about(invitation) if invitation is not None else None,
        "no_reminders": invitation is not None and refusals.wants_none(participation.leader_email),
        "later_waves": _later_waves(request, participation),
        "without_leader": corrections.without_leader(participation),
        "withdraw_form": WithdrawForm(),
    }
    return render(request, "teams/team_edit.html", context)


@require_POST
def leader_let_in(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A researcher opens the pages of a team that nobody invited to its leader."""
    participation = access.participation_for_researcher(request.user, slug, pk)
    try:
        let_in = corrections.let_leader_in(participation, by=access.signed_in(request))
    except SamePerson as error:
        messages.error(request, str(error))
        return redirect("team_edit", slug, pk)
    if let_in:
        text = _("%(name)s can now open the pages of %(team)s, and gets an email.")
        messages.success(
            request, text % {"name": isolated(participation.leader_name), "team": isolated(participation.team)}
        )
    else:
        messages.warning(request, _("Nothing was changed."))
    return redirect("team_edit", slug, pk)


@require_POST
def wave_hand_over(request: HttpRequest, slug: str, pk: int, later_id: int) -> HttpResponse:
    """A researcher gives an earlier wave to who leads the team in a later one."""
    participation = access.participation_for_researcher(request.user, slug, pk)
    waves = Participation.objects.filter(team=participation.team_id, study__in=access.studies_of(request.user))
    later = get_object_or_404(waves.select_related("study"), pk=later_id)
    try:
        handed_over = corrections.hand_over(participation, later, by=access.signed_in(request))
    except SamePerson as error:
        messages.error(request, str(error))
        return redirect("team_edit", slug, pk)
    if handed_over:
        text = _(
            "%(name)s now leads %(team)s in this study. The previous team leader gets an email, and so does the new "
            "one."
        )
        messages.success(request, text % {"name": isolated(later.leader_name), "team": isolated(participation.team)})
    else:
        messages.warning(request, _("Nothing was changed."))
    return redirect("team_edit", slug, pk)


def _later_waves(request: HttpRequest, participation: Participation) -> list[Participation]:
    """Those in studies in which the researcher works."""
    own_studies = set(access.studies_of(request.user).values_list("pk", flat=True))
    return [later for later in corrections.later_waves(participation) if later.study_id in own_studies]


@require_POST
def invite_directors(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    try:
        n_invited = invitations.invite_directors(study, access.signed_in(request))
    except setting_up.NotYet as why:
        messages.error(request, str(why))
        return redirect("teams", slug)
    if n_invited:
        text = ngettext("%(n)s director is being sent an email.", "%(n)s directors are being sent an email.", n_invited)
        messages.success(request, text % {"n": n_invited})
    else:
        messages.warning(request, _("There was nobody left to invite."))
    return redirect("teams", slug)


@require_POST
def invitation_remind(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    invitation = access.invitation_for_researcher(request.user, slug, pk)
    if invitations.remind(invitation, access.signed_in(request)):
        messages.success(request, _("The reminder is on its way."))
    else:
        messages.warning(
            request, _("No reminder was sent: the answer is in, or a reminder was sent less than a day ago.")
        )
    return redirect("teams", slug)


@require_POST
def invitation_reissue(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    invitation = access.invitation_for_researcher(request.user, slug, pk)
    if reissue(invitation, access.signed_in(request)):
        messages.success(request, _("A new link is on its way. The old one no longer works."))
    else:
        messages.warning(request, _("No new link was sent: there is no answer to wait for."))
    return redirect("teams", slug)


@require_POST
def invitation_withdraw(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A director or a leader who told the researcher that the academy or the team stops."""
    invitation = access.invitation_for_researcher(request.user, slug, pk)
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose the reason why they are stopping."))
        page = "academy_edit" if invitation.academy_id else "team_edit"
        return redirect(page, slug, invitation.academy_id or invitation.participation_id)
    if withdraw(invitation, **form.cleaned_data, by=access.signed_in(request)):
        messages.success(request, _("They no longer take part. The team leaders get an email."))
    else:
        messages.warning(request, _("Nothing was changed: they do not take part."))
    return redirect("teams", slug)
