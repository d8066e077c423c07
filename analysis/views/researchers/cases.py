"""Candidates for a case study, the criterion from outside, and notes of interviews."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from analysis.forms.workspace import CriterionForm, NotesForm
from analysis.models import CaseNote, Criterion
from analysis.models.results import AgreementResult, ScaleSet
from analysis.reports.quality import ENOUGH_ICC2, icc2_figure
from analysis.results import cases as step
from analysis.results import workspace_rows
from surveys.questionnaires.publishing import definition_of
from teams import access
from teams.forms.filled import hold
from teams.models import Participation


@require_http_methods(["GET", "HEAD", "POST"])
def cases(request: HttpRequest, slug: str) -> HttpResponse:
    """Teams by name or by the criterion, with empirical-Bayes means and the intervals of their ranks."""
    study = access.study_for_researcher(request.user, slug)
    form = CriterionForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            values, unknown = step.read_criterion(
                study, cleaned["file"], cleaned["team_column"], cleaned["value_column"]
            )
        except step.CriterionRefused as refusal:
            form.add_error("file", str(refusal))
        else:
            step.store_criterion(study, cleaned["name"], cleaned["source"], values, access.signed_in(request))
            messages.success(request, _("Figures are imported. Number of teams: %(n)s.") % {"n": len(values)})
            if unknown:
                messages.warning(request, _("No team of this study: %(names)s.") % {"names": ", ".join(unknown[:20])})
            return redirect("cases", slug)
    run = workspace_rows.last_done(study)
    criterion = Criterion.objects.filter(study=study).first()
    context: dict[str, Any] = {"study": study, "run": run, "form": form, "criterion": criterion}
    if run is not None:
        names = workspace_rows.scale_names(definition_of(run.survey.version))
        codes = workspace_rows.final_codes(run)
        order = "criterion" if request.GET.get("order") == "criterion" and criterion else "name"
        page, candidates = step.candidates(run, codes, order, request.GET.get("page"))
        nesting = AgreementResult.objects.filter(run=run, scale_set=ScaleSet.FINAL, participation=None)
        context |= {
            "scales": [(code, names[code]) for code in codes],
            "page": page,
            "candidates": candidates,
            "order": order,
            "query": f"order={order}",
            "unreliable": [
                (names.get(row.scale, row.scale), icc2_figure(row.icc2))
                for row in nesting.order_by("scale")
                if row.icc2 is None or row.icc2 < ENOUGH_ICC2
            ],
            "enough": ENOUGH_ICC2,
            "n_teams": page.paginator.count,
        }
    return render(request, "analysis/cases.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def case(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One team: its estimates, and a note for each phase of what interviews found."""
    study = access.study_for_researcher(request.user, slug)
    participation = get_object_or_404(
        Participation.objects.select_related("team__academy__institution"), study=study, pk=pk
    )
    hold(request, participation)
    run = workspace_rows.last_done(study)
    codes = workspace_rows.final_codes(run) if run else []
    names = workspace_rows.scale_names(definition_of(run.survey.version)) if run else {}
    notes = {note.scale: note for note in CaseNote.objects.filter(participation=participation)}
    form = NotesForm(
        request.POST or None,
        scales=[(code, names[code]) for code in codes],
        initial={code: note.text for code, note in notes.items()},
    )
    if request.method == "POST" and form.is_valid():
        step.write_notes(participation, form.cleaned_data, access.signed_in(request))
        messages.success(request, _("Saved."))
        return redirect("case", slug, pk)
    estimates = step.estimates_of(run, participation) if run else {}
    return render(
        request,
        "analysis/case.html",
        {
            "study": study,
            "run": run,
            "participation": participation,
            "form": form,
            "estimates": [(names[code], estimates.get(code)) for code in codes],
        },
    )
