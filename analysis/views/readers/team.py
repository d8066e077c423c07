"""The team leader's pages: how the team takes part, its return while collecting, its report when published."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from analysis.forms.readers import ShareForm
from analysis.looking_back import cycle, dates
from analysis.mirror.seen import PictureNow, picture_of, report_or_picture
from analysis.models.readers import ReportLink
from analysis.publication import files
from analysis.publication.links import path_of, revoke, share_with_team
from analysis.publication.served import TeamNow, of_team
from analysis.publication.standing import published
from analysis.views.readers import look_back, talks
from analysis.views.readers.reports import language_now, pdf_of, slides_of, team_page, waiting_page, workbook_of
from surveys.collecting import mirror, new_keys, returned
from surveys.forms import pasting
from surveys.forms.collecting import AddressesForm
from surveys.keys import collection_keys
from surveys.linking import personal_links
from surveys.models import Collection
from teams import access
from teams.inviting.corrections import hand_over as hand_over_wave
from teams.inviting.corrections import later_waves
from teams.mail.composing import absolute
from teams.models import Participation, PlannedMeeting
from teams.people.contact_person import SamePerson
from teams.text.directions import isolated


@require_safe
def team(request: HttpRequest, pk: int) -> HttpResponse:
    """What a leader does and sees of one team in one study."""
    participation = access.participation_for_leader(request.user, pk)
    return _team_page(request, participation, AddressesForm())


@require_POST
def send_links(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the pasted addresses; the second press mails a link to each, but for who has one already."""
    participation = access.participation_for_leader(request.user, pk)
    collection = _collection(participation)
    if collection is None or collection.state != Collection.State.OPEN:
        raise Http404
    form = AddressesForm(request.POST)
    if not form.is_valid():
        return _team_page(request, participation, form)
    if not pasting.may_send(form) and not new_keys.is_lost(collection):
        page = pasting.page(collection, form, "base.html", reverse("team", args=[pk]))
        return render(request, "surveys/pasted.html", page)
    try:
        n = personal_links.issue_links(collection, form.cleaned_data["addresses"], by=access.signed_in(request))
    except collection_keys.KeyDestroyed:
        form.add_error(
            "addresses", _("No link can be made at the moment. The researchers have been told; try again later.")
        )
        return _team_page(request, participation, form)
    messages.success(
        request,
        ngettext("%(n)s new link is on its way.", "%(n)s new links are on their way.", n) % {"n": n},
    )
    return redirect("team", pk)


@require_safe
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """The team's report as last published; before that its picture, if it saw one in its meeting."""
    participation = access.participation_for_leader(request.user, pk)
    now = report_or_picture(participation)
    if now is None:
        return waiting_page(request, participation.study, {"team": participation})
    extra: dict[str, Any] = {"leader": True, "talk": reverse("team_talk", args=[pk])}
    if isinstance(now, TeamNow):
        extra |= {
            "pdf": reverse("team_report_pdf", args=[pk]),
            "pdf_ready": files.is_ready(now, language_now()),
            "slides": reverse("team_slides", args=[pk]),
            "tables": reverse("team_report_tables", args=[pk]),
        }
    else:
        extra["picture"] = now.picture
    return team_page(request, now.report(language_now()), participation, extra)


