"""Publishing: what each reader would see, teams to combine, counts that need a decision, the button, versions, links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analysis import disclosure
from analysis.choices import counts
from analysis.disclosure import Reason
from analysis.forms.readers import ShareForm
from analysis.models import AccountingDecision, AnalysisRun, Publication, PublishingJob, Unit
from analysis.models.readers import ReportFile, ReportLink
from analysis.publication import jobs
from analysis.publication.links import path_of, revoke, share_study
from analysis.publication.new_directors import renew_for_director
from analysis.publication.publishing import is_empty, seen
from analysis.publication.refusals import PublishingRefused, unpacked
from analysis.publication.served import of_academy, of_study, of_team
from analysis.publication.standing import published
from analysis.publication.units import CombiningRefused, combine_teams, fixed_by_pictures, separate_teams
from analysis.reports.groups import GroupFigures, as_seen, group_of, load_groups
from analysis.reports.team import team_report
from analysis.reports.wide import academy_report, study_report
from analysis.results.beside_exact import beside_exact
from analysis.views.readers.reports import academy_page, language_now, pdf_of, study_page, team_page, workbook_of
from teams import access
from teams.base.numbers import whole_number
from teams.base.written import kept
from teams.mail.composing import absolute
from teams.models import Academy, Participation, Study
from teams.text.directions import isolated


def publish_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What each reader would get, and the button: a worker publishes, and the page shows how far it is."""
    study = access.study_for_researcher(request.user, slug)
    job = jobs.last_of(study)
    if request.headers.get("HX-Request"):
        return _progress(request, study, job)
    run = _last_run(study.pk)
    if request.method == "POST":
        if run is not None:
            _ask(request, run)
        return redirect("publish", slug)
    groups = load_groups(run) if run else []
    judged = [(group, disclosure.judge_group(group.group, study.k), group.held(study.k)) for group in groups]
    last = published(study.pk)
    refusal = _refusal(job, run, groups)
    without = set(refusal.units) if refusal else set()
    pictures, kept = fixed_by_pictures(study), as_seen(run) if run else {}
    return render(
        request,
        "analysis/publish.html",
        {
            "study": study,
            "run": run,
            "seen": seen(run, [group.group for group in groups]) if run else "",
            "job": job,
            "refusal": refusal,
            "empty": run is not None and is_empty(run),
            "versions": _versions(study),
            "published": run is not None and last is not None and last.run_id == run.pk,
            "correction": last is not None,
            "judged": judged,
            "without": [group for group, withheld, _held in judged if withheld is None and group.key in without],
            "academies": _academies(groups),
            "everyone": disclosure.judge_everyone([group.group for group in groups], study.k),
            "n_units": sum(1 for _group, withheld, _held in judged if withheld is None),
            "n_held": sum(1 for _group, _withheld, held in judged if held),
            "siblings": [] if last or pictures else _siblings(judged),
            "pictures": pictures,
            "as_seen": [group for group in groups if any(team.participation.pk in kept for team in group.teams)],
            "combined": Unit.objects.filter(study=study).select_related("academy", "decided_by"),
            "decisions": AccountingDecision.objects.filter(participation__study=study).select_related(
                "participation__team", "decided_by"
            ),
            "links": [
                (link, absolute(path_of(link)))
                for link in ReportLink.objects.filter(study=study, participation=None).select_related("academy")
            ],
            "share_form": ShareForm(),
            "files": _files(last),
        },
    )


def _ask(request: HttpRequest, run: AnalysisRun) -> None:
    without = {key[:60] for key in request.POST.getlist("without")}
    try:
        job = jobs.ask(run, access.signed_in(request), without, request.POST.get("seen", "")[:64])
    except PublishingRefused as refusal:
        messages.error(request, str(refusal))
    else:
        if job is None:
            messages.info(request, _("These reports are already being published: you can see the progress below."))


def _progress(request: HttpRequest, study: Study, job: PublishingJob | None) -> HttpResponse:
    """How far publishing is; at its end the page is asked for anew, which has more to say."""
    response = render(request, "analysis/publish_progress.html", {"study": study, "job": job})
    if job is None or not job.is_open:
        response["HX-Refresh"] = "true"
    return response


