"""One team's meeting: the leader's page, on which a date is chosen or proposed, and the researcher's, on which it is fixed.

The pages stand here and not in teams/ because another way of collecting may change the team's collection.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from surveys.models import Survey
from surveys.reshaping import ways
from teams import access
from teams.forms.filled import hold
from teams.forms.meetings import ChoiceOfDateForm, DatesForm, FixForm, RoomForm, SlotForm, WayForm, in_words
from teams.meetings import planning
from teams.meetings.slots import conflicts, free_slots, meetings_of, overlaps
from teams.models import Participation, PlannedMeeting, User
from teams.people.contact_person import SamePerson
from teams.text.directions import isolated


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def team_meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """For the team's leader."""
    participation = access.participation_for_leader(request.user, pk)
    hold(request, participation)
    planned = _planned(participation)
    forms = _leader_forms(request, participation, planned)
    done = request.method == "POST" and _leader_acts(request, participation, planned, forms)
    if done:
        return redirect("team_meeting", pk)
    return render(request, "surveys/team_meeting.html", {**_context(participation, planned), **forms})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def meeting(request: HttpRequest, slug: str, participation_id: int) -> HttpResponse:
    """For the researchers of the study."""
    participation = access.participation_for_researcher(request.user, slug, participation_id)
    hold(request, participation)
    planned = _planned(participation)
    forms = _researcher_forms(request, participation, planned)
    done = request.method == "POST" and _researcher_acts(request, participation, planned, forms)
    if done:
        return redirect("meeting", slug, participation_id)
    context = {**_context(participation, planned), **forms, "occupied": _occupied(participation, planned)}
    return render(request, "surveys/meeting.html", context)


# ------------------------------------------------------------------------------------------------ the leader
def _leader_forms(request: HttpRequest, participation: Participation, planned: PlannedMeeting | None) -> dict[str, Any]:
    slots = free_slots(participation.study) if participation.mode == Participation.Mode.RESEARCHER else []
    dates = list(planned.dates.filter(by_leader=False)) if planned is not None else []
    room = planned.room if planned is not None else ""
    return {
        "slot_form": SlotForm(_data(request, "slot"), slots=slots, initial={"room": room}) if slots else None,
        "choice_form": ChoiceOfDateForm(_data(request, "choose"), dates=dates) if dates else None,
        **_shared_forms(request, participation, planned),
    }


def _leader_acts(
    request: HttpRequest, participation: Participation, planned: PlannedMeeting | None, forms: dict[str, Any]
) -> bool:
    """Do what the pressed button says. Whether it was done; else a form says what is missing."""
    by = access.signed_in(request)
    slot_form, choice_form = forms["slot_form"], forms["choice_form"]
    if "slot" in request.POST and slot_form is not None:
        if not slot_form.is_valid():
            return False
        if planning.take_slot(participation, slot_form.chosen(), room=slot_form.cleaned_data["room"], by=by):
            messages.success(request, _("The date has been fixed. Everybody concerned gets it for their calendar."))
        else:
            messages.warning(request, _("Another team has just taken this time. Choose another one."))
        return True
    if "choose" in request.POST and choice_form is not None and planned is not None:
        if not choice_form.is_valid():
            return False
        # who comes is named by a researcher: the one who came to the earlier date stays
        _fix(request, planned, choice_form.moment(), planned.researcher, by)
        return True
    return _shared_acts(request, participation, planned, forms, by, by_leader=True)


# ------------------------------------------------------------------------------------------------ the researcher
def _researcher_forms(
    request: HttpRequest, participation: Participation, planned: PlannedMeeting | None
) -> dict[str, Any]:
    who = planned.researcher_id if planned is not None else None
    if who is None and participation.mode == Participation.Mode.RESEARCHER:
        who = access.signed_in(request).pk
    initial = {"researcher": who, "room": planned.room if planned is not None else ""}
    return {
        "fix_form": FixForm(_data(request, "fix"), planned=planned, participation=participation, initial=initial),
        **_shared_forms(request, participation, planned),
    }


def _researcher_acts(
    request: HttpRequest, participation: Participation, planned: PlannedMeeting | None, forms: dict[str, Any]
) -> bool:
    by, fix_form = access.signed_in(request), forms["fix_form"]
    if "fix" in request.POST:
        if participation.mode not in Participation.MEETING_MODES or not fix_form.is_valid():
            return False
        data = fix_form.cleaned_data
        planned = planned or planning.begin(participation)
        _fix(request, planned, fix_form.moment(), data["researcher"], by, data["room"])
        return True
    return _shared_acts(request, participation, planned, forms, by, by_leader=False)


def _occupied(participation: Participation, planned: PlannedMeeting | None) -> list[str]:
    """Sentences about who of the researchers meets another team at a time that the leader proposes."""
    dates = [meeting.starts_at for meeting in planned.dates.filter(by_leader=True)] if planned is not None else []
    if planned is None or not dates:
        return []
    people = User.objects.filter(roles__study=participation.study_id).values_list("pk", flat=True)
    others = [meeting for meeting in meetings_of(people, dates) if meeting.pk != planned.pk]
    return [_clash(meeting) for moment in dates for meeting in others if overlaps(meeting, moment, planned.minutes)]


