"""The researcher's files: the codebook, and rows of responses by the register of releases."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analysis.data.coarsening import code_of, grouped, limits_of
from analysis.exports import columns, counting, ddi, files, prepared, releases, rows, spss
from analysis.forms.releases import ReleaseForm, SmallTeamsForm
from analysis.history import Happened
from analysis.models import AnalysisRun
from analysis.models.releases import PreparedFile, ResultRelease, RowRelease
from surveys.models import Survey
from surveys.models.questionnaire import in_language
from surveys.questionnaires.definition import TEXT, Question
from surveys.questionnaires.publishing import definition_of
from teams import access, history
from teams.models import Study
from teams.models.languages import current_language, language_of
from teams.people import employment
from teams.views.employment import for_no_colleague


@partial(for_no_colleague, reading=False)
@require_http_methods(["GET", "HEAD", "POST"])
def exports(request: HttpRequest, slug: str) -> HttpResponse:
    """What can be downloaded, what was released before, and the form for a new release."""
    study = access.study_for_researcher(request.user, slug)
    user = access.signed_in(request)
    survey = Survey.objects.select_related("version", "study").filter(study=study).first()
    questions = definition_of(survey.version).asked_background(survey.background) if survey else ()
    words = _Words(questions)
    form = ReleaseForm(request.POST or None, questions=[question for question in questions if question.type != TEXT])
    refusal: releases.ReleaseRefused | None = None
    preview: releases.Judgement | None = None
    if survey is not None and request.method == "POST" and form.is_valid():
        try:
            preview = _register(request, survey, form)
        except prepared.NotCounted:
            pass  # the page says so, and how far it is
        except releases.NothingToRelease:
            messages.error(request, _("There are no sealed answers yet."))
        except releases.ReleaseRefused as refused:
            refusal = refused
        else:
            if preview is None:
                messages.success(request, _("Recorded. The files of this release are listed below."))
                return redirect("exports", slug)
    run = _last_done(study)
    languages = definition_of(survey.version).languages if survey else ()
    made = {(file.release_id, file.form, file.language): file for file in PreparedFile.objects.filter(survey=survey)}
    # whose rows are in a release is a long list, and not shown
    register = list(RowRelease.objects.filter(study=study).select_related("released_by").defer("participations"))
    return render(
        request,
        "analysis/exports.html",
        {
            "study": study,
            "survey": survey,
            "run": run,
            "form": form,
            "refusal": refusal,
            "preview": preview,
            "previewed": words.of(preview.union) if preview else "",
            "cell": words.cell(judged.smallest_cell, judged.union, study.k) if (judged := preview or refusal) else "",
            "union": words.of(refusal.union) if refusal else "",
            "offers": [
                (
                    words.of(((counting.TEAM,) if offer.with_team else ()) + offer.background),
                    words.cell(offer.smallest_cell, offer.background, study.k),
                )
                for offer in (refusal.offers if refusal else ())
            ],
            "register": [
                (
                    release,
                    words.of([*([counting.TEAM] if release.with_team else []), *release.background]),
                    words.of(release.union),
                    _file_lines(release, run, languages, made),
                )
                for release in register
            ],
            "counts": made.get((None, prepared.COUNTS, "")),
            "working": any(file.state == PreparedFile.State.WAITING for file in made.values()),
            "n_steps": prepared.STORING,
            "may_have_rows": employment.is_declared(user, study) and not employment.works_in(user, study),
            "works_in": employment.works_in(user, study),
            "small_form": SmallTeamsForm(),
            "result_releases": ResultRelease.objects.filter(study=study).select_related("released_by"),
            "has_open_texts": any(question.type == TEXT for question in questions),
        },
    )


@require_safe
@for_no_colleague
def release_file(request: HttpRequest, slug: str, pk: int, form: str) -> HttpResponseBase:
    """One file of a release: of a small one made now, of a large one as a worker prepared it. Who took it is on record."""
    asked = _asked_for(request, slug, pk, form, request.GET)
    if asked is None:
        return redirect("exports", slug)
    answer: HttpResponseBase
    if prepared.at_once(asked.release.n_rows):
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it when it is sent
        try:
            files.write_file(asked.release, asked.survey, asked.run, form, asked.language, file)
        except rows.DataChanged:
            file.close()
            messages.error(request, _changed())
            return redirect("exports", slug)
        file.seek(0)
        answer = FileResponse(file, content_type=files.CONTENT_TYPES[form])
    else:
        made = prepared.ready(asked.release, asked.run, form, asked.language)
        if made is None:
            messages.error(request, _("This file has to be made first."))
            return redirect("exports", slug)
        answer = StreamingHttpResponse(prepared.pieces(made), content_type=files.CONTENT_TYPES[form])
        answer["Content-Length"] = str(made.size)
    detail = f"{form}: {asked.release.purpose}"
    history.record(asked.release.study, Happened.RESPONSES_DOWNLOADED, by=access.signed_in(request), detail=detail)
    return _as_file(answer, files.name_of(asked.release, form, asked.language))


@require_POST
@for_no_colleague
def release_prepare(request: HttpRequest, slug: str, pk: int, form: str) -> HttpResponse:
    """Have a worker make a file of a large release."""
    asked = _asked_for(request, slug, pk, form, request.POST)
    if asked is not None and not prepared.at_once(asked.release.n_rows):
        prepared.ask(asked.release, asked.survey, asked.run, form, asked.language)
        messages.success(request, _("The file is being made. It will appear on this page when it is ready."))
    return redirect("exports", slug)


@require_safe
def export_ddi(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The codebook as DDI-Codebook 2.5."""
    study = access.study_for_researcher(request.user, slug)
    survey = get_object_or_404(Survey.objects.select_related("version", "study"), study=study)
    answer = HttpResponse(ddi.ddi_bytes(survey), content_type="application/xml; charset=utf-8")
    return _as_file(answer, f"{slug}-codebook.xml")


