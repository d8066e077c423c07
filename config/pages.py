"""Pages of no app: home, the way in, privacy, accessibility, health, and the mailbox of the demo."""

import contextlib
import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import mailbox
from config.celery import app as celery_app
from teams.access import is_researcher, participations_led_by

MAILS_PER_PAGE = 30


def site(request: HttpRequest) -> dict[str, object]:
    """What every template may know of the installation."""
    return {"demo": not settings.PRODUCTION, "BASE_URL": settings.BASE_URL}


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
    """For monitors: whether the database answers and the broker can be written to. 503 if not."""
    parts = {"database": _database_answers(), "broker": _broker_takes()}
    status = 200 if all(parts.values()) else 503
    return JsonResponse({name: "ok" if good else "failed" for name, good in parts.items()}, status=status)


def _database_answers() -> bool:
    with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())
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
    """The mails that the demo wrote to files instead of sending them. There is no such page in production."""
    if settings.PRODUCTION:
        raise Http404
    wanted = request.GET.get("to", "").strip()
    mails, n_all = mailbox.newest(Path(settings.MAIL_DIR), MAILS_PER_PAGE, wanted)
    return render(request, "dev_mail.html", {"mails": mails, "n_all": n_all, "to": wanted})