# ------------------------------------------------------------------------------------------------ both
def _shared_forms(request: HttpRequest, participation: Participation, planned: PlannedMeeting | None) -> dict[str, Any]:
    initial: dict[str, Any] = {"minutes": 45, "room": ""}
    if planned is not None:
        initial = {"minutes": planned.minutes, "room": planned.room}
    way = {name: getattr(participation, name) for name in ("mode", "contact_name", "contact_email")}
    return {
        "dates_form": DatesForm(_data(request, "propose"), initial=initial),
        "room_form": RoomForm(_data(request, "room"), initial=initial),
        "way_form": WayForm(_data(request, "way"), participation=participation, initial=way),
    }


def _shared_acts(
    request: HttpRequest,
    participation: Participation,
    planned: PlannedMeeting | None,
    forms: dict[str, Any],
    by: User,
    *,
    by_leader: bool,
) -> bool:
    dates_form, room_form, way_form = forms["dates_form"], forms["room_form"], forms["way_form"]
    if "propose" in request.POST:
        if participation.mode not in Participation.MEETING_MODES or not dates_form.is_valid():
            return False
        terms = {name: dates_form.cleaned_data[name] for name in ("minutes", "room")}
        if planning.propose(participation, dates_form.dates(), by_leader=by_leader, by=by, **terms) is None:
            messages.warning(request, _("Nothing was planned: this team no longer has a meeting."))
        elif by_leader:
            messages.success(request, _("Thank you. The researchers choose one of the dates, and you get an email."))
        else:
            messages.success(request, _("The team leader gets an email, and chooses one of the dates."))
        return True
    if "room" in request.POST and planned is not None:
        if not room_form.is_valid():
            return False
        if planning.change(planned, **room_form.cleaned_data, by=by):
            messages.success(request, _("The change has been saved. Everybody concerned gets it for their calendar."))
        else:
            messages.warning(request, _("Nothing was changed."))
        return True
    if "way" in request.POST:
        return way_form.is_valid() and _change_way(request, participation, way_form, by, by_leader=by_leader)
    if "call_off" in request.POST and planned is not None:
        if planning.call_off(planned, by=by):
            messages.success(
                request, _("The meeting has been called off. Everybody who had it in their calendar is told.")
            )
        return True
    return False


def _change_way(
    request: HttpRequest, participation: Participation, form: WayForm, by: User, *, by_leader: bool
) -> bool:
    try:
        changed = ways.change_way(participation, **form.cleaned_data, by=by, by_leader=by_leader)
    except ways.NoPart:
        messages.error(request, _("Nothing was changed: this team does not take part."))
        return True
    except ways.WayStays:
        messages.error(
            request,
            _(
                "Teachers can already answer, so the way of collecting cannot be changed here. Ask the researchers if "
                "it has to change."
            )
            if by_leader
            else _("The way of collecting can no longer be changed: somebody has already begun to answer."),
        )
        return True
    except SamePerson as error:  # another leader was named since the form looked
        form.add_error("contact_email", str(error))
        return False
    if not changed:
        messages.warning(request, _("Nothing was changed."))
        return True
    messages.success(request, _("The change is saved."))
    return True


def _fix(
    request: HttpRequest,
    planned: PlannedMeeting,
    moment: Any,
    researcher: User | None,
    by: User,
    room: str = "",
) -> None:
    if not planning.fix(planned, moment, researcher=researcher, by=by, room=room):
        messages.warning(request, _("Somebody changed this meeting a moment ago. Look at it again."))
        return
    messages.success(request, _("The date has been fixed. Everybody concerned gets it for their calendar."))
    for meeting in conflicts(planned, researcher):
        messages.warning(request, _clash(meeting))


def _clash(other: PlannedMeeting) -> str:
    assert other.starts_at is not None
    return _("%(name)s is with %(team)s on %(when)s, for %(minutes)s minutes.") % {
        "name": isolated(other.researcher),
        "team": isolated(other.participation.team),
        "when": in_words(other.starts_at),
        "minutes": other.minutes,
    }


def _data(request: HttpRequest, button: str) -> Any:
    """What was sent, for the form whose button was pressed; None for the others, which then show what is."""
    return request.POST if request.method == "POST" and button in request.POST else None


def _planned(participation: Participation) -> PlannedMeeting | None:
    meetings = PlannedMeeting.objects.filter(participation=participation)
    return meetings.select_related("participation__study", "participation__team", "researcher").first()


def _context(participation: Participation, planned: PlannedMeeting | None) -> dict[str, Any]:
    dates = list(planned.dates.all()) if planned is not None else []
    return {
        "study": participation.study,
        "participation": participation,
        "team": participation.team,
        "planned": planned,
        "fixed": planned is not None and planned.state == PlannedMeeting.State.CONFIRMED,
        "from_leader": [date for date in dates if date.by_leader],
        "from_researcher": [date for date in dates if not date.by_leader],
        "meets": participation.mode in Participation.MEETING_MODES and participation.state not in Participation.NO_PART,
        "mirror": Survey.objects.filter(study=participation.study_id, mirror=True).exists(),
        "no_part": participation.state in Participation.NO_PART,
        "over": planned is not None and planned.starts_at is not None and planned.starts_at < timezone.now(),
    }
