"""Whether a document describes a questionnaire: every problem at once, each a sentence that says where."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from surveys.questionnaires.definition import (
    CHOICE,
    MAX_POINTS,
    MIN_POINTS,
    NUMBER,
    TEXT,
    TYPES,
    QuestionnaireError,
)
from teams.models.languages import language_codes

CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,19}")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
LONGEST_TEXT = 5000
FARTHEST = 1_000_000  # bounds of a number lie between minus this and this
#: Names that a column of the data, or a field of the respondent's page, has already.
TAKEN = frozenset({"team", "set_aside", "eligibility", "key", "step", "go", "language", "background"})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")


def cleaned(text: str) -> str:
    """A text without blanks around it and without signs that no file format keeps; lines end in a line feed."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def checked(data: Any) -> dict[str, Any]:
    """``data`` as the content of a version, with all that may be left out filled in.

    :raises QuestionnaireError: with every problem found
    """
    check = _Check()
    content = check.questionnaire(data)
    if check.problems:
        raise QuestionnaireError(check.problems)
    return content


class _Check:
    """Goes through a document, collects problems, and returns the parts in their fixed form."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.languages: list[str] = language_codes()
        self.codes: dict[str, str] = {}

    def problem(self, where: str, what: str) -> None:
        self.problems.append(cleaned(f"{where}: {what}" if where else what))  # a file can spell half a sign

    def questionnaire(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.problem("", _("A questionnaire is a list of names and values, such as 'code: my-questionnaire'."))
            return {}
        known = {"code", "languages", "title", "note", "intro", "consent", "thanks", "options", "cannot_judge"}
        known |= {"scales", "eligibility", "background"}
        for name in data:
            if name not in known:
                self.problem(str(name), _("this name is not known here; known are: %s.") % ", ".join(sorted(known)))
        code = data.get("code")
        if not isinstance(code, str) or not SLUG.fullmatch(code):
            self.problem("code", _("use lower-case letters, digits and hyphens, for instance 'my-questionnaire'."))
        languages = data.get("languages", language_codes())
        if not isinstance(languages, list) or not languages or not all(at in language_codes() for at in languages):
            self.problem("languages", _("name one or more of: %s.") % ", ".join(language_codes()))
        else:
            self.languages = languages
        return {
            "code": code,
            "languages": self.languages,
            "title": self.text("title", data.get("title")),
            **{
                name: self.text(name, data.get(name), required=False) for name in ("note", "intro", "consent", "thanks")
            },
            "options": self.options(data.get("options")),
            "cannot_judge": self.text("cannot_judge", data["cannot_judge"]) if data.get("cannot_judge") else None,
            "scales": [self.scale(n, scale) for n, scale in enumerate(self.entries("scales", data.get("scales")), 1)],
            "eligibility": self.eligibility(data.get("eligibility")),
            "background": [
                self.background(n, question)
                for n, question in enumerate(self.entries("background", data.get("background", []), empty=True), 1)
            ],
        }

    def text(self, where: str, value: Any, required: bool = True) -> dict[str, str]:
        """A text in every language of the questionnaire; of one language it may be the bare text."""
        if value in (None, "", {}) and not required:
            return {}
        if isinstance(value, str) and len(self.languages) == 1:
            value = {self.languages[0]: value}
        if not isinstance(value, dict):
            self.problem(where, _("give the text in each language: %s.") % ", ".join(self.languages))
            return {}
        for language in self.languages:
            if not isinstance(value.get(language), str) or not value[language].strip():
                self.problem(where, _("the text in language '%s' is missing.") % language)
        texts = {language: cleaned(str(value.get(language) or "")) for language in self.languages}
        if any(len(text) > LONGEST_TEXT for text in texts.values()):
            self.problem(where, _("a text has at most %d characters.") % LONGEST_TEXT)
        return texts

    def entries(self, where: str, value: Any, empty: bool = False) -> list[Any]:
        if not isinstance(value, list) or (not value and not empty):
            self.problem(where, _("there must be a list with at least one entry here."))
            return []
        return value

    def code(self, where: str, entry: Any, known: set[str]) -> str:
        """The code of an entry: right in form and used once in the questionnaire."""
        if not isinstance(entry, dict):
            self.problem(where, _("there must be names and values here, such as 'code: GV1'."))
            return ""
        for name in entry:
            if name not in known:
                self.problem(
                    where,
                    _("'%(name)s' is not known here; known are: %(known)s.")
                    % {"name": name, "known": ", ".join(sorted(known))},
                )
        code = entry.get("code")
        if not isinstance(code, str) or not CODE.fullmatch(code):
            self.problem(
                where, _("the code must begin with a letter and have at most 20 letters, digits and underscores.")
            )
            return ""
        if code.lower() in TAKEN:
            self.problem(where, _("the code '%s' is used by the program itself: choose another one.") % code)
        if code.lower() in self.codes:
            self.problem(
                where,
                _("the code '%(code)s' is already used, at %(where)s.")
                % {"code": code, "where": self.codes[code.lower()]},
            )
        self.codes[code.lower()] = where
        return code

    def options(self, value: Any) -> list[dict[str, Any]]:
        options = self.entries("options", value)
        if options and not MIN_POINTS <= len(options) <= MAX_POINTS:
            self.problem("options", _("an agreement scale has 2 to 11 options."))
        result = []
        for n, option in enumerate(options, 1):
            where = f"options {n}"
            text = option
            if isinstance(option, dict) and ("value" in option or "text" in option):  # else it is the text itself
                text = option.get("text")
                if isinstance(option.get("value"), bool) or option.get("value", n) != n:
                    self.problem(where, _("the values of the options must be 1, 2, 3 and so on."))
            result.append({"value": n, "text": self.text(where, text)})
        return result

    def scale(self, n: int, value: Any) -> dict[str, Any]:
        code = self.code(f"scales {n}", value, {"code", "name", "meaning", "items"})
        if not isinstance(value, dict):
            return {}
        where = f"scale {code or n}"
        items = [
            self.item(where, m, item) for m, item in enumerate(self.entries(f"{where} items", value.get("items")), 1)
        ]
        return {
            "code": code,
            "name": self.text(f"{where} name", value.get("name")),
            "meaning": self.text(f"{where} meaning", value.get("meaning"), required=False),
            "items": items,
        }

    def item(self, scale: str, n: int, value: Any) -> dict[str, Any]:
        code = self.code(f"{scale} item {n}", value, {"code", "text", "reverse_keyed"})
        if not isinstance(value, dict):
            return {}
        reverse_keyed = value.get("reverse_keyed", False)
        if not isinstance(reverse_keyed, bool):
            self.problem(f"item {code or n}", _("reverse_keyed must be true or false."))
        return {
            "code": code,
            "text": self.text(f"item {code or n}", value.get("text")),
            "reverse_keyed": bool(reverse_keyed),
        }

    def eligibility(self, value: Any) -> dict[str, Any] | None:
        if not value:
            return None
        if not isinstance(value, dict):
            self.problem("eligibility", _("there must be a text and choices here."))
            return None
        choices = self.choices("eligibility", value.get("choices"), eligible=True)
        if choices and (all(c["eligible"] for c in choices) or not any(c["eligible"] for c in choices)):
            self.problem("eligibility", _("at least one choice must be eligible and one not ('eligible: false')."))
        return {"text": self.text("eligibility text", value.get("text")), "choices": choices}

    def background(self, n: int, value: Any) -> dict[str, Any]:
        known = {"code", "text", "type", "choices", "minimum", "maximum", "decimals"}
        code = self.code(f"background {n}", value, known)
        if not isinstance(value, dict):
            return {}
        where = f"background {code or n}"
        question: dict[str, Any] = {"code": code, "text": self.text(where, value.get("text"))}
        type_ = value.get("type", CHOICE)
        if type_ == CHOICE:  # without its type, as in versions from before there were types
            return question | {"choices": self.choices(where, value.get("choices"))}
        question["type"] = type_
        if value.get("choices"):
            self.problem(where, _("only a question of the type 'choice' has choices."))
        if type_ == NUMBER:
            return question | self.bounds(where, value)
        if type_ != TEXT:
            self.problem(where, _("the type must be one of: %s.") % ", ".join(TYPES))
        return question

    def bounds(self, where: str, value: dict[str, Any]) -> dict[str, Any]:
        """The bounds of a number: whole numbers, the lowest first."""
        bounds: list[Any] = [value.get("minimum"), value.get("maximum")]
        if not all(isinstance(bound, int) and not isinstance(bound, bool) for bound in bounds):
            self.problem(where, _("a number needs a minimum and a maximum, both whole numbers."))
        elif not -FARTHEST <= bounds[0] < bounds[1] <= FARTHEST:
            self.problem(where, _("the minimum must be below the maximum, and both within %d.") % FARTHEST)
        decimals = value.get("decimals", False)
        if not isinstance(decimals, bool):
            self.problem(where, _("decimals must be true or false."))
        return {"minimum": bounds[0], "maximum": bounds[1], "decimals": bool(decimals)}

    def choices(self, where: str, value: Any, eligible: bool = False) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = []
        for n, choice in enumerate(self.entries(f"{where} choices", value), 1):
            place = f"{where} choice {n}"
            code = choice.get("code") if isinstance(choice, dict) else None
            if isinstance(code, bool):
                self.problem(place, _('YAML reads yes and no without quotes as true and false; write code: "yes".'))
            elif not isinstance(code, str) or not CODE.fullmatch(code):
                self.problem(
                    place, _("the code must begin with a letter and have at most 20 letters, digits and underscores.")
                )
            elif any(other["code"] == code for other in result):
                self.problem(place, _("the code '%s' is used twice.") % code)
            entry: dict[str, Any] = {
                "code": code,
                "text": self.text(place, choice.get("text") if isinstance(choice, dict) else None),
            }
            if eligible:
                entry["eligible"] = bool(choice.get("eligible", True)) if isinstance(choice, dict) else True
            result.append(entry)
        return result