@require_safe
def codebook(request: HttpRequest, slug: str) -> HttpResponse:
    """The codebook to read and print."""
    study = access.study_for_researcher(request.user, slug)
    survey = get_object_or_404(Survey.objects.select_related("version", "study"), study=study)
    definition = definition_of(survey.version)
    scales = [
        (
            scale,
            in_language(dict(scale.name)),
            in_language(dict(scale.meaning)),
            [(item, in_language(dict(item.text))) for item in scale.items],
        )
        for scale in definition.scales
    ]
    questions = [
        (
            question,
            in_language(dict(question.text)),
            [(choice, in_language(dict(choice.text))) for choice in question.choices],
        )
        for question in definition.asked_background(survey.background)
    ]
    return render(
        request,
        "analysis/codebook.html",
        {
            "study": study,
            "scales": scales,
            "questions": questions,
            "options": [(value, in_language(dict(text))) for value, text in definition.options],
            "cannot_judge": in_language(dict(definition.cannot_judge)) if definition.cannot_judge else "",
            "codes": (spss.CANNOT_JUDGE, spss.NO_ANSWER),
            "set_aside": [
                (value, spss.set_aside_codes()[value], text)
                for value, text in columns.set_aside_values(current_language()).items()
            ],
            "not_analysed": columns.NOT_ANALYSED,
        },
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A file of a release that somebody may have."""

    release: RowRelease
    survey: Survey
    run: AnalysisRun | None
    language: str


def _asked_for(request: HttpRequest, slug: str, pk: int, form: str, given: QueryDict) -> _Asked | None:
    """What is asked for; None, and a message says why, where the answers or the analysis are others by now."""
    study = access.study_for_researcher(request.user, slug)
    release = get_object_or_404(RowRelease.objects.select_related("study"), study=study, pk=pk)
    survey = get_object_or_404(Survey.objects.select_related("version", "study"), study=study)
    run = _last_done(study)
    if form not in files.CONTENT_TYPES or (form in files.OF_A_RUN and run is None):
        raise Http404
    if run is not None and form in files.OF_A_RUN and run.fingerprint != release.fingerprint:
        messages.error(
            request, _("The last analysis is of other answers: wait for the next one, or make a new release.")
        )
        return None
    if not prepared.unchanged(release, survey):
        messages.error(request, _changed())
        return None
    return _Asked(release, survey, run, _language(given.get("language"), definition_of(survey.version).languages))


def _changed() -> str:
    return _("Answers have come in or been withdrawn since this release: make a new one.")


def _register(request: HttpRequest, survey: Survey, form: ReleaseForm) -> releases.Judgement | None:
    """Register what the form asks for, or the coarser release that was offered in its place and chosen; or only look."""
    if "check" in request.POST:
        return releases.look(
            survey, with_team=form.cleaned_data["with_team"], background=form.cleaned_data["background"]
        )
    asked = {"purpose": form.cleaned_data["purpose"], "user": access.signed_in(request)}
    try:
        releases.register(
            survey, with_team=form.cleaned_data["with_team"], background=form.cleaned_data["background"], **asked
        )
    except releases.ReleaseRefused as refused:
        chosen = [offer for n, offer in enumerate(refused.offers) if str(n) == request.POST.get("offer")]
        if not chosen:
            raise
        releases.register(survey, with_team=chosen[0].with_team, background=chosen[0].background, **asked)
    return None


@dataclass(frozen=True, slots=True)
class _FileLine:
    """A file on the page: sent at once, or (of a large release) as ``prepared`` says; None where nobody asked for it."""

    form: str
    language: str
    at_once: bool
    prepared: PreparedFile | None

    @property
    def label(self) -> str:
        names = {"csv": "CSV", "r": _("R script with data"), "mplus": _("Mplus input with data")}
        return names.get(self.form) or f"SPSS ({self.language})"

    @property
    def until(self) -> datetime | None:
        """Until when it can be fetched."""
        made = self.prepared
        return made.ready_at + prepared.LASTS if made is not None and made.ready_at is not None else None

    @property
    def problem(self) -> str:
        """Why it could not be made."""
        made = self.prepared
        if made is None or made.state != PreparedFile.State.FAILED:
            return ""
        return _changed() if made.problem == prepared.CHANGED else _("The file could not be made. Try again.")


def _file_lines(
    release: RowRelease,
    run: AnalysisRun | None,
    languages: Sequence[str],
    made: Mapping[tuple[int | None, str, str], PreparedFile],
) -> list[_FileLine]:
    at_once = prepared.at_once(release.n_rows)
    lines = []
    for form, language in files.listed(languages, with_run=run is not None):
        file = made.get((release.pk, form, language))
        of_this_run = file is not None and file.run_id == (run.pk if run else None)
        lines.append(_FileLine(form, language, at_once, file if of_this_run else None))
    return lines


class _Words:
    """Columns as a list to read, with which answers are taken together."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self._questions = {question.code: question for question in questions}

    def of(self, columns: Sequence[str]) -> str:
        """Without any column: the answers only."""
        return ", ".join(self._column(column) for column in columns) or _("answers only")

    def _column(self, column: str) -> str:
        question = self._questions.get(code_of(column))
        if question is None:
            return _("team") if column == counting.TEAM else column
        text = in_language(dict(question.text))
        if column == question.code:
            return text
        return f"{text} ({' · '.join(in_language(dict(choice.text)) for choice in grouped(question, column).choices)})"

    def cell(self, n: int, columns: Sequence[str], k: int) -> str:
        """The size of the smallest cell. Where limits can be chosen freely only whether it is large enough: the sizes of
        two bands that differ by a year would tell how many are of that age."""
        if not any(limits_of(column) for column in columns):
            return str(n)
        return _("fewer than %(k)s") % {"k": k} if n < k else _("at least %(k)s") % {"k": k}


def _language(given: str | None, languages: tuple[str, ...]) -> str:
    return given if given in languages else language_of(languages)


def _as_file(answer: HttpResponseBase, name: str) -> HttpResponseBase:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _last_done(study: Study) -> AnalysisRun | None:
    return AnalysisRun.objects.last_done(study.pk)