def _refusal(
    job: PublishingJob | None, run: AnalysisRun | None, groups: Sequence[GroupFigures]
) -> PublishingRefused | None:
    """Why the worker did not publish this run; nothing once another is there."""
    if job is None or job.state != PublishingJob.State.REFUSED:
        return None
    if run is not None and job.run_id != run.pk:
        if job.run_id is not None or job.finished_at is None or run.finished_at is None:
            return None
        if run.finished_at > job.finished_at:  # made after the one that is gone
            return None
    return unpacked(job.refusal, {group.key: group.name for group in groups})


def _versions(study: Study) -> list[tuple[int, Publication]]:
    """Every publication with its number, the newest first."""
    publications = list(Publication.objects.filter(study=study).select_related("published_by", "run"))
    return [(len(publications) - place, publication) for place, publication in enumerate(publications)]


def _academies(groups: Sequence[GroupFigures]) -> list[Academy]:
    return list({g.academy_id: g.teams[0].participation.team.academy for g in groups}.values())


def _siblings(
    judged: Sequence[tuple[GroupFigures, disclosure.Withheld | None, object]],
) -> list[tuple[Academy, list[tuple[Participation, int, bool]]]]:
    """Academies with a team too small for a report, and another team that it can be combined with."""
    by_academy: dict[int, list[tuple[GroupFigures, bool]]] = {}
    for group, withheld, _held in judged:
        if len(group.teams) == 1:
            small = withheld is not None and withheld.reason == Reason.TOO_FEW
            by_academy.setdefault(group.academy_id, []).append((group, small))
    return [
        (
            groups[0][0].teams[0].participation.team.academy,
            [(group.teams[0].participation, group.group.analysed, small) for group, small in groups],
        )
        for groups in by_academy.values()
        if len(groups) > 1 and any(small for _group, small in groups)
    ]


def _files(publication: Publication | None) -> dict[str, int]:
    """How many PDFs of the last publication are there, of how many."""
    states = list(ReportFile.objects.filter(publication=publication).values_list("state", flat=True))
    return {
        "all": len(states),
        "ready": states.count(ReportFile.State.READY),
        "failed": states.count(ReportFile.State.FAILED),
    }


