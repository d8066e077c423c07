"""Pages of no app: home, the way in, privacy, accessibility, health, and the mailbox of the demo."""

import contextlib
import tempfile
from ipaddress import ip_address
from pathlib import Path

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.defaults import page_not_found

from config import mailbox
from config.celery import app as celery_app
from config.handbook.places import help_address
from surveys.answering import limits
from teams.access import BeingDeleted, NotAnyMore, is_researcher, participations_led_by
from teams.base import typed
from teams.models import User

MAILS_PER_PAGE = 30


def site(request: HttpRequest) -> dict[str, object]:
    """What every template may know of the installation."""
    demo = not settings.PRODUCTION
    return {
        "demo": demo,
        "demo_notice": demo and not settings.DEMO_REAL_STUDIES,
        "BASE_URL": settings.BASE_URL,
        "help_address": lambda: help_address(request),
        "person": lambda: typed.person(request.user) if isinstance(request.user, User) else "",
    }


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseNotFound:
    """The page of what is not there; a study that is being deleted says so to those who may see it."""
    if isinstance(exception, BeingDeleted):
        return HttpResponseNotFound(render(request, "teams/being_deleted.html").content)
    if isinstance(exception, NotAnyMore):
        return HttpResponseNotFound(render(request, "404.html", {"sentence": str(exception)}).content)
    return page_not_found(request, exception)


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html")


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """After signing in: a researcher's studies, a leader's team; whoever has more than one place chooses."""
    researcher = is_researcher(request.user)
    participations = list(participations_led_by(request.user))
    if researcher and not participations:
        return redirect("studies")
    if len(participations) == 1 and not researcher:
        return redirect("team", participations[0].pk)
    return render(request, "start.html", {"researcher": researcher, "participations": participations})


@login_not_required
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "privacy.html")


@login_not_required
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "accessibility.html")


@login_not_required
@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """For monitors: whether the database answers, the broker can be written to and limits can be counted. 503 if not."""
    parts = {"database": _database_answers(), "broker": _broker_takes(), "limits": _limits_count()}
    status = 200 if all(parts.values()) else 503
    return JsonResponse({name: "ok" if good else "failed" for name, good in parts.items()}, status=status)


def _database_answers() -> bool:
    with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())
    return False


def _limits_count() -> bool:
    """Where wrong codes and attempts to sign in are counted: without that nobody signs in."""
    with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=limits.folder()):
        return True
    return False


def _broker_takes() -> bool:
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=settings.BROKER_DIR / "queue"):
            return True
        return False
    with contextlib.suppress(Exception), celery_app.connection_for_write(connect_timeout=2) as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
        return True
    return False


@login_not_required
@require_safe
@never_cache
def dev_mail(request: HttpRequest) -> HttpResponse:
    """The mails that the demo wrote to files instead of sending them. There is no such page in production.

    From another machine only for its researchers: these mails hold codes and links to choose a password.
    """
    if settings.PRODUCTION:
        raise Http404
    if not ip_address(get_adapter().get_client_ip(request)).is_loopback and not is_researcher(request.user):
        return redirect_to_login(request.get_full_path())
    wanted = request.GET.get("to", "").strip()
    mails, n_all = mailbox.newest(Path(settings.MAIL_DIR), MAILS_PER_PAGE, wanted)
    return render(request, "dev_mail.html", {"mails": mails, "n_all": n_all, "to": wanted})
