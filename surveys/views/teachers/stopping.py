"""Public by link: a teacher wants no more mail about a collection. See teams/views/stopping.py."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from surveys.linking import personal_links
from teams.views.stopping import stop_page


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def no_mails(request: HttpRequest, token: str) -> HttpResponse:
    invitee = personal_links.find_by_stop_token(token)
    if invitee is None:
        return stop_page(request, None)
    study = invitee.collection.survey.study
    ended = personal_links.gets_no_reminders(invitee)
    return stop_page(
        request, study, ended, lambda: personal_links.opt_out(invitee), lambda: personal_links.opt_in(invitee)
    )
