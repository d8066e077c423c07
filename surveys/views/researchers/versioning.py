"""Researchers: frozen versions of a questionnaire with what changed, the preview on a phone, import and export."""

from __future__ import annotations

from csp.constants import SELF
from csp.decorators import csp_replace, csp_update
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from surveys.access import questionnaire_for_researcher, version_for_researcher
from surveys.answering import preview
from surveys.answering.style import answer_style_source
from surveys.forms.questionnaires import ImportForm, PublishForm
from surveys.models import Questionnaire, QuestionnaireVersion
from surveys.questionnaires import drafts, publishing, xlsform_reading, xlsform_writing
from surveys.questionnaires.definition import Definition, QuestionnaireError
from surveys.questionnaires.publishing import definition_of
from surveys.questionnaires.version_changes import Comparison, compare
from surveys.questionnaires.xlsform_reading import Form
from teams import access
from teams.base.numbers import whole_number
from teams.files.limits import ON_A_PAGE
from teams.models.languages import language_names
from teams.text.glyphs import texts_in
from teams.views.setup import warn_of_boxes

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# ------------------------------------------------------------------------------------------------ versions
@require_http_methods(["GET", "HEAD", "POST"])
def questionnaire_versions(request: HttpRequest, pk: int) -> HttpResponse:
    """All versions, what the draft would change, and the button that freezes it."""
    questionnaire = questionnaire_for_researcher(request.user, pk)
    form = PublishForm(request.POST or None, initial={"edit": questionnaire.edit})
    if request.method == "POST" and form.is_valid():
        user = access.signed_in(request)
        try:
            version = drafts.publish(questionnaire, form.cleaned_data["edit"], form.cleaned_data["note"], user)
        except drafts.Conflict:
            messages.error(
                request, _("Somebody has changed the draft in the meantime. Look at it again before you freeze it.")
            )
        except QuestionnaireError:
            messages.error(request, _("The draft is not complete. See below what is missing."))
        else:
            messages.success(
                request, _("Version %(n)s has been frozen. Studies can choose it.") % {"n": version.number}
            )
            warn_of_boxes(request, texts_in(version.content))
            return redirect("questionnaire_version", pk, version.number)
        return redirect("questionnaire_versions", pk)
    versions = list(questionnaire.versions.select_related("created_by").prefetch_related("surveys"))
    problems = drafts.problems_of(questionnaire.draft)
    published = not problems and drafts.is_published(questionnaire)
    change = None
    if versions and not problems and not published:
        change = compare(definition_of(versions[0]), Definition.read(questionnaire.draft))
    context = {
        "questionnaire": questionnaire,
        "versions": versions,
        "problems": problems,
        "published": published,
        "change": change,
        "form": form,
    }
    return render(request, "surveys/questionnaire_versions.html", context)


