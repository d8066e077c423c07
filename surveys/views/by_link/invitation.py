"""Public by link: the invitation of a team leader. The director's page is the same address, by another link.

It stands here and not in teams/ because accepting may open the team's collection.
"""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from surveys.collecting.accepting import accept
from teams.forms.invitations import DeclineForm, LeaderForm
from teams.inviting import invitations
from teams.models import Invitation
from teams.models.languages import current_language
from teams.people.contact_person import SamePerson, why_not_contact
from teams.views import withdrawal
from teams.views.director import director_page, invitation_by_link, link_ended


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, invitation_id: int) -> HttpResponse:
    opened = invitation_by_link(request, invitation_id)
    if opened is None:
        return link_ended(request)
    if opened.participation_id is None:
        return director_page(request, opened)
    return leader_page(request, opened)


def leader_page(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """The study in one screen; acceptance with the way of collecting, or a refusal with its reason."""
    participation = invitation.participation
    assert participation is not None
    context = {
        "invitation": invitation,
        "study": invitation.study,
        "participation": participation,
        "team": participation.team,
        "academy": participation.team.academy,
    }
    if invitation.state != Invitation.State.SENT:
        stopping, done = withdrawal.act(request, invitation)
        return done or render(request, "surveys/leader_answered.html", {**context, **stopping})
    declining = "decline" in request.POST
    form = LeaderForm(request.POST if request.POST and not declining else None, participation=participation)
    decline_form = DeclineForm(request.POST if declining else None)
    if form.is_bound and form.is_valid():
        try:
            accepted = accept(invitation, form.answers(), meets_at=form.meets_at(), language=current_language())
        except SamePerson as error:  # another leader was named since the form looked, or the leader does research now
            of_contact = why_not_contact(participation, form.cleaned_data["contact_email"])
            form.add_error("contact_email" if of_contact else None, str(error))
        else:
            if accepted:
                messages.success(request, _("Thank you. Your team is taking part."))
            return redirect("invitation", invitation.pk)
    if decline_form.is_bound and decline_form.is_valid():
        if invitations.decline(invitation, **decline_form.cleaned_data):
            messages.success(request, _("Thank you for letting us know."))
        return redirect("invitation", invitation.pk)
    return render(request, "surveys/leader_invitation.html", {**context, "form": form, "decline_form": decline_form})
