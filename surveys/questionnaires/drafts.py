"""The working draft of a questionnaire: its parts are written, added, moved and removed one at a time.

Two researchers may work on one draft. A change names the part and what it looked like when its form was opened: if
somebody else changed that part meanwhile, nothing is overwritten and `Conflict` is raised. The write itself is one
conditional update on the number of the last edit; who comes second looks again, so that changes of different parts both
hold. The last removal can be undone, whatever was changed since beside it; a whole draft that an import put in the place
of another until the next change.

Parts have addresses: ``texts``, ``options``, ``eligibility``, ``scale:GV``, ``item:GV1``, ``question:years``.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from surveys.models import Questionnaire, QuestionnaireVersion
from surveys.questionnaires.checking import checked
from surveys.questionnaires.definition import QuestionnaireError, content_hash
from surveys.questionnaires.publishing import publish_version
from teams.models import ResearchGroup, User
from teams.models.languages import in_every_language, language_codes

Draft = dict[str, Any]
Part = dict[str, Any]
TEXTS = ("languages", "title", "note", "intro", "consent", "thanks")
SINGLE = ("texts", "options", "eligibility")


class Conflict(Exception):
    """Somebody else changed or removed this part since it was looked at. Nothing was written."""


class CodeTaken(ValueError):
    """Another part of the questionnaire, or another questionnaire of the group, has this code."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A text that is not there in one of the questionnaire's languages."""

    part: str
    name: str  # of the part: a code, or what it is
    language: str


# What a new questionnaire begins with, in every language of the site
AGREEMENT = (
    gettext_lazy("strongly disagree"),
    gettext_lazy("disagree"),
    gettext_lazy("agree"),
    gettext_lazy("strongly agree"),
)
CANNOT_JUDGE = gettext_lazy("I cannot judge")
CONSENT = gettext_lazy(
    "I have read this and take part of my own free will. I know that I can stop and delete my answers."
)


def new_draft(code: str, title: dict[str, str]) -> Draft:
    """A questionnaire without questions, with an agreement scale of four points to begin from."""
    return {
        "code": code,
        "languages": language_codes(),
        "title": title,
        "note": {},
        "intro": {},
        "consent": in_every_language(CONSENT),
        "thanks": {},
        "options": [{"value": n, "text": in_every_language(text)} for n, text in enumerate(AGREEMENT, start=1)],
        "cannot_judge": in_every_language(CANNOT_JUDGE),
        "scales": [],
        "eligibility": None,
        "background": [],
    }


def new_questionnaire(group: ResearchGroup, code: str, title: dict[str, str]) -> Questionnaire:
    """A questionnaire of a research group, with an empty draft. :raises CodeTaken: by the constraint of the database."""
    try:
        with transaction.atomic():
            return Questionnaire.objects.create(
                group=group, code=code, title=title, draft=new_draft(code, title), edit=1
            )
    except IntegrityError as error:
        raise CodeTaken(code) from error


# ------------------------------------------------------------------------------------------------ reading
def part_of(draft: Draft, part: str) -> Part | None:
    """What stands at an address, without the items of a scale; None where there is nothing."""
    kind, _colon, code = part.partition(":")
    if kind == "texts":
        return {name: draft.get(name) for name in TEXTS}
    if kind == "options":
        return {"options": draft["options"], "cannot_judge": draft["cannot_judge"]}
    if kind == "eligibility":
        return draft["eligibility"] or {}
    place = _place(draft, kind, code)
    if place is None:
        return None
    return {name: value for name, value in place[0][place[1]].items() if name != "items"}


