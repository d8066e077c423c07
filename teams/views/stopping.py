"""Public by link: no more reminders, or again. The link of a reminder does this and nothing else (RFC 8058).

Opening it changes nothing, because mail scanners open links too; the button does, and so does the post that a mailbox sends
by itself when its user presses "unsubscribe". That post carries no cookie and no form token: the address is the permission.
"""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from teams import links
from teams.inviting import invitations, reminders
from teams.mail import refusals
from teams.models import Invitation, Study


def _nothing() -> None:
    """For a link that opens nothing."""


def stop_page(
    request: HttpRequest,
    study: Study | None,
    ended: bool = False,
    end: Callable[[], object] = _nothing,
    again: Callable[[], object] = _nothing,
) -> HttpResponse:
    """The answer to opening such a link, and to its buttons; ``study`` is None for a link that opens nothing.

    Args:
        ended: whether the reader gets no reminders as it stands.
        end: what the button does.
        again: what takes it back.
    """
    if study is None:
        response = render(request, "teams/link_ended.html", status=404)
    elif request.method != "POST":
        response = render(request, "teams/no_reminders.html", {"study": study, "ended": ended})
    else:
        one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        if "again" in request.POST and not one_click:
            again()
        else:
            end()
        response = HttpResponse(content_type="text/plain") if one_click else redirect(request.path)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def no_reminders(request: HttpRequest, token: str) -> HttpResponse:
    """A director or team leader wants no more reminders; the invitation stays, and its link keeps working."""
    read = links.read_token(links.NO_REMINDERS, token)
    rows = Invitation.objects.select_related("study", "academy", "participation")
    invitation = rows.filter(pk=read.object_id).first() if read else None
    if read is None or invitation is None or not read.opens(invitation.pk, invitation.nonce):
        return stop_page(request, None)
    ended = refusals.wants_none(invitations.reader_of(invitation))
    return stop_page(
        request,
        invitation.study,
        ended,
        lambda: reminders.end_reminders(invitation),
        lambda: reminders.allow_reminders(invitation),
    )
