"""Forms on paper: printed from the frozen version, typed twice, compared, and only then written as responses.

Each form is typed two times, by the same or another person; where the two differ somebody says what is right. What was typed
stays in rows of its own (`PaperForm`), so nothing is lost meanwhile and everything can be corrected, until the collection
is sealed; then the rows go. `submission.py` writes the responses, all that are ready in one transaction and mixed.

Who was first is decided by the state of the form's row: a step is one conditional update, and nothing happens if
somebody else took it before.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max

from surveys import submission
from surveys.answers import checked_answers, checked_eligibility
from surveys.models import Collection, Meeting, PaperForm
from surveys.questionnaires import definition_of

State = PaperForm.State
Content = dict[str, Any]  # {"answers": {code: answer}, "eligibility": code}
MOST_FORMS = 500  # per collection


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
    """What was typed, as it is kept. :raises surveys.answers.InvalidAnswers: if the questionnaire does not allow it"""
    survey = collection.survey
    definition = definition_of(survey.version)
    return {
        "answers": checked_answers(definition, survey.background, answers),
        "eligibility": checked_eligibility(definition, eligibility),
    }


def keep(form: PaperForm, content: Content) -> bool:
    """Keep what is typed so far, so that nothing is lost on a reload. Whether the form is still being typed."""
    if form.state == State.FIRST:
        return _step(form, State.FIRST, first=content)
    return form.state == State.SECOND and _step(form, State.SECOND, second=content)


def finish(form: PaperForm, content: Content) -> bool:
    """The form is typed to its end, once or again; the second time it is compared. Whether it was still being typed."""
    if form.state == State.FIRST:
        return _step(form, State.FIRST, first=content, state=State.ONCE)
    if form.state != State.SECOND:
        return False
    same = form.first == content
    agreed = content if same else {}
    return _step(form, State.SECOND, second=content, agreed=agreed, state=State.READY if same else State.DIFFERENT)


def next_to_type_again(collection: Collection) -> PaperForm | None:
    """Take the next form that was typed once; of two people who ask at once each gets another. None if there is none."""
    for form in PaperForm.objects.filter(collection=collection, state=State.ONCE).order_by("number"):
        if _step(form, State.ONCE, state=State.SECOND, second={}):
            form.refresh_from_db()
            return form
    return None


def differences(form: PaperForm) -> list[str]:
    """The names of what was typed in two ways: codes of questions, "eligibility"."""
    first, second = (entry.get("answers", {}) for entry in (form.first, form.second))
    found = [code for code in {**first, **second} if first.get(code) != second.get(code)]
    if form.first.get("eligibility", "") != form.second.get("eligibility", ""):
        found.insert(0, "eligibility")
    return found


def settle(form: PaperForm, content: Content) -> bool:
    """Say what the form really holds, after a difference or to correct it. Whether that could still be said."""
    return form.state in (State.DIFFERENT, State.READY) and _step(form, form.state, agreed=content, state=State.READY)


def throw_away(form: PaperForm) -> bool:
    """Forget a form whose answers are not added yet. Whether it was there."""
    return bool(PaperForm.objects.filter(pk=form.pk).exclude(state=State.WRITTEN).delete()[0])


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
            submission.delete(form.response_key)
            PaperForm.objects.filter(pk=form.pk).update(state=State.READY, response_key="")
    return len(forms)


def correct_handed_in(collection: Collection, handed_in: int | None) -> bool:
    """Correct how many forms were handed in at the meeting, until sealing. Whether it was recorded."""
    with transaction.atomic():
        locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        if locked.sealing or locked.state == Collection.State.SEALED:
            return False
        return bool(Meeting.objects.filter(collection=collection.pk).update(paper=handed_in))


def _lock(collection: Collection) -> None:
    """Sealing takes the same lock before it looks whether forms are left (sealing.py)."""
    locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
    if locked.sealing or locked.state == Collection.State.SEALED:
        raise submission.Closed


def _step(form: PaperForm, from_state: str, **new: Any) -> bool:
    return bool(PaperForm.objects.filter(pk=form.pk, state=from_state).update(**new))