def seen(draft: Draft, part: str) -> str:
    """What a form carries to say how its part looked: a short hash, blank where there is nothing."""
    part_found = part_of(draft, part)
    if part_found is None:
        return ""
    text = json.dumps(part_found, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def codes_of(draft: Draft) -> list[str]:
    """All codes that are taken, of scales, items and questions, in lower case: they become columns of one table."""
    codes = [scale["code"] for scale in draft["scales"]]
    codes += [item["code"] for scale in draft["scales"] for item in scale["items"]]
    codes += [question["code"] for question in draft["background"]]
    return [code.lower() for code in codes]


def next_code(draft: Draft, scale: str) -> str:
    """A code for one more item of a scale: the scale's own, and the first number that is free."""
    taken = set(codes_of(draft))
    return next(f"{scale}{n}" for n in range(1, 10_000) if f"{scale}{n}".lower() not in taken)


def missing(draft: Draft) -> list[Missing]:
    """Texts that are there in one language and not in another, or that a version must have, in the order of the pages."""
    lacking: list[Missing] = []

    def look(part: str, name: str, texts: dict[str, str] | None, required: bool = True) -> None:
        given = texts or {}
        if required or any(given.values()):
            lacking.extend(Missing(part, name, at) for at in draft["languages"] if not given.get(at))

    look("texts", _("title"), draft["title"])
    for name, words in (("note", _("origin")), ("intro", _("introduction")), ("consent", _("consent"))):
        look("texts", words, draft[name], required=False)
    look("texts", _("thanks"), draft["thanks"], required=False)
    for option in draft["options"]:
        look("options", _("answer %(n)s") % {"n": option["value"]}, option["text"])
    look("options", _("cannot judge"), draft["cannot_judge"], required=False)
    if draft["eligibility"]:
        look("eligibility", _("first question"), draft["eligibility"]["text"])
        for choice in draft["eligibility"]["choices"]:
            look("eligibility", choice["code"], choice["text"])
    for scale in draft["scales"]:
        look(f"scale:{scale['code']}", scale["code"], scale["name"])
        look(f"scale:{scale['code']}", scale["code"], scale["meaning"], required=False)
        for item in scale["items"]:
            look(f"item:{item['code']}", item["code"], item["text"])
    for question in draft["background"]:
        part = f"question:{question['code']}"
        look(part, question["code"], question["text"])
        for choice in question.get("choices", ()):
            look(part, f"{question['code']} {choice['code']}", choice["text"])
    return lacking


def problems_of(draft: Draft) -> list[str]:
    """Why the draft cannot be published; empty where it can."""
    try:
        checked(draft)
    except QuestionnaireError as error:
        return error.problems
    return []


def is_published(questionnaire: Questionnaire) -> bool:
    """Whether the draft is exactly one of the versions."""
    try:
        digest = content_hash(checked(questionnaire.draft))
    except QuestionnaireError:
        return False
    return questionnaire.versions.filter(content_hash=digest).exists()


# ------------------------------------------------------------------------------------------------ writing
def write(questionnaire: Questionnaire, part: str, looked: str, values: Part) -> None:
    """Write a part; ``looked`` is what `seen` said when its form was opened. An item may name another ``scale``.

    :raises Conflict: if somebody changed it since
    :raises CodeTaken: if its code is that of another part
    """

    def change(draft: Draft) -> None:
        if seen(draft, part) != looked:
            raise Conflict
        kind, _colon, code = part.partition(":")
        if kind in ("texts", "options"):
            draft.update(values)
        elif kind == "eligibility":
            draft["eligibility"] = values or None
        else:
            _rewrite(draft, kind, code, values)

    _change(questionnaire, change)


def add(questionnaire: Questionnaire, kind: str, values: Part) -> None:
    """Add a scale, an item (to the scale that ``values`` name) or a question, at the end. :raises CodeTaken: Conflict:"""

    def change(draft: Draft) -> None:
        _check_free(draft, values["code"])
        if kind == "item":
            _scale(draft, values["scale"])["items"].append(_without_scale(values))
        elif kind == "scale":
            draft["scales"].append({**values, "items": []})
        else:
            draft["background"].append(values)

    _change(questionnaire, change)


def move(questionnaire: Questionnaire, part: str, up: bool) -> bool:
    """One place up or down among its neighbours. Whether there was a place to go to. :raises Conflict: if it is gone"""
    went = False

    def change(draft: Draft) -> None:
        nonlocal went
        kind, _colon, code = part.partition(":")
        place = _place(draft, kind, code)
        if place is None:
            raise Conflict
        rows, at = place
        to = at - 1 if up else at + 1
        went = 0 <= to < len(rows)
        if went:
            rows[at], rows[to] = rows[to], rows[at]

    _change(questionnaire, change)
    return went


def remove(questionnaire: Questionnaire, part: str, looked: str) -> None:
    """Take a part out; `undo` brings it back. :raises Conflict: if somebody changed it since it was looked at"""

    def change(draft: Draft) -> Part:
        if not looked or seen(draft, part) != looked:
            raise Conflict
        kind, _colon, code = part.partition(":")
        if kind == "eligibility":
            removed, draft["eligibility"] = draft["eligibility"], None
            return {"part": part, "value": removed}
        place = _place(draft, kind, code)
        if place is None:
            raise Conflict
        rows, at = place
        scale = next((each["code"] for each in draft["scales"] if each["items"] is rows), "")
        return {"part": part, "value": rows.pop(at), "at": at, "scale": scale}

    _change(questionnaire, change)


def undoable(questionnaire: Questionnaire) -> int | None:
    """The number of the edit that `undo` takes back; None where there is none."""
    before = questionnaire.before
    if before is None:
        return None
    return int(before["edit"]) if _is_removal(before) else questionnaire.edit


def undo(questionnaire: Questionnaire, edit: int) -> bool:
    """Take back edit number ``edit``, if it is the one that can be. Whether it was.

    :raises Conflict: if the scale of a removed item is gone, or another first question is there
    :raises CodeTaken: if another part has its code now
    """
    row = Questionnaire.objects.get(pk=questionnaire.pk)
    before = row.before
    if before is None or undoable(row) != edit:
        return False
    if not _is_removal(before):
        whole = Questionnaire.objects.filter(pk=row.pk, edit=edit, before__isnull=False)
        return bool(whole.update(draft=before, title=before["title"], edit=edit + 1, before=None))

    def change(draft: Draft) -> None:
        kind, value = before["part"].partition(":")[0], before["value"]
        if kind == "eligibility":
            if draft["eligibility"]:
                raise Conflict
            draft["eligibility"] = value
            return
        for code in (value["code"], *(item["code"] for item in value.get("items", ()))):
            _check_free(draft, code)
        rows = _scale(draft, before["scale"])["items"] if kind == "item" else dict(_lists(draft))[kind]
        rows.insert(before["at"], value)

    return _change(row, change, undoing=edit)


def publish(questionnaire: Questionnaire, edit: int, note: str, by: User) -> QuestionnaireVersion:
    """Freeze the draft as it was looked at: edit number ``edit``.

    :raises Conflict: if it was changed since
    :raises QuestionnaireError: if it is not complete
    """
    if questionnaire.edit != edit:
        raise Conflict
    return publish_version(questionnaire, note, by)


def _change(questionnaire: Questionnaire, change: Callable[[Draft], Part | None], undoing: int | None = None) -> bool:
    """Carry out a change on what stands there now; who loses the race for the edit number looks again.

    What ``change`` returns was removed and can be brought back. False where ``undoing`` was undone by somebody else.
    """
    while True:
        row = Questionnaire.objects.get(pk=questionnaire.pk)
        if undoing is not None and (row.before is None or undoable(row) != undoing):
            return False
        draft = copy.deepcopy(row.draft)
        removed = change(draft)
        if draft == row.draft:
            return True
        written: Part = {"draft": draft, "title": draft["title"], "edit": row.edit + 1}
        if removed is not None:
            written["before"] = {**removed, "edit": row.edit + 1}
        elif undoing is not None or (row.before is not None and not _is_removal(row.before)):
            written["before"] = None
        if Questionnaire.objects.filter(pk=row.pk, edit=row.edit).update(**written):
            return True


def _is_removal(before: Part) -> bool:
    """What can be undone is a removed part with its place, or else a whole draft."""
    return "part" in before


def _lists(draft: Draft) -> Iterator[tuple[str, list[Part]]]:
    yield "scale", draft["scales"]
    for scale in draft["scales"]:
        yield "item", scale["items"]
    yield "question", draft["background"]


def _place(draft: Draft, kind: str, code: str) -> tuple[list[Part], int] | None:
    """The list in which a scale, an item or a question stands, and its place there."""
    for of_kind, rows in _lists(draft):
        if of_kind == kind:
            for at, row in enumerate(rows):
                if row["code"] == code:
                    return rows, at
    return None


def _scale(draft: Draft, code: str) -> Part:
    place = _place(draft, "scale", code)
    if place is None:
        raise Conflict
    return place[0][place[1]]


def _rewrite(draft: Draft, kind: str, code: str, values: Part) -> None:
    place = _place(draft, kind, code)
    if place is None:
        raise Conflict
    rows, at = place
    if values["code"].lower() != code.lower():
        _check_free(draft, values["code"])
    if kind == "scale":
        rows[at] = {**values, "items": rows[at]["items"]}
    elif kind == "item" and rows is not (to := _scale(draft, values["scale"])["items"]):
        del rows[at]
        to.append(_without_scale(values))
    else:
        rows[at] = _without_scale(values)


def _without_scale(values: Part) -> Part:
    return {name: value for name, value in values.items() if name != "scale"}


def _check_free(draft: Draft, code: str) -> None:
    if code.lower() in codes_of(draft):
        raise CodeTaken(code)
