"""Looking back at what a team agreed: for its leader, and by link for those of the team who asked for the mail."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analysis.forms.look_back import LookBackDateForm, LookBackForm
from analysis.looking_back import dates, steps
from analysis.mirror.seen import PictureNow, report_or_picture
from analysis.models import LookBackReader
from analysis.publication.served import TeamNow
from analysis.publication.talks import may_write
from analysis.views.readers.reports import language_now
from surveys.models.questionnaire import in_language
from teams import access, links
from teams.base import once, typed
from teams.forms.filled import hold
from teams.models import Participation


# ------------------------------------------------------------------------------------------------ the day
def date_context(
    participation: Participation, form: LookBackDateForm | None = None, day: dates.Day | None = None
) -> dict[str, Any]:
    """What components of pages need that show the day, and let the leader pick it (analysis/look_back_date.html).

    :param day: the team's day, where it was read already
    """
    day = day or dates.day_of(participation)
    return {
        "look_back": day,
        "look_back_form": (form or _date_form(participation, day)) if day.writes else None,
        "look_back_of": participation.pk,
    }


def _date_form(participation: Participation, day: dates.Day, data: Any = None) -> LookBackDateForm:
    others = dates.addresses_of(day.look_back)
    initial = {"on": day.on or dates.usual_day(), "others": "\n".join(others)}
    return LookBackDateForm(data, initial=initial, leader=participation.leader_email)


@require_POST
def pick_day(request: HttpRequest, pk: int) -> HttpResponse:
    """Pick the day and who gets the mail, or take the day back."""
    participation = access.participation_for_leader(request.user, pk)
    if not _published(participation).has_results and dates.of_team(participation) is None:
        raise Http404
    by = access.signed_in(request)
    hold(request, participation)
    form = _date_form(participation, dates.day_of(participation), request.POST)
    if "none" in request.POST:
        kept = dates.pick(participation, None, (), by)
        said = _("The day is taken back: nobody gets an email.")
    elif form.is_valid():
        kept = dates.pick(participation, form.cleaned_data["on"], form.cleaned_data["others"].split(), by)
        said = _("Saved: you get an email with a link to what you agreed, on that day or soon after it.")
    else:
        return render(
            request,
            "analysis/look_back_day.html",
            {"study": participation.study, "participation": participation, **date_context(participation, form)},
        )
    if kept:
        messages.success(request, said)
    else:
        messages.error(request, _refused())
    return redirect(f"{reverse('team', args=[pk])}#look-back")


# ------------------------------------------------------------------------------------------------ the page
@require_http_methods(["GET", "HEAD", "POST"])
def of_leader(request: HttpRequest, pk: int) -> HttpResponse:
    """Each agreed step, for the leader."""
    participation = access.participation_for_leader(request.user, pk)
    return _page(request, participation, reverse("team_look_back", args=[pk]), None)


@login_not_required
@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link writes nothing: the token moves into a cookie for this page."""
    read = links.read_token(dates.LOOK_BACK, token)
    if read is None:
        return _ended(request)
    return links.enter(dates.LOOK_BACK, token, reverse("look_back", args=[read.object_id]))


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Each agreed step, for who asked for the mail."""
    reader = _opened(request, pk)
    if reader is None:
        return _ended(request)
    return _page(request, reader.look_back.participation, reverse("look_back", args=[pk]), reader)


@login_not_required
@require_POST
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the own address off the list. The link opens nothing any more."""
    reader = _opened(request, pk)
    if reader is None:
        return _ended(request)
    dates.leave(reader)
    return once.keep(render(request, "analysis/look_back_left.html"))


def _page(
    request: HttpRequest, participation: Participation, address: str, reader: LookBackReader | None
) -> HttpResponse:
    now = _published(participation)
    names = {scale.code: in_language(scale.name, language_now()) for scale in now.setting.scales}
    form = None
    if request.method == "POST":
        hold(request, participation)
        form, answer = _written(request, participation, address)
        if answer is not None:
            return answer
    form = form or LookBackForm(steps=steps.steps_of(participation))
    order = list(names)
    rows = sorted(form.rows(), key=lambda row: order.index(row[0].scale) if row[0].scale in order else len(order))
    look_back = dates.of_team(participation)
    context = {
        "study": participation.study,
        "participation": participation,
        "form": form,
        "rows": [(names.get(step.scale, ""), step, status, line) for step, status, line in rows],
        "writes": may_write(participation),
        "address": address,
        "reader": reader,
        "look_back": look_back,
        "last_day": dates.last_day(look_back) if look_back else None,
    }
    if reader is None:
        context |= date_context(participation)
    return render(request, "analysis/look_back.html", context)


def _written(
    request: HttpRequest, participation: Participation, address: str
) -> tuple[LookBackForm, HttpResponse | None]:
    """Write down what was said of the steps; the form again if it is not right."""
    page = request.POST.get(once.FIELD, "")
    form = LookBackForm(request.POST, steps=steps.steps_of(participation), page=page)
    by_itself = typed.is_autosave(request)
    if not form.is_valid():
        return form, _not_written(form) if by_itself else None
    said = form.said()
    stands = not said or steps.write(participation, said, page)
    if by_itself:
        if not stands:
            return form, typed.not_autosaved([_refused()], 409)
        now = LookBackForm(steps=steps.steps_of(participation))
        return form, typed.autosaved(now.as_it_is(), form.others_words())
    if stands:
        messages.success(request, _("Saved: it comes back in your next report."))
    else:
        messages.error(request, _refused())
    return form, redirect(address)


def _not_written(form: LookBackForm) -> HttpResponse:
    """Why nothing was written by itself."""
    if form.conflicts:
        return typed.two_texts(form.two_texts(), form.others_words())
    return typed.not_autosaved(typed.reasons_of(form))


def _refused() -> str:
    return _("The next wave has been published: what you agreed before it can no longer be changed.")


def _published(participation: Participation) -> TeamNow | PictureNow:
    """The team's report or picture: there is nothing to look back at before it was talked about."""
    now = report_or_picture(participation)
    if now is None:
        raise Http404
    return now


def _opened(request: HttpRequest, pk: int) -> LookBackReader | None:
    """Whose token a request carries; None where there is none, or the link has ended."""
    try:
        token = links.token_of(request, dates.LOOK_BACK)
    except Http404:
        return None
    return dates.opened(token, pk)


def _ended(request: HttpRequest) -> HttpResponse:
    """A wrong link, one that ended, and one that another browser opened: all look alike."""
    if typed.is_autosave(request):
        return typed.not_autosaved([_("This link does not work any more. Copy what you typed before you leave.")], 410)
    return render(request, "analysis/look_back_ended.html", status=404)
