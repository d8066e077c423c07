"""A form that is sent twice does its act once: whoever presses again on a slow line is shown what the first press did.

Every form carries a key of its own ({% once %}), drawn when the page is made. The act and the note that it was done are one
transaction; of two presses at the same time the second waits, and then finds the note. What counts as the same press is the
same key, from the same person, to the same address, with the same content: whoever goes back and writes something else has
sent another form. A form that is refused is no act, and may be sent again.

The note is a hash and a sealed outcome, and is forgotten after a day. The teacher's pages have none (surveys/answering/submission.py
knows their answers by keys of their own), and neither have the pages of the sign-in library.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from teams.base import away, sealed, typed
from teams.models import DoneOnce

FIELD = "once"
LASTS = timedelta(days=1)
LONGEST_KEY = 64
MOST_KEPT = 300_000  # bytes of a page that is shown again
PURPOSE = b"done once"
OF_NO_CONTENT = ("csrfmiddlewaretoken", "typed")  # a page's token, and the number of what a tab keeps (typed.py)
LIBRARIES = ("allauth.", "django.")
_KEPT = "kept_once"
View = Callable[[], HttpResponseBase]


def new_key() -> str:
    return secrets.token_urlsafe(16)


def keep(response: HttpResponse) -> HttpResponse:
    """Say that this page tells of an act that was done, though it is no redirect: a second press is shown this page."""
    setattr(response, _KEPT, True)
    return response


class OnceMiddleware:
    """What a form does, it does in one transaction and once. Stands after whatever may refuse a visitor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        if request.method != "POST" or view.__module__.startswith(LIBRARIES) or getattr(view, "csrf_exempt", False):
            return None
        try:
            return act(request, partial(view, request, *args, **kwargs))
        except away.DATABASE_AWAY as error:  # no middleware hears of what is raised here
            return away.answer(error)


def act(request: HttpRequest, view: View) -> HttpResponseBase:
    """Let the view act, unless the same form was sent before: then what came of it."""
    key = request.POST.get(FIELD, "")
    with transaction.atomic():
        if not key or len(key) > LONGEST_KEY:  # a program, not a page of ours
            return view()
        digest = digest_of(request, key)
        try:
            with transaction.atomic():
                note = DoneOnce.objects.create(digest=digest)
        except IntegrityError:  # the constraint decides who was first; the first is done by now
            return _again(request, DoneOnce.objects.get(digest=digest))
        response = view()
        if outcome := _outcome(request, response):
            DoneOnce.objects.filter(pk=note.pk).update(outcome=sealed.seal(outcome, PURPOSE).decode())
        else:
            note.delete()
    return response


def digest_of(request: HttpRequest, key: str) -> str:
    """Names a press: who sent what to where, by which key. Nobody finds out any of it without the key."""
    sent = sorted((name, values) for name, values in request.POST.lists() if name not in OF_NO_CONTENT)
    files = sorted((name, [_fingerprint(file) for file in uploaded]) for name, uploaded in request.FILES.lists())
    # the view sees the account of the session; whoever comes by a link is known by the address
    press = [key, request.user.pk, request.get_full_path(), sent, files]
    return hashlib.sha256(json.dumps(press).encode()).hexdigest()


def forget() -> int:
    """What beat calls: delete the notes of yesterday. Returns how many."""
    return DoneOnce.objects.filter(done_at__lt=timezone.now() - LASTS).delete()[0]


def _fingerprint(file: UploadedFile[Any]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _outcome(request: HttpRequest, response: HttpResponseBase) -> dict[str, Any]:
    """What to show a second press; nothing where the act was refused."""
    said = [(message.level, str(message.message), message.extra_tags or "") for message in _new_messages(request)]
    levels = {level for level, _text, _tags in said}
    if response.status_code in (301, 302, 303):
        refused = levels & {messages.WARNING, messages.ERROR} and messages.SUCCESS not in levels
        return {} if refused else {"to": response["Location"], "said": said}
    if getattr(response, _KEPT, False) and isinstance(response, HttpResponse) and len(response.content) <= MOST_KEPT:
        headers = {name: value for name, value in response.items() if name.startswith(("Content-", "HX-"))}
        page = {"page": response.content.decode(), "status": response.status_code, "headers": headers}
        return page | {"taken": typed.is_taken(response)}
    return {}


def _again(request: HttpRequest, note: DoneOnce) -> HttpResponse:
    """The outcome of the first press. Its messages too: a browser that sends again drops the first answer unread."""
    outcome = sealed.open_(note.outcome.encode(), PURPOSE)
    if "page" in outcome:
        page = HttpResponse(outcome["page"], status=outcome["status"], headers=outcome["headers"])
        return typed.taken(page) if outcome["taken"] else page
    for level, text, tags in outcome["said"]:
        messages.add_message(request, level, text, tags)
    messages.info(request, _("This was sent twice, but done only once."))
    return HttpResponse(status=302, headers={"Location": outcome["to"]})


def _new_messages(request: HttpRequest) -> list[Any]:
    storage: Any = messages.get_messages(request)  # reading it would empty it: these are the ones of this request
    return list(getattr(storage, "_queued_messages", ()))
