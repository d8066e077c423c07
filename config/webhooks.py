"""What the mail provider reports about mails that it sent: one address, for the provider of the settings only."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods


@csrf_exempt
@login_not_required
@require_http_methods(["HEAD", "POST"])  # HEAD: Mandrill tries an address before it uses it
def mail_events(request: HttpRequest) -> HttpResponseBase:
    """django-anymail checks the secret and reads the report; teams/mail/bounces.py gets what it says.

    Without provider or secret there is no such page: anybody could mark mails as bounced.
    """
    if not settings.MAIL_PROVIDER or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404
    path = "/mandrill/" if settings.MAIL_PROVIDER == "mandrill" else f"/{settings.MAIL_PROVIDER}/tracking/"
    view, args, kwargs = resolve(path, urlconf="anymail.urls")
    response: HttpResponseBase = view(request, *args, **kwargs)
    return response
