"""Forms on paper: printed from the frozen version, typed twice, compared, and only then written as responses.

Each form is typed two times, by the same or another person; where the two differ those fields are typed once more. What was
typed stays in rows of its own (`PaperForm`), so that everything can be corrected until the collection is sealed; then the
rows go. `answering/submission.py` writes the responses, all that are ready in one transaction and mixed.

Typing only writes: no page returns what was typed, to nobody. Who types a form again learns only which fields differ, and
that only where few do (`MOST_DIFFERENCES`): else somebody could type anything a second time and be told what of it is right.

Who was first is decided by the state of the form's row: a step is one conditional update, and nothing happens if
somebody else took it before.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max, Q

from surveys.answering import submission
from surveys.answering.answers import checked_answers, checked_eligibility
from surveys.answering.page import ELIGIBILITY
from surveys.models import Collection, Meeting, PaperForm, PresentBy
from surveys.questionnaires.publishing import definition_of
from teams.models import Participation

State = PaperForm.State
Content = dict[str, Any]  # {"answers": {code: answer}, "eligibility": code}
MOST_FORMS = 500  # per collection
MOST_DIFFERENCES = 5  # more than a slip of the keyboard makes: it is another form, or somebody who guesses


class TooManyForms(Exception):
    """A collection takes `MOST_FORMS` forms."""


def new_form(collection: Collection) -> PaperForm:
    """A row for the next form.

    :raises submission.Closed: if the collection is sealed or being sealed
    :raises TooManyForms: if there are `MOST_FORMS` already
    """
    with transaction.atomic():
        _lock(collection)
        last = PaperForm.objects.filter(collection=collection).aggregate(last=Max("number"))["last"] or 0
        if PaperForm.objects.filter(collection=collection).count() >= MOST_FORMS:
            raise TooManyForms
        return PaperForm.objects.create(collection=collection, number=last + 1)


def checked(collection: Collection, answers: Mapping[str, Any], eligibility: str) -> Content:
    """What was typed, as it is kept. :raises surveys.answering.answers.InvalidAnswers: if the questionnaire does not allow it"""
    survey = collection.survey
    definition = definition_of(survey.version)
    return {
        "answers": checked_answers(definition, survey.background, answers),
        "eligibility": checked_eligibility(definition, eligibility),
    }


def finish(form: PaperForm, content: Content, *, by_link: bool = False) -> State | None:
    """The form is typed to its end, once or again; the second time it is compared.

    Args:
        by_link: typed by whoever holds the meeting's link. Such a form lifts no team over k by itself (analysis/reports/groups.py).

    Returns:
        The state it has now; `State.FIRST` if the two times differ so much that it must be typed from the start, of which
        nothing is kept; None if nobody was typing it any more.
    """
    if form.state == State.FIRST:
        typed = {"first": content, "by_link": by_link, "state": State.ONCE}
        return State.ONCE if _step(form, State.FIRST, **typed) else None
    if form.state != State.SECOND:
        return None
    n = len(_differing(form.first, content))
    if n > MOST_DIFFERENCES:
        return State.FIRST if _step(form, State.SECOND, first={}, second={}, state=State.FIRST) else None
    became = State.DIFFERENT if n else State.READY
    agreed = {} if n else content
    typed = {"second": content, "agreed": agreed, "by_link": form.by_link or by_link, "state": became}
    return became if _step(form, State.SECOND, **typed) else None


def next_to_type_again(collection: Collection) -> PaperForm | None:
    """Take the next form that was typed once; of two people who ask at once each gets another. None if there is none."""
    for form in PaperForm.objects.filter(collection=collection, state=State.ONCE).order_by("number"):
        if _step(form, State.ONCE, state=State.SECOND, second={}):
            form.refresh_from_db()
            return form
    return None


def differences(form: PaperForm) -> list[str]:
    """The names of what was typed in two ways: codes of questions, "eligibility"."""
    return _differing(form.first, form.second)


def settle(form: PaperForm, content: Content, *, by_link: bool = False) -> bool:
    """What stands on the form in the fields that differ; the others are as both times. Whether that was still asked."""
    if form.state != State.DIFFERENT:
        return False
    agreed = _with(form.first, content, differences(form))
    return _step(form, State.DIFFERENT, agreed=agreed, by_link=form.by_link or by_link, state=State.READY)


def correct(form: PaperForm, content: Content, names: Iterable[str]) -> bool:
    """Put right the named fields of a form that is ready. Whether it still was."""
    with transaction.atomic():  # of two who correct different fields neither overwrites the other
        locked = PaperForm.objects.select_for_update().filter(pk=form.pk, state=State.READY).first()
        return locked is not None and _step(locked, State.READY, agreed=_with(locked.agreed, content, names))


def throw_away(form: PaperForm, *, also_ready: bool = True) -> bool:
    """Forget a form whose answers are not added yet; only one that is not ready, where that is asked. Whether it was there."""
    kept = [State.WRITTEN] if also_ready else [State.WRITTEN, State.READY]
    return bool(PaperForm.objects.filter(pk=form.pk).exclude(state__in=kept).delete()[0])


def write(collection: Collection) -> int:
    """Add all forms that are ready to the answers, in random order. Returns how many.

    :raises submission.Closed: if the collection is sealed or being sealed
    """
    with transaction.atomic():
        _lock(collection)
        forms = list(PaperForm.objects.select_for_update().filter(collection=collection, state=State.READY))
        secrets.SystemRandom().shuffle(forms)
        written = submission.submit_paper(collection, [form.agreed for form in forms])
        for form, key in zip(forms, written, strict=True):
            PaperForm.objects.filter(pk=form.pk).update(state=State.WRITTEN, response_key=key)
    return len(forms)


def take_back(collection: Collection) -> int:
    """Take what was added from paper out of the answers again, to correct it. Returns how many forms.

    :raises submission.Closed: if the collection is sealed or being sealed
    """
    with transaction.atomic():
        _lock(collection)
        forms = list(PaperForm.objects.select_for_update().filter(collection=collection, state=State.WRITTEN))
        for form in forms:
            submission.take_back_paper(form.response_key)
            PaperForm.objects.filter(pk=form.pk).update(state=State.READY, response_key="")
    return len(forms)


def correct_handed_in(collection: Collection, handed_in: int | None) -> bool:
    """Correct how many forms were handed in at the meeting, until sealing. Whether it was recorded."""
    with transaction.atomic():
        try:
            _lock(collection)
        except submission.Closed:
            return False
        return bool(Meeting.objects.filter(collection=collection.pk).update(paper=handed_in))


def _lock(collection: Collection) -> None:
    """Sealing takes the same lock before it looks whether forms are left (collecting/sealing.py).

    Beside answers that somebody imported nothing is typed: who made them up would read in the report what the others answered. Nor
    once a team sees its figures in the meeting, which are made of what was there then (collecting/mirror.py).
    """
    locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
    meetings = Meeting.objects.filter(collection=collection.pk)
    ended = meetings.filter(Q(present_by=PresentBy.IMPORT) | Q(picture_asked_at__isnull=False))
    stopped = Participation.objects.filter(pk=locked.participation_id, state=Participation.State.WITHDRAWN)
    if locked.sealing or locked.state == Collection.State.SEALED or ended.exists() or stopped.exists():
        raise submission.Closed


def _step(form: PaperForm, from_state: str, **new: Any) -> bool:
    return bool(PaperForm.objects.filter(pk=form.pk, state=from_state).update(**new))


def _differing(first: Content, second: Content) -> list[str]:
    first_answers, second_answers = (content.get("answers", {}) for content in (first, second))
    codes = [
        code for code in {**first_answers, **second_answers} if first_answers.get(code) != second_answers.get(code)
    ]
    if first.get(ELIGIBILITY, "") != second.get(ELIGIBILITY, ""):
        codes.insert(0, ELIGIBILITY)
    return codes


def _with(content: Content, new: Content, names: Iterable[str]) -> Content:
    """A form's content with the named fields taken from another; what that one does not hold is no answer."""
    answers, eligibility = {**content.get("answers", {})}, content.get(ELIGIBILITY, "")
    for name in names:
        if name == ELIGIBILITY:
            eligibility = new.get(ELIGIBILITY, "")
        elif name in new.get("answers", {}):
            answers[name] = new["answers"][name]
        else:
            answers.pop(name, None)
    return {"answers": answers, ELIGIBILITY: eligibility}
