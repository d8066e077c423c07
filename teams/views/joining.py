"""Public by link: whether somebody who was asked to do research will. Opening the link changes nothing."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from teams.accounts.sign_in import set_password_path
from teams.base import once
from teams.models import ResearcherInvitation
from teams.studies import joining


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join_research(request: HttpRequest, token: str) -> HttpResponse:
    invitation = joining.find(token)
    if invitation is None:
        response = render(request, "teams/link_ended.html", status=404)
    elif request.method == "POST":
        response = _answered(request, invitation)
    else:
        response = _page(request, invitation, joining.why_not(invitation))
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _answered(request: HttpRequest, invitation: ResearcherInvitation) -> HttpResponse:
    if "decline" in request.POST:
        joining.decline(invitation)
        return once.keep(render(request, "teams/research_declined.html"))
    try:
        user = joining.accept(invitation)
    except joining.LeadsTeam as reason:
        return _page(request, invitation, str(reason))
    if user is None:
        return render(request, "teams/link_ended.html", status=404)
    if not user.has_usable_password():
        return redirect(set_password_path(user))
    return redirect(reverse("board", args=[invitation.study.slug]) if invitation.study else reverse("studies"))


def _page(request: HttpRequest, invitation: ResearcherInvitation, why_not: str) -> HttpResponse:
    by = invitation.invited_by
    context = {
        "invitation": invitation,
        "by": by.name or by.email if by else _("Somebody"),
        "why_not": why_not,
    }
    return render(request, "teams/join_research.html", context)