@require_safe
def questionnaire_version(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One frozen version: what it asks, what it changed, and which scales stay comparable."""
    version = version_for_researcher(request.user, pk, number)
    earlier = list(version.questionnaire.versions.filter(number__lt=number))
    asked = request.GET.get("with", "")
    old = next((candidate for candidate in earlier if str(candidate.number) == asked), earlier[0] if earlier else None)
    context = {
        "questionnaire": version.questionnaire,
        "version": version,
        "definition": definition_of(version),
        "earlier": earlier,
        "old": old,
        "change": _change(old, version),
        "n_studies": version.surveys.count(),
    }
    return render(request, "surveys/questionnaire_version.html", context)


@require_safe
def version_file(request: HttpRequest, pk: int, number: int, form: str) -> HttpResponse:
    """A version as YAML or as XLSForm."""
    version = version_for_researcher(request.user, pk, number)
    if form == "yaml":
        answer = HttpResponse(publishing.export(version.content), content_type="application/yaml; charset=utf-8")
    elif form == "xlsx":
        answer = HttpResponse(xlsform_writing.write(version.content), content_type=XLSX)
    else:
        raise Http404
    answer["Content-Disposition"] = f'attachment; filename="{version.questionnaire.code}-{number}.{form}"'
    return answer


def _change(old: QuestionnaireVersion | None, new: QuestionnaireVersion) -> Comparison | None:
    return compare(definition_of(old), definition_of(new)) if old is not None else None


# ------------------------------------------------------------------------------------------------ on a phone
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its type knows views without arguments only
@require_safe
def questionnaire_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft in a phone, in each of its languages; with ``?version=n`` that version."""
    questionnaire = questionnaire_for_researcher(request.user, pk)
    number = _number(request.GET.get("version", ""))
    definition = _shown(request, questionnaire, number)
    frames = [
        (language, language_names()[language], reverse("preview_screen", args=[pk, number, language, 0]))
        for language in definition.languages
    ]
    context = {"questionnaire": questionnaire, "frames": frames, "number": number}
    return render(request, "surveys/questionnaire_preview.html", context)


@csrf_exempt  # the form is the teacher's, without a token; it writes nothing
@xframe_options_sameorigin
@require_http_methods(["GET", "HEAD", "POST"])
def preview_screen(request: HttpRequest, pk: int, number: int, language: str, screen: int) -> HttpResponseBase:
    """One screen for the frame; a POST goes to the next one or back, and keeps nothing."""
    questionnaire = questionnaire_for_researcher(request.user, pk)
    definition = _shown(request, questionnaire, number)
    if language not in definition.languages:
        raise Http404
    if request.method == "POST":
        step = -1 if request.POST.get("go") == "back" else 0 if "language" in request.POST else 1
        if request.POST.get("language") in definition.languages:
            language = request.POST["language"]
        screen = min(max(screen + step, 0), preview.n_screens(definition) - 1)
        return redirect("preview_screen", pk, number, language, screen)
    page = HttpResponse(preview.screen(definition, language, screen, request.path))
    policy = {"frame-ancestors": [SELF], "style-src": [answer_style_source()]}  # the teacher's style stands in the page
    return csp_replace(policy)(lambda _request: page)(request)


def _shown(request: HttpRequest, questionnaire: Questionnaire, number: int) -> Definition:
    """The draft for number 0, gaps and all, else a version."""
    if not number:
        return Definition.read(questionnaire.draft)
    return definition_of(version_for_researcher(request.user, questionnaire.pk, number))


def _number(text: str) -> int:
    return whole_number(text) or 0


# ------------------------------------------------------------------------------------------------ import
@require_http_methods(["GET", "HEAD", "POST"])
def questionnaire_import(request: HttpRequest) -> HttpResponse:
    """First POST: a file, with a report of what comes over. Second POST: what was read becomes the working draft."""
    groups = access.groups_of(access.researcher(request.user))
    form = ImportForm(request.POST or None, request.FILES or None, groups=groups)
    form_found: Form | None = None
    document = ""
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["document"]:
            form_found = _read_yaml(form.cleaned_data["document"])
            if form_found.content is not None:
                questionnaire = publishing.put_draft(form_found.content, form.cleaned_data["group"])
                messages.success(
                    request, _("The file is now the working draft. Look at it, and freeze it when it is right.")
                )
                return redirect("questionnaire_edit", questionnaire.pk)
        else:
            form_found = _read_file(
                form.cleaned_data["file"].name, form.cleaned_data["file"].read(ON_A_PAGE.file_bytes + 1)
            )
        if form_found.content is not None:
            document = publishing.export(form_found.content)
    content = form_found.content if form_found else None
    context = {
        "form": form,
        "imported": form_found,
        "document": document,
        "definition": Definition.read(content) if content else None,
        "replaces": Questionnaire.objects.filter(group=form.cleaned_data["group"], code=content["code"]).first()
        if content
        else None,
    }
    return render(request, "surveys/questionnaire_import.html", context)


def _read_file(name: str, content: bytes) -> Form:
    if name.lower().endswith((".yaml", ".yml")):
        try:
            return _read_yaml(content.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return Form(None, (), (_("This is not a YAML file."),))
    return xlsform_reading.read(content)


def _read_yaml(text: str) -> Form:
    try:
        return Form(publishing.read_yaml(text), ())
    except QuestionnaireError as error:
        return Form(None, (), tuple(error.problems))
