"""Researchers: the editor of a questionnaire's working draft. Thin: `surveys.questionnaires.drafts` writes, `surveys.questionnaires.editor` shows.

Everything is a link or a form post and works without JavaScript; with htmx the page's part #editor is exchanged.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from surveys.access import questionnaire_for_researcher, questionnaires_of
from surveys.forms.editor import PartForm, form_for
from surveys.forms.questionnaires import NewForm
from surveys.models import Questionnaire
from surveys.questionnaires import drafts, editor, offering
from teams import access
from teams.base import once, typed
from teams.base.numbers import whole_number
from teams.models.languages import language_names


@require_safe
def questionnaires(request: HttpRequest) -> HttpResponse:
    user = access.researcher(request.user)
    rows = (
        questionnaires_of(user)
        .select_related("group")
        .defer("draft", "before")
        .annotate(
            n_versions=Count("versions", distinct=True),
            newest=Max("versions__number"),
            changed=Max("versions__created_at"),
            n_studies=Count("versions__surveys", distinct=True),
        )
        .order_by("group__name", "code")
    )
    groups = list(access.groups_of(user)[:2])
    context = {
        "rows": rows,
        "n_groups": len(groups),
        "only_group": groups[0] if len(groups) == 1 else None,
        "templates": [] if rows else offering.shipped_templates(),
    }
    return render(request, "surveys/questionnaires.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def questionnaire_new(request: HttpRequest) -> HttpResponse:
    user = access.researcher(request.user)
    form = NewForm(request.POST or None, groups=access.groups_of(user))
    if request.method == "POST" and form.is_valid():
        code = form.cleaned_data["code"]
        title = form.title()
        try:
            questionnaire = drafts.new_questionnaire(form.cleaned_data["group"], code, title)
        except drafts.CodeTaken:
            form.add_error("code", _("There is already a questionnaire with this short name: choose another one."))
        else:
            messages.success(request, _("The questionnaire has been created. Add its scales and their items."))
            return redirect("questionnaire_edit", questionnaire.pk)
    return render(request, "surveys/questionnaire_new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def questionnaire_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft; ``?part=…`` opens the form of a part, ``?add=…`` the form of a new one. A POST saves that form."""
    questionnaire = questionnaire_for_researcher(request.user, pk)
    part, adding = request.GET.get("part", ""), request.GET.get("add", "")
    data = request.POST if request.method == "POST" else None
    form = form_for(questionnaire.draft, part, data, adding) if part or adding else None
    conflict = False
    if data is not None:
        if form is None:
            return _said(request, pk, _("This part is no longer there: somebody else has removed it."), bad=True)
        if form.is_valid():
            try:
                return _saved(request, questionnaire, form, part, adding)
            except drafts.CodeTaken:
                form.add_error(
                    "code", _("Another part of this questionnaire already has this code: choose another one.")
                )
            except drafts.Conflict:
                conflict = True
                questionnaire.refresh_from_db()
    if form is None:
        part = adding = ""
    return _page(request, questionnaire, form=form, part=part, adding=adding, conflict=conflict)


@require_POST
def questionnaire_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a part, remove it, or undo that."""
    questionnaire = questionnaire_for_researcher(request.user, pk)
    part, action = request.POST.get("part", ""), request.POST.get("action", "")
    try:
        if action in ("up", "down"):
            name = part.partition(":")[2]
            if drafts.move(questionnaire, part, up=action == "up"):
                return _said(request, pk, _("Moved: %s") % name, at=part, focus=action)
            return _said(request, pk, _("%s is already at the end.") % name, at=part, focus=action)
        if action == "remove":
            drafts.remove(questionnaire, part, request.POST.get("seen", ""))
            return _said(request, pk, _("Removed: %s") % (part.partition(":")[2] or _("First question")), focus="undo")
        edit = request.POST.get("edit", "")
        if action == "undo" and (at := whole_number(edit)) is not None and drafts.undo(questionnaire, at):
            return _said(request, pk, _("It has been put back."))
    except drafts.CodeTaken as taken:
        text = _("Another part now has the code %s. Give that part another code, then undo the removal.") % taken
        return _said(request, pk, text, bad=True)
    except (drafts.Conflict, ValueError):
        text = _("Somebody else has changed or removed this in the meantime. Nothing was done; look at it again.")
        return _said(request, pk, text, bad=True)
    return _said(request, pk, _("This can no longer be undone: something has changed since."), bad=True)


def _saved(request: HttpRequest, questionnaire: Questionnaire, form: PartForm, part: str, adding: str) -> HttpResponse:
    values = form.values()
    kind = (adding or part).partition(":")[0]
    if adding and kind != "eligibility":
        drafts.add(questionnaire, kind, values)
    else:
        drafts.write(questionnaire, part or "eligibility", request.POST.get("seen", ""), values)
    at = f"{kind}:{values['code']}" if "code" in values else kind
    if "again" in request.POST and adding:
        return _said(request, questionnaire.pk, _("Added: %s") % values["code"], adding=adding)
    return _said(request, questionnaire.pk, _("Saved."), at=at, focus="edit")


def _said(
    request: HttpRequest, pk: int, text: str, *, at: str = "", focus: str = "", adding: str = "", bad: bool = False
) -> HttpResponse:
    """What was done: a message and the page anew; htmx gets the page at once, with the focus where one was."""
    address = reverse("questionnaire_edit", args=[pk]) + (f"?add={adding}" if adding else "")
    if _by_htmx(request):
        questionnaire = Questionnaire.objects.get(pk=pk)
        form = form_for(questionnaire.draft, "", None, adding) if adding else None
        response = _page(request, questionnaire, form=form, adding=adding, said=text, bad=bad, at=at, focus=focus)
        response["HX-Push-Url"] = address
        return response if bad else once.keep(typed.taken(response))
    (messages.error if bad else messages.success)(request, text)
    return redirect(address + (f"#{at.replace(':', '-')}" if at else "#form" if adding else ""))


def _page(request: HttpRequest, questionnaire: Questionnaire, **more: Any) -> HttpResponse:
    draft = questionnaire.draft
    gaps = drafts.missing(draft)
    context = {
        "questionnaire": questionnaire,
        "page": editor.page_of(draft),
        "languages": [(at, language_names()[at]) for at in draft["languages"]],
        "missing": gaps[:12],
        "n_missing": len(gaps),
        "published": drafts.is_published(questionnaire),
        "has_versions": questionnaire.versions.exists(),
        "undo": drafts.undoable(questionnaire),
        "seen": drafts.seen(draft, more.get("part") or more.get("adding") or ""),
        "open": more.get("part") or more.get("adding") or "",
        **more,
    }
    conflict = bool(more.get("conflict")) and not _by_htmx(request)  # it would show no error page
    return render(request, "surveys/questionnaire_edit.html", context, status=409 if conflict else 200)


def _by_htmx(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]
