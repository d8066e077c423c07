"""Public: the pages of one response, from the questionnaire to the thanks. What they save: saving.py; the way in: welcome.py."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from surveys.answering import page, submission
from surveys.answering.handles import handle_of
from surveys.collecting import mirror
from surveys.keys import collection_keys
from surveys.linking import personal_links
from surveys.models import Response
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import definition_of
from surveys.views.teachers import device
from surveys.views.teachers.device import BEFORE_COOKIE
from surveys.views.teachers.requests import filled, is_form, nothing_open, respondent, see
from surveys.views.teachers.saving import delete_in_json
from teams.base.numbers import whole_number
from teams.models.languages import language_of


@respondent
@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
def questionnaire(request: HttpRequest, handle: str = "") -> HttpResponse:
    """The whole questionnaire; with ``?step=n`` one step of it, for browsers without JavaScript.

    A POST with the key opens the page where the device holds it in no cookie. With ``blank``, a language, it gives the page
    without key, answers and team, which the device keeps for when there is no network.
    """
    if request.method == "POST":
        key = request.POST.get("key", "")
        handle = handle or handle_of(key)
        if handle_of(key) != handle:
            return nothing_open(request)
    elif not handle and "blank" not in request.GET:
        return _moved(request, "questionnaire") or nothing_open(request)
    else:
        key = device.key_at(request, handle) if handle else request.COOKIES.get(BEFORE_COOKIE, "")
    stored_response = submission.open_draft(key) or submission.find(key)
    if stored_response is None:
        return nothing_open(request, handle)
    if stored_response.state == Response.State.SUBMITTED:
        return _to_own_page(request, "answer_done", key)
    survey = stored_response.collection.survey
    lock = device.lock_for(request, stored_response.collection)
    if (blank := request.POST.get("blank", request.GET.get("blank"))) in dict(settings.LANGUAGES):
        return filled(request, *page.whole_page(survey, blank, None, lock))
    if request.method == "POST":
        return _to_own_page(request, "questionnaire", key)
    language = language_of(definition_of(survey.version).languages)
    if (step := whole_number(request.GET.get("step"))) is not None:
        response = HttpResponse(page.one_step_page(survey, language, stored_response, step, shared=lock is not None))
        if lock is not None:
            device.drop_moment(response, handle)
        return response
    return filled(request, *page.whole_page(survey, language, stored_response, lock))


@respondent
@require_http_methods(["GET", "HEAD", "POST"])
def answer_delete(request: HttpRequest, handle: str = "") -> HttpResponse:
    """Delete by the key that the page holds, or by the personal link: that tells nobody whether there was anything.

    The page's script posts JSON, and then comes here with GET for what is said about it.
    """
    if request.method != "POST":
        return _deleted_before(request, handle)
    if not is_form(request):
        return delete_in_json(request, handle)
    if token := request.POST.get("link", ""):
        return _delete_by_link(request, token)
    key = request.POST.get("key", "")
    if handle and handle_of(key) != handle:
        return nothing_open(request)
    deleted = submission.delete(key)
    context = {"deleted": deleted, "shared": device.is_shared(request)}
    response = render(request, "surveys/deleted.html", context, status=200 if deleted else 404)
    device.forget_key(response, handle_of(key))
    device.forget_begun(request, response, handle_of(key))
    return response


@respondent
@require_POST
def answer_next(request: HttpRequest, handle: str = "") -> HttpResponse:
    """Next person: a shared device forgets who used it, and shows the welcome page."""
    response = see(device.shared_welcome(code) if (code := device.shared_code(request)) else reverse("join"))
    device.forget_key(response, handle)
    return response


@respondent
@require_GET
def answer_done(request: HttpRequest, handle: str = "") -> HttpResponse:
    """Thanks; and, until sealing, the way to delete the answers."""
    if not handle and (moved := _moved(request, "answer_done")):
        return moved
    stored_response = submission.find(device.key_at(request, handle))
    if stored_response is None and device.is_shared(request):
        return nothing_open(request)
    if stored_response is None:
        return render(request, "surveys/done.html", {"language": get_language()})
    if stored_response.state != Response.State.SUBMITTED:
        return _to_own_page(request, "questionnaire", stored_response.device_key)
    survey = stored_response.collection.survey
    definition = definition_of(survey.version)
    context = {
        "response": stored_response,
        "study": survey.study,
        "team": stored_response.collection.participation.team,
        "asks_first": definition.eligibility is not None,  # never what was said: that was handed in
        "thanks": in_language(dict(definition.thanks), get_language()),
        "shared": device.is_shared(request),
        "mirror": mirror.is_offered(stored_response.collection),
    }
    response = render(request, "surveys/done.html", context)
    if context["shared"]:
        device.forget_key(response, handle)
    else:
        device.note_handed_in(request, response, stored_response.collection, handle)
    return response


# ------------------------------------------------------------------------------------------------ parts of these views


def _to_own_page(request: HttpRequest, name: str, key: str) -> HttpResponse:
    """To a page of this response, which finds the key there."""
    response = see(reverse(name, args=[handle_of(key)]))
    device.hold_key(request, response, key)
    return response


def _moved(request: HttpRequest, name: str) -> HttpResponse | None:
    """From the address of releases before, which was the same for everybody, to the response's own."""
    key = request.COOKIES.get(BEFORE_COOKIE, "")
    if submission.find(key) is None:
        return None
    response = _to_own_page(request, name, key)
    if request.GET:
        response["Location"] += f"?{request.GET.urlencode()}"
    return response


def _delete_by_link(request: HttpRequest, token: str) -> HttpResponse:
    invitee = personal_links.find_invitee(token)
    try:
        key = personal_links.response_key(invitee) if invitee is not None else ""
    except collection_keys.KeyDestroyed:
        key = ""
    if not key:
        return render(request, "surveys/link_ended.html", status=404)
    submission.delete(key)
    response = render(request, "surveys/deleted.html", {"by_link": True, "shared": device.is_shared(request)})
    device.forget_begun(request, response, handle_of(key))
    return response


def _deleted_before(request: HttpRequest, handle: str) -> HttpResponse:
    """What the script's deletion came to; never said on a device whose answers are still there."""
    key = device.key_at(request, handle) if handle else request.COOKIES.get(BEFORE_COOKIE, "")
    if submission.find(key) is not None:
        return _to_own_page(request, "questionnaire", key)
    deleted = "nothing" not in request.GET
    context = {"deleted": deleted, "shared": device.is_shared(request)}
    return render(request, "surveys/deleted.html", context, status=200 if deleted else 404)
