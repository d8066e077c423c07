"""What a questionnaire holds, as frozen dataclasses. `surveys.questionnaires.checking` says whether a document describes one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

Text = Mapping[str, str]  # by language

MIN_POINTS, MAX_POINTS = 2, 11  # of the agreement scale
#: Types of the questions that belong to no scale.
CHOICE: Final = "choice"
NUMBER: Final = "number"
TEXT: Final = "text"
TYPES = (CHOICE, NUMBER, TEXT)
LONGEST_ANSWER = 1000  # characters of an open answer


class QuestionnaireError(ValueError):
    """What is wrong with a questionnaire: every problem at once, each a sentence that says where."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class ItemDef:
    code: str
    text: Text
    reverse_keyed: bool = False


@dataclass(frozen=True)
class ScaleDef:
    code: str
    name: Text
    meaning: Text
    items: tuple[ItemDef, ...]


@dataclass(frozen=True)
class Choice:
    code: str
    text: Text
    eligible: bool = True  # of an answer to the eligibility question


@dataclass(frozen=True)
class Question:
    """A question of no scale: the eligibility question (no code, always a choice) or a background question."""

    code: str
    text: Text
    choices: tuple[Choice, ...] = ()
    type: str = CHOICE
    minimum: int = 0  # of a number: both bounds belong to it
    maximum: int = 0
    decimals: bool = False

    @property
    def choice_codes(self) -> frozenset[str]:
        return frozenset(choice.code for choice in self.choices)


@dataclass(frozen=True)
class Definition:
    """A whole questionnaire, read from the content of a frozen version."""

    code: str
    languages: tuple[str, ...]
    title: Text
    note: Text  # where the wording comes from
    intro: Text
    consent: Text
    thanks: Text
    options: tuple[tuple[int, Text], ...]
    cannot_judge: Text | None
    scales: tuple[ScaleDef, ...]
    eligibility: Question | None
    background: tuple[Question, ...]

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Definition:
        """The definition in ``content``, which `checked` has let pass."""
        return cls(
            code=content["code"],
            languages=tuple(content["languages"]),
            title=content["title"],
            note=content["note"],
            intro=content["intro"],
            consent=content["consent"],
            thanks=content["thanks"],
            options=tuple((option["value"], option["text"]) for option in content["options"]),
            cannot_judge=content["cannot_judge"],
            scales=tuple(
                ScaleDef(
                    scale["code"],
                    scale["name"],
                    scale["meaning"],
                    tuple(ItemDef(item["code"], item["text"], item["reverse_keyed"]) for item in scale["items"]),
                )
                for scale in content["scales"]
            ),
            eligibility=_question("", content["eligibility"]) if content["eligibility"] else None,
            background=tuple(_question(q["code"], q) for q in content["background"]),
        )

    @property
    def n_points(self) -> int:
        return len(self.options)

    @cached_property
    def items(self) -> tuple[ItemDef, ...]:
        return tuple(item for scale in self.scales for item in scale.items)

    @cached_property
    def item_codes(self) -> tuple[str, ...]:
        return tuple(item.code for item in self.items)

    @cached_property
    def background_codes(self) -> tuple[str, ...]:
        return tuple(question.code for question in self.background)

    @cached_property
    def eligible_codes(self) -> frozenset[str]:
        """Answers to the eligibility question that mean: may take part."""
        return frozenset(c.code for c in self.eligibility.choices if c.eligible) if self.eligibility else frozenset()

    @cached_property
    def open_text_codes(self) -> frozenset[str]:
        """Questions answered in the respondent's own words: shown and exported only after a review."""
        return frozenset(question.code for question in self.background if question.type == TEXT)

    def asked_background(self, codes: list[str]) -> tuple[Question, ...]:
        """The background questions that a survey asks, in the order of the questionnaire."""
        return tuple(question for question in self.background if question.code in codes)


def _question(code: str, content: Mapping[str, Any]) -> Question:
    # versions from before there were types have choices only
    choices = tuple(Choice(c["code"], c["text"], c.get("eligible", True)) for c in content.get("choices", ()))
    bounds = (content.get("minimum", 0), content.get("maximum", 0), content.get("decimals", False))
    return Question(code, content["text"], choices, content.get("type", CHOICE), *bounds)


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 over the content in one fixed notation."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
