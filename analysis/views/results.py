"""The researcher's results: tables over all and per team, factor models, downloads, and importing answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from analysis import exports
from analysis.factor_models import OWN
from analysis.import_file import Answers, read_answers
from analysis.imports import ImportRefused, import_answers
from analysis.models import AnalysisRun
from analysis.reading import factor_models, scale_lines
from analysis.researcher_forms import ImportForm
from analysis.result_models import ScaleSet
from analysis.run_words import fit_line
from analysis.workspace import last_done
from surveys.models import Survey
from surveys.models.questionnaire import in_language
from surveys.questionnaires import definition_of
from teams import access
from teams.models import Study
from teams.tables import Cell

SHOWN_BAD_CELLS = SHOWN_TEAMS = 200


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
            "models": [fit_line(row) for row in factor_models(run) if not row.name.startswith(OWN)],
        }
    return render(request, "analysis/results.html", context)


# ------------------------------------------------------------------------------------------------ downloads
def export_results(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Scale results of the last run, overall and per team."""
    study = access.study_for_researcher(request.user, slug)
    run = _last_done(study)
    if run is None:
        raise Http404
    return _csv(exports.result_rows(run), f"{slug}-results.csv")


def export_codebook(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """What the columns of the responses mean."""
    study = access.study_for_researcher(request.user, slug)
    survey = get_object_or_404(Survey.objects.select_related("version"), study=study)
    return _csv(exports.codebook_rows(survey), f"{slug}-codebook.csv")


def _csv(rows: Iterable[Sequence[Cell]], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(exports.csv_lines(rows), content_type="text/csv; charset=utf-8")
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
        if answers.good and "import" in request.POST:
            try:
                made = import_answers(survey, answers, access.signed_in(request))
            except ImportRefused as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(
                    request,
                    _("%(n)s responses of %(teams)s teams are imported. They are sealed and analysed by themselves.")
                    % {"n": answers.n_rows, "teams": len(made)},
                )
                return redirect("runs", slug)
    return render(
        request,
        "analysis/import.html",
        {
            "study": study,
            "survey": survey,
            "form": form,
            "answers": answers,
            "teams": [(team, len(rows)) for team, rows in sorted(answers.teams.items())[:SHOWN_TEAMS]]
            if answers
            else [],
            "n_teams": len(answers.teams) if answers else 0,
            "bad_cells": answers.bad_cells[:SHOWN_BAD_CELLS] if answers else (),
            "n_bad_cells": len(answers.bad_cells) if answers else 0,
        },
    )


def _last_done(study: Study) -> AnalysisRun | None:
    return (
        AnalysisRun.objects.filter(survey__study=study, state=AnalysisRun.State.DONE)
        .select_related("survey__version", "survey__study", "plan")
        .first()
    )
