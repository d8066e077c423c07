"""Public by link: taking back a permission, in two steps; the second needs a code from the mailbox."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from teams.forms.invitations import WithdrawByLinkForm
from teams.inviting import link_codes
from teams.inviting.withdrawing import withdraw
from teams.models import Invitation


def act(request: HttpRequest, invitation: Invitation) -> tuple[dict[str, object], HttpResponse | None]:
    """What the page shows about stopping, and the answer where a button was pressed that this takes care of."""
    again = redirect("invitation", invitation.pk)
    if invitation.state != Invitation.State.ACCEPTED:
        return {}, again if {"withdraw", "withdraw_code"} & request.POST.keys() else None
    if "withdraw_code" in request.POST:
        if link_codes.ask(invitation):
            messages.success(
                request, _("The code is on its way. It works for %(n)s minutes.") % {"n": link_codes.MINUTES}
            )
        else:
            messages.warning(
                request,
                _(
                    "A code was sent a moment ago, or many have been sent today. Look in your email, or try "
                    "again later."
                ),
            )
        return {}, again
    form = WithdrawByLinkForm(request.POST if "withdraw" in request.POST else None)
    if form.is_bound and form.is_valid():
        answer = dict(form.cleaned_data)
        if link_codes.spend(invitation, answer.pop("code")):
            withdraw(invitation, **answer, by_link=True)
            return {}, again
        form.add_error("code", _("This is not the code, or it no longer works. Ask for a new one."))
    context = {
        "withdraw_form": form,
        "withdraw_by_link": True,
        "code_waits": link_codes.waiting(invitation) is not None,
        "code_address": link_codes.masked_address(invitation),
    }
    return context, None
