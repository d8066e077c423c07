"""Who did not answer: the page, its files, and what a researcher knows of the population."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis import svg
from analysis.choices import population
from analysis.data import bands
from analysis.exports.result_tables import csv_lines
from analysis.forms.population import COUNT, CompositionForm, LimitsForm
from analysis.history import Happened
from analysis.models.comparisons import KnownComposition
from analysis.results import nonresponse_tables as pages
from analysis.results import workspace_rows
from analysis.results.response_tables import workbook
from analysis.runs.names import FACTORS, OF_ALL_TEAMS, SCORE
from analysis.views.researchers.accounts import XLSX
from surveys.models import Survey
from surveys.models.questionnaire import in_language
from surveys.questionnaires.definition import NUMBER, TEXT, Question
from surveys.questionnaires.publishing import definition_of
from teams import access, history
from teams.forms.filled import hold


@require_safe
def nonresponse(request: HttpRequest, slug: str) -> HttpResponse:
    """Rates beside scores, teams by what is known of them, respondents beside the population."""
    study = access.study_for_researcher(request.user, slug)
    run = workspace_rows.last_done(study)
    context: dict[str, Any] = {"study": study, "run": run}
    if run is not None:
        names = workspace_rows.scale_names(definition_of(run.survey.version))
        codes = workspace_rows.final_codes(run)
        scale = request.GET.get("scale") if request.GET.get("scale") in codes else next(iter(codes), "")
        factor = request.GET.get("by") if request.GET.get("by") in FACTORS else FACTORS[0]
        rates = pages.table(run, f"{SCORE}{scale}")
        page, points = pages.team_points(run, scale or "", request.GET.get("page"))
        context |= {
            "scales": [(code, names[code]) for code in codes],
            "scale": scale,
            "name": names.get(scale or "", ""),
            "rates": rates,
            "correlations": [(_("Spearman (ranks)"), rates["spearman"]), (_("Pearson"), rates["pearson"])]
            if rates
            else (),
            "sentence": pages.sentence(rates, names[scale or ""]) if rates else "",
            "plot": svg.as_data_uri(pages.plot(run, rates, names[scale or ""])) if rates and rates["n_teams"] else "",
            "page": page,
            "points": points,
            "factors": pages.factors(),
            "factor": factor,
            "factor_name": dict(pages.factors())[factor or ""],
            "of_all_teams": factor in OF_ALL_TEAMS,
            "groups": pages.group_page(run, factor or "", request.GET.get("groups")),
            "questions": pages.question_tables(run),
            "query": f"by={factor}&scale={scale}",
        }
    return render(request, "analysis/nonresponse.html", context)


@require_safe
def nonresponse_file(request: HttpRequest, slug: str, form: str) -> HttpResponseBase:
    """All tables of the page: CSV with a number per line, or XLSX with a sheet per table."""
    study = access.study_for_researcher(request.user, slug)
    run = workspace_rows.last_done(study)
    if run is None:
        raise Http404
    sheets = pages.sheets(run, workspace_rows.scale_names(definition_of(run.survey.version)))
    answer: HttpResponseBase
    if form == "csv":
        lines = csv_lines(pages.long_rows(sheets))
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    else:
        answer = HttpResponse(workbook(sheets), content_type=XLSX)
    history.record(study, Happened.RESULTS_DOWNLOADED, by=access.signed_in(request), detail=f"nonresponse.{form}")
    answer["Content-Disposition"] = f'attachment; filename="{slug}-nonresponse.{form}"'
    answer["Cache-Control"] = "no-store"
    return answer


# ------------------------------------------------------------------------------------------------ the population
@require_http_methods(["GET", "HEAD", "POST"])
def composition(request: HttpRequest, slug: str, question: str) -> HttpResponse:
    """How many people of the population are known to be in each answer or band of a background question."""
    study = access.study_for_researcher(request.user, slug)
    survey = get_object_or_404(Survey.objects.select_related("version", "study"), study=study)
    asked = _question(survey, question)
    hold(request, study)
    known = KnownComposition.objects.filter(study=study, question=question).first()
    if request.method == "POST" and "remove" in request.POST:
        _say(request, _("Removed."), again=population.remove(survey, question, access.signed_in(request)))
        return redirect("nonresponse", slug)
    limits, limits_form = _limits(request, asked, known)
    same = known is not None and tuple(known.limits) == limits
    initial = {f"{COUNT}{place}": n for place, n in enumerate(known.counts)} if known and same else {}
    form = CompositionForm(
        request.POST or None,
        question=asked,
        limits=limits,
        initial={**initial, "source": known.source if known else ""},
    )
    if request.method == "POST" and form.is_valid():
        again = population.store(
            survey, question, form.counts, limits, form.cleaned_data["source"], access.signed_in(request)
        )
        _say(request, _("Saved."), again=again)
        return redirect("nonresponse", slug)
    return render(
        request,
        "analysis/composition.html",
        {
            "study": study,
            "text": in_language(dict(asked.text)),
            "form": form,
            "limits_form": limits_form,
            "limits": bands.written(limits),
            "known": known,
        },
    )


def _question(survey: Survey, code: str) -> Question:
    for question in definition_of(survey.version).asked_background(survey.background):
        if question.code == code and question.type != TEXT:
            return question
    raise Http404


def _limits(
    request: HttpRequest, question: Question, known: KnownComposition | None
) -> tuple[bands.Limits, LimitsForm | None]:
    """The bands that the form asks for: as chosen now, as stored, or round ones. No form where the question is a choice."""
    if question.type != NUMBER:
        return (), None
    standing = tuple(known.limits) if known else bands.offered(question)
    given = request.POST if "limits" in request.POST else request.GET if "limits" in request.GET else None
    form = LimitsForm(given, question=question, initial={"limits": bands.written(standing)})
    return (form.cleaned_data["limits"] if given and form.is_valid() else standing), form


def _say(request: HttpRequest, done: str, *, again: bool) -> None:
    later = _("The analysis is running again; the comparison will appear here when it has finished.") if again else ""
    messages.success(request, f"{done} {later}".strip())