@require_POST
def accept_counts(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A researcher's decision that a team's counts are right, with the reason: it ends the hold on its report."""
    participation = access.participation_for_researcher(request.user, slug, pk)
    reason = kept(request.POST.get("reason", "")).strip()
    if reason:
        counts.accept(participation, reason, access.signed_in(request))
        messages.success(request, _("Recorded."))
    else:
        messages.error(request, _("Say why the counts are right."))
    return redirect("publish", slug)


@require_POST
def combine(request: HttpRequest, slug: str) -> HttpResponse:
    """Combine sibling teams into one unit, before the first publication."""
    study = access.study_for_researcher(request.user, slug)
    chosen = [pk for team in request.POST.getlist("team") if (pk := whole_number(team)) is not None]
    try:
        unit = combine_teams(
            study, list(Participation.objects.filter(study=study, pk__in=chosen)), access.signed_in(request)
        )
    except CombiningRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Combined: %(teams)s. They get one report.") % {"teams": isolated(unit.name)})
    return redirect(f"{reverse('publish', args=[slug])}#combine")


@require_POST
def separate(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Undo a combination, before the first publication."""
    study = access.study_for_researcher(request.user, slug)
    unit = Unit.objects.select_related("study", "academy").filter(study=study, pk=pk).first()
    try:
        if unit is not None:  # none: somebody took it apart already
            separate_teams(unit, access.signed_in(request))
    except CombiningRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Taken apart: each team is separate again."))
    return redirect(f"{reverse('publish', args=[slug])}#combine")


# ------------------------------------------------------------------------------------------------ links
@require_POST
def share(request: HttpRequest, slug: str) -> HttpResponse:
    """A link to the report on the whole study."""
    study = access.study_for_researcher(request.user, slug)
    form = ShareForm(request.POST)
    if published(study.pk) is None:
        raise Http404
    if form.is_valid():
        share_study(study, form.cleaned_data["days"], access.signed_in(request))
        messages.success(request, _("The link is ready. Copy it and give it to whoever may read the report."))
    else:
        messages.error(request, _("Choose for how long the link works."))
    return redirect(f"{reverse('publish', args=[slug])}#links")


@require_POST
def link_revoke(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """End a link to a report of an academy or of the study at once."""
    revoke(_link(request, slug, pk))
    messages.success(request, _("The link no longer works."))
    return redirect(f"{reverse('publish', args=[slug])}#links")


@require_POST
def link_renew(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A new link for a director, by mail; the old one ends."""
    link = _link(request, slug, pk)
    if link.academy_id is None:
        raise Http404

    renew_for_director(link)
    messages.success(request, _("A new link is on its way to the director. The old one no longer works."))
    return redirect(f"{reverse('publish', args=[slug])}#links")


def _link(request: HttpRequest, slug: str, pk: int) -> ReportLink:
    study = access.study_for_researcher(request.user, slug)
    return get_object_or_404(ReportLink.objects.select_related("study"), study=study, participation=None, pk=pk)


# ------------------------------------------------------------------------------------------------ previews
@require_safe
def report_preview(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What a team sees, or will see once the last run is published; without what the team wrote down itself."""
    participation = access.participation_for_researcher(request.user, slug, pk)
    run = _last_run(participation.study_id)
    if run is None:
        return redirect("runs", slug)
    now = of_team(participation)
    if now is not None and now.publication.run_id == run.pk:
        report = now.report(language_now(), own_words=False)
    else:
        report = team_report(run, participation, language_now())
    group = None if isinstance(report.scales, disclosure.Withheld) else group_of(load_groups(run), participation)
    exact = beside_exact(run, group, report) if group else []
    return team_page(request, report, participation, {"preview": True, "exact": exact})


@require_safe
def academy_preview(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What a director sees, or will see."""
    study, academy = access.academy_for_researcher(request.user, slug, pk)
    run = _last_run(study.pk)
    if run is None:
        return redirect("runs", slug)
    now = of_academy(study, academy)
    if now is not None and now.publication.run_id == run.pk:
        report = now.report(language_now())
    else:
        report = academy_report(run, academy.pk, language_now())
    return academy_page(request, report, study, academy, {"preview": True})


@require_safe
def study_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The report on the whole study."""
    study = access.study_for_researcher(request.user, slug)
    run = _last_run(study.pk)
    if run is None:
        return redirect("runs", slug)
    now = of_study(study)
    extra: dict[str, Any] = {"preview": True}
    if now is not None and now.publication.run_id == run.pk:
        report = now.report(language_now())
        extra["pdf"] = reverse("study_preview_pdf", args=[slug])
        extra["pdf_ready"] = True
        extra["tables"] = reverse("study_preview_tables", args=[slug])
    else:
        report = study_report(run, language_now())
    return study_page(request, report, study, extra)


@require_safe
def study_preview_pdf(request: HttpRequest, slug: str) -> HttpResponse:
    """The published report on the whole study as a PDF."""
    study = access.study_for_researcher(request.user, slug)
    now = of_study(study)
    if now is None:
        raise Http404
    pdf = pdf_of(now, f"teamspiegel-{slug}")
    if pdf is None:
        messages.warning(request, _("The PDF is still being made. Try again in a few seconds."))
        return redirect("study_preview", slug)
    return pdf


@require_safe
def study_preview_tables(request: HttpRequest, slug: str) -> HttpResponse:
    """The tables of the published report on the whole study."""
    now = of_study(access.study_for_researcher(request.user, slug))
    if now is None:
        raise Http404
    return workbook_of(now, f"teamspiegel-{slug}") or redirect("study_preview", slug)


def _last_run(study_id: int) -> AnalysisRun | None:
    return AnalysisRun.objects.last_done(study_id)
