"""The researcher's files: the codebook, and rows of responses by the register of releases."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis.exporting import ddi, files, releases, rows, spss
from analysis.exporting.coarsening import code_of, grouped
from analysis.models import AnalysisRun
from analysis.release_forms import ReleaseForm
from analysis.release_models import RowRelease
from surveys.definition import TEXT, Question
from surveys.models import Survey
from surveys.models.questionnaire import in_language
from surveys.questionnaires import definition_of
from teams import access, history
from teams.models import Study


@require_http_methods(["GET", "HEAD", "POST"])
def exports(request: HttpRequest, slug: str) -> HttpResponse:
    """What can be downloaded, what was released before, and the form for a new release."""
    study = access.study_for_researcher(request.user, slug)
    survey = Survey.objects.select_related("version", "study").filter(study=study).first()
    questions = definition_of(survey.version).asked_background(survey.background) if survey else ()
    words = _Words(questions)
    form = ReleaseForm(request.POST or None, questions=[question for question in questions if question.type != TEXT])
    refusal: releases.ReleaseRefused | None = None
    preview: releases.Judgement | None = None
    if survey is not None and request.method == "POST" and form.is_valid():
        try:
            preview = _register(request, survey, form)
        except releases.NothingToRelease:
            messages.error(request, _("There are no sealed answers yet."))
        except releases.ReleaseRefused as refused:
            refusal = refused
        else:
            if preview is None:
                messages.success(request, _("Recorded. The files of this release stand below."))
                return redirect("exports", slug)
    register = list(RowRelease.objects.filter(study=study).select_related("released_by"))
    return render(
        request,
        "analysis/exports.html",
        {
            "study": study,
            "survey": survey,
            "run": _last_done(study),
            "form": form,
            "refusal": refusal,
            "preview": preview,
            "sizes": words.sizes(preview.sizes) if preview else (),
            "union": words.of(refusal.union) if refusal else "",
            "offers": [
                (offer, words.of(((releases.TEAM,) if offer.with_team else ()) + offer.background))
                for offer in (refusal.offers if refusal else ())
            ],
            "register": [
                (
                    release,
                    words.of([*([releases.TEAM] if release.with_team else []), *release.background]),
                    words.of(release.union),
                )
                for release in register
            ],
            "languages": definition_of(survey.version).languages if survey else (),
            "has_open_texts": any(question.type == TEXT for question in questions),
        },
    )


@require_safe
def release_file(request: HttpRequest, slug: str, pk: int, form: str) -> HttpResponseBase:
    """One file of a release. Who took it stands in the study's history."""
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
        return redirect("exports", slug)
    language = _language(request, definition_of(survey.version).languages)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it when it is sent
    try:
        files.write_file(release, survey, run, form, language, file)
    except rows.DataChanged:
        file.close()
        messages.error(request, _("Answers came in or were withdrawn since this release: make a new one."))
        return redirect("exports", slug)
    history.record(study, "responses_downloaded", by=access.signed_in(request), detail=f"{form}: {release.purpose}")
    file.seek(0)
    answer = FileResponse(file, content_type=files.CONTENT_TYPES[form])
    return _as_file(answer, files.name_of(release, form, language))


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
        },
    )


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
            return _("team") if column == releases.TEAM else column
        text = in_language(dict(question.text))
        if column == question.code:
            return text
        return f"{text} ({' · '.join(in_language(dict(choice.text)) for choice in grouped(question, column).choices)})"

    def sizes(self, found: Mapping[str, Mapping[str, int]]) -> list[tuple[str, list[tuple[str, int]]]]:
        """Per column the question, and how many gave each of its answers; numbers without bands are left out."""
        told = []
        for column, counts in found.items():
            question = self._questions[code_of(column)]
            answers = [(choice.code, in_language(dict(choice.text))) for choice in grouped(question, column).choices]
            if answers:
                known = [(words, counts.get(code, 0)) for code, words in answers]
                told.append((in_language(dict(question.text)), [*known, (_("no answer"), counts.get("", 0))]))
        return told


def _language(request: HttpRequest, languages: tuple[str, ...]) -> str:
    asked = request.GET.get("language") or (get_language() or "")[:2]
    return asked if asked in languages else languages[0]


def _as_file(answer: HttpResponseBase, name: str) -> HttpResponseBase:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _last_done(study: Study) -> AnalysisRun | None:
    return (
        AnalysisRun.objects.filter(survey__study=study, state=AnalysisRun.State.DONE)
        .select_related("survey__version", "survey__study", "plan")
        .first()
    )
