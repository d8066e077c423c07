"""Publishing: what each reader would see of the last run, counts that need a decision, and the button."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from analysis import disclosure
from analysis.groups import load_groups
from analysis.models import AccountingDecision, AnalysisRun, Publication
from analysis.publishing import PublishingRefused, publish
from analysis.views.team import render_report
from teams import access


def publish_page(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    run = _last_run(study.pk)
    if request.method == "POST" and run is not None:
        try:
            publish(run, access.signed_in(request))
        except PublishingRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Published. The team leaders can open their reports."))
        return redirect("publish", slug)
    groups = load_groups(run) if run else []
    judged = [(group, disclosure.judge_group(group.group, study.k)) for group in groups]
    return render(
        request,
        "analysis/publish.html",
        {
            "study": study,
            "run": run,
            "publications": Publication.objects.filter(study=study).select_related("published_by"),
            "published": run is not None and Publication.objects.filter(run=run).exists(),
            "judged": judged,
            "everyone": disclosure.judge_everyone([group.group for group in groups], study.k),
            "n_units": sum(1 for _group, withheld in judged if withheld is None),
        },
    )


@require_POST
def accept_counts(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A researcher's decision that a team's counts are right, with the reason: it ends the hold on its report."""
    participation = access.participation_for_researcher(request.user, slug, pk)
    reason = request.POST.get("reason", "").strip()
    if reason:
        AccountingDecision.objects.create(
            participation=participation, reason=reason, decided_by=access.signed_in(request)
        )
        messages.success(request, _("Recorded."))
    else:
        messages.error(request, _("Say why the counts are right."))
    return redirect("publish", slug)


def report_preview(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What a team's leader sees, or will see once the last run is published."""
    participation = access.participation_for_researcher(request.user, slug, pk)
    run = _last_run(participation.study_id)
    if run is None:
        return redirect("runs", slug)
    return render_report(request, run, participation, preview=True)


def _last_run(study_id: int) -> AnalysisRun | None:
    return (
        AnalysisRun.objects.filter(survey__study_id=study_id, state=AnalysisRun.State.DONE)
        .select_related("survey__study", "survey__version", "plan")
        .first()
    )
