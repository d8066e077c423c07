"""Public by link: the invitation of an academy's director. No account; who holds the link may answer."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from teams import links
from teams.forms.filled import hold
from teams.forms.invitations import DeclineForm, DirectorForm
from teams.inviting import invitations
from teams.models import Invitation
from teams.people.contact_person import SamePerson
from teams.views import withdrawal


@login_not_required
@require_safe
def invitation_link(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link writes nothing: the token moves into a cookie for the invitation's page."""
    read = links.read_token(links.INVITATION, token)
    if read is None:
        return link_ended(request)
    return links.enter(links.INVITATION, token, reverse("invitation", args=[read.object_id]))


def invitation_by_link(request: HttpRequest, invitation_id: int) -> Invitation | None:
    """The invitation that the visitor's link opens; None if the link ended or there is none."""
    try:
        token = links.token_of(request, links.INVITATION)
    except Http404:
        return None
    invitation = (
        Invitation.objects.select_related("study", "academy__institution", "participation__team__academy__institution")
        .filter(pk=invitation_id)
        .first()
    )
    if invitation is None or not token.opens(invitation.pk, invitation.nonce) or invitations.link_ended(invitation):
        return None
    return invitation


@never_cache
def link_ended(request: HttpRequest) -> HttpResponse:
    """The same page for a wrong, an old and a missing link: it tells nothing about what exists."""
    return render(request, "teams/link_ended.html", status=404)


def director_page(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """The study in one screen; permission with the teams to approach, or a refusal with its reason."""
    if invitation.state == Invitation.State.ACCEPTED:
        return _answered(request, invitation)
    if invitation.state != Invitation.State.SENT:
        return render(request, "teams/director_answered.html", {"invitation": invitation, "study": invitation.study})
    undecided = invitations.undecided_teams(invitation)
    hold(request, *undecided)
    declining = "decline" in request.POST
    form = DirectorForm(
        request.POST if request.POST and not declining else None,
        participations=undecided,
        invitation=invitation,
    )
    decline_form = DeclineForm(request.POST if declining else None)
    if form.is_bound and form.is_valid():
        try:
            accepted = invitations.accept_academy(
                invitation, form.approach(), not_before=form.cleaned_data["not_before"]
            )
        except SamePerson as error:
            form.refuse_leader(error)
        else:
            if accepted:
                messages.success(request, _("Thank you. Your permission is recorded."))
            return redirect("invitation", invitation.pk)
    if decline_form.is_bound and decline_form.is_valid():
        if invitations.decline(invitation, **decline_form.cleaned_data):
            messages.success(request, _("Thank you for letting us know."))
        return redirect("invitation", invitation.pk)
    context = {"invitation": invitation, "study": invitation.study, "form": form, "decline_form": decline_form}
    return render(request, "teams/director_invitation.html", context)


def _answered(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """What the director decided; teams that came on the list later can still be decided about."""
    undecided = invitations.undecided_teams(invitation)
    hold(request, *undecided)
    stopping, done = withdrawal.act(request, invitation)
    if done is not None:
        return done
    answer = request.POST if request.POST and "withdraw" not in request.POST else None
    form = DirectorForm(answer, participations=undecided, invitation=invitation) if undecided else None
    if form and form.is_bound and form.is_valid():
        try:
            n_approached = invitations.approach_more(invitation, form.approach())
        except SamePerson as error:
            form.refuse_leader(error)
        else:
            if n_approached:
                messages.success(request, _("Thank you. Your permission is recorded."))
            return redirect("invitation", invitation.pk)
    context = {
        "invitation": invitation,
        "study": invitation.study,
        "participations": invitations.teams_of(invitation),
        "form": form,
        **stopping,
    }
    return render(request, "teams/director_answered.html", context)