@require_safe
def report_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The same report as a PDF."""
    now = of_team(access.participation_for_leader(request.user, pk))
    if now is None:
        raise Http404
    response = pdf_of(now, f"teamspiegel-{pk}")
    if response is None:
        messages.warning(request, _("The PDF is still being made. Try again in a few seconds."))
        return redirect("team_report", pk)
    return response


@require_safe
def slides(request: HttpRequest, pk: int) -> HttpResponse:
    """The talk as slides. It needs results: the report says why not."""
    now = of_team(access.participation_for_leader(request.user, pk))
    if now is None:
        raise Http404
    return slides_of(now, f"teamspiegel-{pk}") or redirect("team_report", pk)


@require_safe
def report_tables(request: HttpRequest, pk: int) -> HttpResponse:
    """The tables of the report as a workbook."""
    now = of_team(access.participation_for_leader(request.user, pk))
    if now is None:
        raise Http404
    return workbook_of(now, f"teamspiegel-{pk}") or redirect("team_report", pk)


def talk(request: HttpRequest, pk: int) -> HttpResponse:
    """The team talk, scale by scale; the leader writes down what the team agrees. It needs results: the report says why not."""
    participation = access.participation_for_leader(request.user, pk)
    now = report_or_picture(participation)
    if now is None:
        raise Http404
    if not now.has_results:
        return redirect("team_report", pk)
    made = now.report(language_now())
    day = dates.day_of(participation)
    address, back = reverse("team_talk", args=[pk]), reverse("team_report", args=[pk])
    form = None
    if request.method == "POST":
        form, answer = talks.written(request, made, participation, address, back)
        if answer is not None:
            return answer
    extra = {"address": address, "back": back, **look_back.date_context(participation, day=day)}
    return talks.talk_page(request, made, participation, now.agreed, extra, form, writes=day.writes)


@require_POST
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """A link for the team, for as long as the leader chooses."""
    participation = access.participation_for_leader(request.user, pk)
    if published(participation.study_id) is None and picture_of(participation) is None:
        raise Http404
    form = ShareForm(request.POST)
    if form.is_valid():
        share_with_team(participation, form.cleaned_data["days"], access.signed_in(request))
        messages.success(request, _("The link is ready. Copy it and give it to your team."))
    else:
        messages.error(request, _("Choose for how long the link works."))
    return redirect(f"{reverse('team', args=[pk])}#share")


@require_POST
def share_revoke(request: HttpRequest, pk: int, link_id: int) -> HttpResponse:
    """End a link at once."""
    participation = access.participation_for_leader(request.user, pk)
    revoke(get_object_or_404(ReportLink, pk=link_id, participation=participation))
    messages.success(request, _("The link no longer works."))
    return redirect(f"{reverse('team', args=[pk])}#share")


@require_POST
def hand_over(request: HttpRequest, pk: int, later_id: int) -> HttpResponse:
    """The leader of an earlier wave gives it to who leads the team in a later one."""
    participation = access.participation_for_leader(request.user, pk)
    later = _one_of(later_waves(participation), later_id)
    try:
        handed_over = hand_over_wave(participation, later, by=access.signed_in(request))
    except SamePerson as error:
        messages.error(request, str(error))
        return redirect("team", pk)
    if handed_over:
        messages.success(
            request, _("%(name)s sees these pages now. You both get an email.") % {"name": isolated(later.leader_name)}
        )
    return redirect("start")


def _one_of(waves: list[Participation], pk: int) -> Participation:
    for wave in waves:
        if wave.pk == pk:
            return wave
    raise Http404


def _team_page(request: HttpRequest, participation: Participation, form: AddressesForm) -> HttpResponse:
    collection = _collection(participation)
    now = report_or_picture(participation)
    has_results = now is not None and now.has_results
    stations = cycle.cycle_of(participation, has_results=has_results)
    return render(
        request,
        "analysis/team.html",
        {
            "study": participation.study,
            "participation": participation,
            "planned": PlannedMeeting.objects.filter(
                participation=participation, state=PlannedMeeting.State.CONFIRMED
            ).first(),
            "meets": participation.mode in Participation.MEETING_MODES,
            "collection": collection,
            "mirror": collection is not None and mirror.is_offered(collection),
            "returned": returned.shown(collection) if collection else 0,
            "by_contact": participation.mode == Participation.Mode.CONTACT,
            "form": form,
            "published": now is not None,
            "picture": now.picture if isinstance(now, PictureNow) else None,
            "has_results": has_results,
            "share_form": ShareForm(),
            **(look_back.date_context(participation) if has_results else {}),
            "stations": stations,
            "ring": cycle.drawn(stations),
            "later_waves": later_waves(participation),
            "shared": [
                (link, absolute(path_of(link)))
                for link in ReportLink.objects.filter(participation=participation)
                if link.is_open
            ],
        },
    )


def _collection(participation: Participation) -> Collection | None:
    return Collection.objects.filter(participation=participation).select_related("meeting", "survey__study").first()
