"""Public by link: a report for whoever was given the link to it, and nothing else. Nothing is written here."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analysis.mirror.seen import PictureNow, report_or_picture
from analysis.models.readers import ReportLink
from analysis.publication import files
from analysis.publication.links import REPORT, opened
from analysis.publication.served import AcademyNow, Now, StudyNow, TeamNow, of_academy, of_study
from analysis.views.readers import talks
from analysis.views.readers.reports import (
    academy_page,
    language_now,
    pdf_of,
    slides_of,
    study_page,
    team_page,
    waiting_page,
    workbook_of,
)
from teams import links


@login_not_required
@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link writes nothing: the token moves into a cookie for this report's pages."""
    read = links.read_token(REPORT, token)
    if read is None:
        return _ended(request)
    return links.enter(REPORT, token, reverse("shared_report", args=[read.object_id]))


@login_not_required
@never_cache
@require_safe
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """The report that the link is for."""
    shared = _opened(request, pk)
    if shared is None:
        return _ended(request)
    now = _now(shared)
    if now is None:
        return waiting_page(request, shared.study, {"shared": True})
    extra: dict[str, Any] = {"shared": shared}
    if isinstance(now, PictureNow):
        extra |= {"talk": reverse("shared_talk", args=[pk]), "picture": now.picture}
        return team_page(request, now.report(language_now()), now.participation, extra)
    extra |= {
        "pdf": reverse("shared_report_pdf", args=[pk]),
        "pdf_ready": files.is_ready(now, language_now()),
        "tables": reverse("shared_report_tables", args=[pk]),
    }
    match now:
        case TeamNow():
            extra |= {"talk": reverse("shared_talk", args=[pk]), "slides": reverse("shared_slides", args=[pk])}
            return team_page(request, now.report(language_now()), now.participation, extra)
        case AcademyNow():
            return academy_page(request, now.report(language_now()), shared.study, now.academy, extra)
        case StudyNow():
            return study_page(request, now.report(language_now()), shared.study, extra)


@login_not_required
@never_cache
@require_safe
def talk(request: HttpRequest, pk: int) -> HttpResponse:
    """The page for the team talk, to read."""
    shared = _opened(request, pk)
    if shared is None:
        return _ended(request)
    now = _now(shared)
    if not isinstance(now, TeamNow | PictureNow):
        raise Http404
    if not now.has_results:
        return redirect("shared_report", pk)
    extra = {
        "address": reverse("shared_talk", args=[pk]),
        "back": reverse("shared_report", args=[pk]),
        "look_back": getattr(now.participation, "look_back", None),  # read with the link
    }
    return talks.talk_page(request, now.report(language_now()), now.participation, now.agreed, extra, writes=False)


@login_not_required
@never_cache
@require_safe
def report_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The same report as a PDF."""
    shared = _opened(request, pk)
    if shared is None:
        return _ended(request)
    now = _now(shared)
    if now is None or isinstance(now, PictureNow):  # a picture is looked at on the screen: it has no PDF
        raise Http404
    response = pdf_of(now, _name(now))
    if response is None:
        messages.warning(request, _("The PDF is still being made. Try again in a few seconds."))
    return response or redirect("shared_report", pk)


@login_not_required
@never_cache
@require_safe
def slides(request: HttpRequest, pk: int) -> HttpResponse:
    """The talk of a team as slides."""
    shared = _opened(request, pk)
    if shared is None:
        return _ended(request)
    now = _now(shared)
    if not isinstance(now, TeamNow):
        raise Http404
    return slides_of(now, _name(now)) or redirect("shared_report", pk)


@login_not_required
@never_cache
@require_safe
def report_tables(request: HttpRequest, pk: int) -> HttpResponse:
    """The tables of the report as a workbook."""
    shared = _opened(request, pk)
    if shared is None:
        return _ended(request)
    now = _now(shared)
    if now is None or isinstance(now, PictureNow):
        raise Http404
    return workbook_of(now, _name(now)) or redirect("shared_report", pk)


def _name(now: Now) -> str:
    return f"teamspiegel-{now.reader.replace(':', '-')}"


def _opened(request: HttpRequest, pk: int) -> ReportLink | None:
    """The link whose token a request carries; None where there is none, or it ended."""
    try:
        token = links.token_of(request, REPORT)
    except Http404:
        return None
    return opened(token, pk)


def _ended(request: HttpRequest) -> HttpResponse:
    """A wrong link, one that ended, and one that another browser opened: all look alike."""
    return render(request, "analysis/link_ended.html", status=404)


def _now(shared: ReportLink) -> Now | PictureNow | None:
    """The report that a link is for; before publication the team's picture, or None."""
    if shared.participation is not None:
        return report_or_picture(shared.participation)
    if shared.academy is not None:
        return of_academy(shared.study, shared.academy)
    return of_study(shared.study)
