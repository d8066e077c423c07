"""Typing paper forms: for researchers under their study, and for whoever leads the meeting, by the meeting's link.

Typing only writes: no page of either gives back what was typed. Whoever holds the link could else read what a colleague
answered. What is typed and not finished is kept by the window in which it is typed, not here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from surveys.access import collection_for_researcher, meeting_for_facilitator
from surveys.answering.submission import Closed
from surveys.collecting.paper_counts import paper_counts_of
from surveys.forms.collecting import HandedInForm
from surveys.history import Happened
from surveys.models import Collection, PaperForm
from surveys.paper import entry, fields
from surveys.paper.form import paper_form_pdf
from surveys.questionnaires.publishing import definition_of
from surveys.views.by_link.facilitator import by_link
from teams import access
from teams.history import record
from teams.models import User
from teams.models.languages import current_language

State = PaperForm.State
Page = Callable[..., HttpResponse]
Done = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Desk:
    """Whose forms are typed, by whom, and under which addresses."""

    collection: Collection
    prefix: str  # of the names of addresses
    given: tuple[Any, ...]  # their first arguments
    by: User | None

    def url(self, name: str, *more: Any) -> str:
        return reverse(f"{self.prefix}_paper{name}", args=[*self.given, *more])

    @property
    def pages(self) -> dict[str, str]:
        names = ["new", "again", "add", "handed_in", *(["back"] if self.corrects else [])]
        return {name: self.url(f"_{name}") for name in names} | {"overview": self.url("")}

    @property
    def corrects(self) -> bool:
        """Whether what is ready or among the answers may be put right here: a researcher's, not the link's."""
        return self.by is not None

    def noted(self, kind: Happened, n: int) -> None:
        """In the team's history: how many forms, never which."""
        record(
            self.collection.survey.study,
            kind,
            participation=self.collection.participation,
            by=self.by,
            by_link=self.by is None,
            detail=str(n),
        )


def _for_researchers(*methods: str) -> Callable[[Page], Page]:
    """Makes the researcher's view of a page."""

    def make(page: Page) -> Page:
        @never_cache
        @require_http_methods(methods)
        @wraps(page)
        def researcher(request: HttpRequest, slug: str, participation_id: int, **given: Any) -> HttpResponse:
            collection = collection_for_researcher(request.user, slug, participation_id)
            desk = Desk(collection, "collecting", (slug, participation_id), access.signed_in(request))
            return page(request, desk, **given)

        return researcher

    return make


def _for_both(*methods: str) -> Callable[[Page], tuple[Page, Page]]:
    """Makes two views of a page: the researcher's and the facilitator's."""

    def make(page: Page) -> tuple[Page, Page]:
        @by_link
        @require_http_methods(methods)
        @wraps(page)
        def facilitator(request: HttpRequest, meeting_id: int, **given: Any) -> HttpResponse:
            meeting = meeting_for_facilitator(request, meeting_id)
            return page(request, Desk(meeting.collection, "facilitator", (meeting_id,), None), **given)

        return _for_researchers(*methods)(page), facilitator

    return make


@_for_both("GET", "HEAD")
def overview(request: HttpRequest, desk: Desk) -> HttpResponse:
    """How far the forms are, and what comes next."""
    return _overview(request, desk, HandedInForm(initial={"handed_in": paper_counts_of(desk.collection).handed_in}))


