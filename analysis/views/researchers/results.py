"""The researcher's results: tables over all and per team, factor models, downloads, and importing answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analysis.data.import_file import Answers, read_answers
from analysis.data.import_teams import ImportRefused, folded, in_study, nearly_same, of_neighbouring_waves
from analysis.data.imports import import_answers
from analysis.exports import result_tables
from analysis.exports.releases import register_results
from analysis.forms.decisions_and_import import ImportForm
from analysis.forms.releases import SmallTeamsForm
from analysis.history import Happened
from analysis.models import AnalysisRun
from analysis.models.releases import ResultRelease
from analysis.models.results import ScaleSet
from analysis.results.model_fit import fits_of
from analysis.results.reading import scale_lines
from analysis.results.workspace_rows import last_done
from surveys.models import Survey
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import definition_of
from teams import access, history
from teams.files.tables import Cell
from teams.models import Study, User
from teams.text.directions import isolated
from teams.views.employment import for_no_colleague
from teams.views.setup import warn_of_boxes

SHOWN_BAD_CELLS = SHOWN_TEAMS = 200


@require_safe
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """The results of the last finished run, for the final scales or those of the plan (``?scales=theoretical``)."""
    study = access.study_for_researcher(request.user, slug)
    scale_set = ScaleSet.THEORETICAL if request.GET.get("scales") == ScaleSet.THEORETICAL else ScaleSet.FINAL
    run = last_done(study)
    context: dict[str, Any] = {"study": study, "run": run, "scale_set": scale_set}
    if run is not None:
        lines = scale_lines(run, scale_set)
        context |= {
            "lines": [(line, in_language(line.name)) for line in lines],
            "models": [fit for fit in fits_of(run) if not fit.exploratory],
        }
    return render(request, "analysis/results.html", context)


# ------------------------------------------------------------------------------------------------ downloads
@require_safe
def export_results(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Scale results of the last run, overall and per team; of a team of fewer than k people only their number."""
    study = access.study_for_researcher(request.user, slug)
    run = _last_done(study)
    if run is None:
        raise Http404
    history.record(study, Happened.RESULTS_DOWNLOADED, by=access.signed_in(request), detail="results.csv")
    return _csv(result_tables.result_rows(run), f"{slug}-results.csv")


@require_POST
@for_no_colleague
def results_release(request: HttpRequest, slug: str) -> HttpResponse:
    """Record what the figures of teams with fewer than k people are for; the file then stands in the register."""
    study = access.study_for_researcher(request.user, slug)
    form = SmallTeamsForm(request.POST)
    if form.is_valid():
        register_results(study, form.cleaned_data["purpose"], access.signed_in(request))
        messages.success(request, _("Recorded. The file is in the list."))
    else:
        messages.error(request, _("Say in one sentence what the figures are for."))
    return redirect(f"{reverse('exports', args=[slug])}#small-teams")


@require_safe
@for_no_colleague
def export_all_results(request: HttpRequest, slug: str, pk: int) -> StreamingHttpResponse:
    """Results with the figures of teams of fewer than k people, as a release of the register names them."""
    study = access.study_for_researcher(request.user, slug)
    release = get_object_or_404(ResultRelease, study=study, pk=pk)
    run = _last_done(study)
    if run is None:
        raise Http404
    history.record(
        study, Happened.RESULTS_DOWNLOADED, by=access.signed_in(request), detail=f"results-all.csv: {release.purpose}"
    )
    return _csv(result_tables.result_rows(run, all_teams=True), f"{slug}-results-all.csv")


@require_safe
def export_codebook(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """What the columns of the responses mean."""
    study = access.study_for_researcher(request.user, slug)
    survey = get_object_or_404(Survey.objects.select_related("version"), study=study)
    return _csv(result_tables.codebook_rows(survey), f"{slug}-codebook.csv")


def _csv(rows: Iterable[Sequence[Cell]], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(result_tables.csv_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


# ------------------------------------------------------------------------------------------------ import
def responses_import(request: HttpRequest, slug: str) -> HttpResponse:
    """Import answers collected elsewhere: first checked, then written when all is good."""
    study = access.study_for_researcher(request.user, slug)
    survey = Survey.objects.select_related("version", "study").filter(study=study).first()
    form = ImportForm(request.POST or None, request.FILES or None)
    answers: Answers | None = None
    if survey is not None and request.method == "POST" and form.is_valid():
        answers = read_answers(
            form.cleaned_data["file"],
            definition_of(survey.version),
            survey.background,
            form.cleaned_data["team_column"],
            column_map=form.cleaned_data["map"],
            leave_out=form.cleaned_data["leave_out"],
            empty_team=form.cleaned_data["empty_team"],
        )
        if answers.good and nearly_same(answers.teams) and not form.cleaned_data["different"]:
            form.add_error(
                "different",
                _(
                    "Some names are nearly the same. Correct the file if they are one team, or tick that they are "
                    "different teams."
                ),
            )
        elif answers.good and "import" in request.POST:
            try:
                made = import_answers(
                    survey, answers, access.signed_in(request), same_teams=form.cleaned_data["same_teams"]
                )
            except ImportRefused as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(
                    request,
                    _("Imported: responses: %(n)s; teams: %(teams)s. They are sealed and analysed automatically.")
                    % {"n": answers.n_rows, "teams": len(made)},
                )
                warn_of_boxes(request, answers.teams)
                return redirect("runs", slug)
    return render(
        request,
        "analysis/import.html",
        {
            "study": study,
            "survey": survey,
            "form": form,
            "answers": answers,
            "teams": _teams_in(answers, study, access.signed_in(request)) if answers else [],
            "nearly_same": nearly_same(answers.teams)[:SHOWN_TEAMS] if answers else [],
            "n_teams": len(answers.teams) if answers else 0,
            "bad_cells": answers.bad_cells[:SHOWN_BAD_CELLS] if answers else (),
            "n_bad_cells": len(answers.bad_cells) if answers else 0,
        },
    )


def _teams_in(answers: Answers, study: Study, by: User) -> list[tuple[str, int, str]]:
    """Each team of a file with its number of rows and what it is here: a team of the study, of another wave, or new."""
    here, waves = in_study(study), of_neighbouring_waves(study, by)
    teams = []
    for team, rows in sorted(answers.teams.items())[:SHOWN_TEAMS]:
        if folded(team) in here:
            what = _("a team of this study")
        elif same := waves.get(folded(team)):
            what = _("the team of the wave before or after, in %(academy)s") % {"academy": isolated(same[0].academy)}
        else:
            what = _("a new team")
        teams.append((team, len(rows), what))
    return teams


def _last_done(study: Study) -> AnalysisRun | None:
    return AnalysisRun.objects.last_done(study.pk)
