"""The mirror: what a team sees of itself in its own meeting, on the screen of whoever leads it, as a talk."""

from __future__ import annotations

from enum import StrEnum

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analysis.mirror.making import is_awaited
from analysis.mirror.seen import picture_of, picture_row, teams_waited_for
from analysis.models import EarlyPicture
from analysis.views.readers import talks
from analysis.views.readers.reports import language_now
from surveys.access import meeting_for_facilitator
from surveys.models import Collection, Meeting
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import definition_of
from surveys.views.by_link.facilitator import by_link
from surveys.views.by_link.picture_screen import has_ticket, is_let_in, let_in


class Stage(StrEnum):
    """How far a picture is, as its page tells it."""

    SEALING = "sealing"
    OTHERS = "others"  # it is of several teams, and not all have met
    COMPUTING = "computing"
    SHOWN = "shown"
    NOTHING = "nothing"  # too few, or counts that a researcher looks at first: they read alike
    FAILED = "failed"


@by_link
@require_safe
def page(request: HttpRequest, meeting_id: int) -> HttpResponse:
    """How far the picture is; and the picture, in the browser in which the meeting was closed and until the end of that day."""
    meeting = meeting_for_facilitator(request, meeting_id)
    if meeting.picture_asked_at is None:
        raise Http404
    if has_ticket(request, meeting):
        response = redirect("facilitator_picture", meeting.pk)
        let_in(response, meeting)
        return response
    stage, here = stage_of(meeting), is_let_in(request, meeting)
    participation = meeting.collection.participation
    now = picture_of(participation) if stage == Stage.SHOWN and here else None
    if now is not None and now.has_results:
        address = reverse("facilitator_picture", args=[meeting.pk])
        extra = {"address": address, "back": reverse("facilitator", args=[meeting.pk]), "on_screen": True}
        # who leads the meeting may be a researcher or from another team: what the team wrote before is not for them
        report = now.report(language_now(), own_words=False)
        return talks.talk_page(request, report, participation, {}, extra, writes=False)
    if stage == Stage.SHOWN and here:  # its counts were corrected, or it was taken back, since
        stage = Stage.NOTHING
    definition = definition_of(meeting.collection.survey.version)
    context = {
        "meeting": meeting,
        "study": meeting.collection.survey.study,
        "team": participation.team,
        "stage": stage,
        "others": teams_waited_for(participation) if stage == Stage.OTHERS else [],
        "subjects": [
            (in_language(scale.name, language_now()), in_language(scale.meaning, language_now()))
            for scale in definition.scales
        ],
    }
    return render(request, "analysis/picture.html", context)


@login_not_required
@never_cache
@require_safe
def progress(request: HttpRequest, meeting_id: int) -> HttpResponse:
    """Asked every two seconds while the picture is made; the page is read anew when something is new."""
    meeting = meeting_for_facilitator(request, meeting_id)
    if meeting.picture_asked_at is None:
        raise Http404
    stage = stage_of(meeting)
    response = render(request, "analysis/picture_progress.html", {"stage": stage})
    if request.GET.get("seen", stage) != stage:
        response["HX-Refresh"] = "true"
    return response


def stage_of(meeting: Meeting) -> Stage:
    """How far the picture of a meeting's team is."""
    collection = meeting.collection
    if collection.state != Collection.State.SEALED:
        return Stage.SEALING
    picture = picture_row(collection.participation)
    if picture is None:
        if teams_waited_for(collection.participation):
            return Stage.OTHERS
        return Stage.COMPUTING if is_awaited(collection.participation) else Stage.NOTHING
    match picture.state:
        case EarlyPicture.State.SHOWN:
            return Stage.SHOWN
        case EarlyPicture.State.WITHHELD:
            return Stage.NOTHING
        case EarlyPicture.State.FAILED:
            return Stage.FAILED
    return Stage.COMPUTING