@_for_both("GET", "HEAD")
def pdf(request: HttpRequest, desk: Desk, language: str) -> HttpResponse:
    """The form to print."""
    if language not in definition_of(desk.collection.survey.version).languages:
        raise Http404
    answer = HttpResponse(paper_form_pdf(desk.collection, language), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="form-{language}.pdf"'
    return answer


@_for_both("POST")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """A row for the next form of the pile."""
    return _next_first(request, desk)


@_for_both("POST")
def again(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The next form that was typed once."""
    return _next_second(request, desk)


@_for_both("GET", "HEAD", "POST")
def form(request: HttpRequest, desk: Desk, number: int) -> HttpResponse:
    """One form: typed the first or the second time, or the fields in which the two times differ."""
    paper_form = get_object_or_404(PaperForm, collection=desk.collection, number=number)
    if paper_form.state in (State.FIRST, State.SECOND):
        return _type(request, desk, paper_form, _parts(desk), _typed)
    if paper_form.state == State.DIFFERENT:
        return _type(request, desk, paper_form, fields.only(_parts(desk), entry.differences(paper_form)), _settled)
    messages.info(request, _("Form %(n)s: %(state)s.") % {"n": number, "state": paper_form.get_state_display()})
    return redirect(desk.url(""))


@_for_researchers("GET", "HEAD", "POST")
def correct(request: HttpRequest, desk: Desk, number: int) -> HttpResponse:
    """Put right single fields of a form that is ready: empty ones stay as they are, and what they hold is not shown."""
    paper_form = get_object_or_404(PaperForm, collection=desk.collection, number=number)
    if paper_form.state == State.READY:
        return _type(request, desk, paper_form, _parts(desk), _corrected)
    messages.info(request, _("Form %(n)s: %(state)s.") % {"n": number, "state": paper_form.get_state_display()})
    return redirect(desk.url(""))


@_for_both("POST")
def throw(request: HttpRequest, desk: Desk, number: int) -> HttpResponse:
    """Forget what was typed from one form."""
    paper_form = PaperForm.objects.filter(collection=desk.collection, number=number).first()
    # gone already, from another window: the same
    if paper_form is None or entry.throw_away(paper_form, also_ready=desk.corrects):
        messages.success(request, _("What was typed from form %(n)s has been thrown away.") % {"n": number})
    elif not desk.corrects:
        messages.warning(request, _("Form %(n)s is finished: a researcher can still correct it.") % {"n": number})
    else:
        messages.warning(request, _("Form %(n)s is already among the answers: take it out first.") % {"n": number})
    return redirect(desk.url(""))


@_for_both("POST")
def add(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Add the forms that are ready to the answers."""
    try:
        n = entry.write(desk.collection)
    except Closed:
        messages.error(request, _("The answers are sealed: nothing can be added now."))
    else:
        if n:
            desk.noted(Happened.PAPER_ADDED, n)
        messages.success(
            request,
            ngettext("%(n)s form is added to the answers.", "%(n)s forms are added to the answers.", n) % {"n": n},
        )
    return redirect(desk.url(""))


@_for_researchers("POST")
def back(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Take the forms out of the answers again, to correct them."""
    try:
        n = entry.take_back(desk.collection)
    except Closed:
        messages.error(request, _("The answers are sealed: nothing can be taken out now."))
    else:
        if n:
            desk.noted(Happened.PAPER_TAKEN_BACK, n)
        messages.success(
            request,
            ngettext(
                "%(n)s form is taken out of the answers. Correct it and add it again.",
                "%(n)s forms are taken out of the answers. Correct them and add them again.",
                n,
            )
            % {"n": n},
        )
    return redirect(desk.url(""))


@_for_both("POST")
def handed_in(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Correct how many forms were handed in."""
    asked = HandedInForm(request.POST)
    if not asked.is_valid():
        return _overview(request, desk, asked)
    if entry.correct_handed_in(desk.collection, asked.cleaned_data["handed_in"]):
        messages.success(request, _("The number is saved."))
    else:
        messages.error(request, _("There is no meeting whose number can be corrected."))
    return redirect(desk.url(""))


# ------------------------------------------------------------------------------------------------ the pages
def _overview(request: HttpRequest, desk: Desk, asked: HandedInForm) -> HttpResponse:
    collection = desk.collection
    counted = paper_counts_of(collection)
    forms = PaperForm.objects.filter(collection=collection).only("number", "state")
    rows = [
        {
            "form": each,
            "type": desk.url("_form", each.number),
            "throw": desk.url("_throw", each.number),
            "correct": desk.url("_correct", each.number) if desk.corrects else "",
        }
        for each in forms
    ]
    languages = definition_of(collection.survey.version).languages
    context = _context(desk) | {
        "counts": counted,
        "rows": rows,
        "prints": [(language, desk.url("_pdf", language)) for language in languages],
        "why_not_seal": counted.why_not_seal(),
        "handed_in_form": asked if hasattr(collection, "meeting") else None,
    }
    return render(request, "surveys/paper.html", context)


def _type(
    request: HttpRequest, desk: Desk, paper_form: PaperForm, parts: list[fields.Part], done: Done
) -> HttpResponse:
    """A page to type on; it shows nothing but what this very request typed wrongly."""
    shown: dict[str, str] = {}
    problems: dict[str, str] = {}
    if request.method == "POST":
        typed = fields.read(parts, request.POST.dict(), correcting=paper_form.state == State.READY)
        if not typed.problems:
            return done(request, desk, paper_form, typed)
        problems, shown = typed.problems, request.POST.dict()
    rows = [
        (part, [(each, shown.get(each.name, ""), problems.get(each.name, "")) for each in part.fields])
        for part in parts
    ]
    context = _context(desk) | {"form": paper_form, "rows": rows, "n_problems": len(problems)}
    return render(request, "surveys/paper_typing.html", context)


def _typed(request: HttpRequest, desk: Desk, paper_form: PaperForm, typed: fields.Typed) -> HttpResponse:
    """The form is typed to its end: on to the next one, or back to the overview."""
    first = paper_form.state == State.FIRST
    content = entry.checked(desk.collection, typed.answers, typed.eligibility)
    became = entry.finish(paper_form, content, by_link=desk.by is None)
    values = {"n": paper_form.number}
    if became is None:
        messages.warning(request, _("Somebody else has finished form %(n)s in the meantime.") % values)
        return redirect(desk.url(""))
    if became == State.FIRST:
        messages.warning(
            request,
            _(
                "Form %(n)s was typed in two very different ways. Was it really the form with number %(n)s? Nothing "
                "of it has been kept: type it again from the start, twice."
            )
            % values,
        )
        return redirect(desk.url(""))
    if became == State.DIFFERENT:
        return redirect(desk.url("_form", paper_form.number))  # while the form is still in hand
    if request.POST.get("go") != "next":
        messages.success(request, _("Form %(n)s is saved.") % values)
        return redirect(desk.url(""))
    return _next_first(request, desk) if first else _next_second(request, desk)


def _settled(request: HttpRequest, desk: Desk, paper_form: PaperForm, typed: fields.Typed) -> HttpResponse:
    """What stands on the form where the two times differ."""
    content = entry.checked(desk.collection, typed.answers, typed.eligibility)
    if not entry.settle(paper_form, content, by_link=desk.by is None):
        messages.warning(
            request, _("Somebody else has finished form %(n)s in the meantime.") % {"n": paper_form.number}
        )
        return redirect(desk.url(""))
    messages.success(request, _("Form %(n)s is ready.") % {"n": paper_form.number})
    return _next_second(request, desk) if request.POST.get("go") == "next" else redirect(desk.url(""))


def _corrected(request: HttpRequest, desk: Desk, paper_form: PaperForm, typed: fields.Typed) -> HttpResponse:
    names = [*typed.answers, *typed.cleared, *([fields.ELIGIBILITY] if typed.eligibility else [])]
    if not names:
        messages.warning(request, _("Nothing was typed, so form %(n)s stays as it is.") % {"n": paper_form.number})
    elif entry.correct(paper_form, entry.checked(desk.collection, typed.answers, typed.eligibility), names):
        desk.noted(Happened.PAPER_CORRECTED, 1)
        messages.success(request, _("Form %(n)s is corrected.") % {"n": paper_form.number})
    else:
        messages.warning(request, _("Somebody else has changed form %(n)s in the meantime.") % {"n": paper_form.number})
    return redirect(desk.url(""))


def _next_first(request: HttpRequest, desk: Desk) -> HttpResponse:
    try:
        return redirect(desk.url("_form", entry.new_form(desk.collection).number))
    except Closed:
        messages.error(request, _("The answers are sealed: nothing can be added now."))
    except entry.TooManyForms:
        messages.error(request, _("A team can have at most %(n)s paper forms.") % {"n": entry.MOST_FORMS})
    return redirect(desk.url(""))


def _next_second(request: HttpRequest, desk: Desk) -> HttpResponse:
    waiting_form = entry.next_to_type_again(desk.collection)
    if waiting_form is not None:
        return redirect(desk.url("_form", waiting_form.number))
    messages.info(request, _("There are no forms left that were typed only once."))
    return redirect(desk.url(""))


def _parts(desk: Desk) -> list[fields.Part]:
    survey = desk.collection.survey
    return fields.parts_of(definition_of(survey.version), survey.background, current_language())


def _context(desk: Desk) -> dict[str, Any]:
    collection = desk.collection
    return {
        "base": "study.html" if desk.by else "base.html",
        "study": collection.survey.study,
        "team": collection.participation.team,
        "collection": collection,
        "pages": desk.pages,
        "corrects": desk.corrects,
        "up": reverse("collecting_team", args=desk.given) if desk.by else reverse("facilitator", args=desk.given),
    }
