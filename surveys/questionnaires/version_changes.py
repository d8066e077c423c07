"""What differs between two versions of a questionnaire, and which scales stay comparable.

An item is the same if its code, its scale, its words (in every language that both versions have) and its reverse key are
the same, and so are the answers that one can give. A scale is comparable if all its items are; on its common items if at
least three are (the fewest with which one factor by itself is identified); else it is not (docs/methods.md, Versions).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum

from django.utils.translation import gettext as _

from surveys.questionnaires.definition import Definition, ItemDef, ScaleDef, Text

FEWEST_COMMON = 3


class Verdict(Enum):
    COMPARABLE = "comparable"
    COMMON_ITEMS = "common items"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True)
class Reworded:
    code: str
    before: Text
    after: Text
    key_turned: bool  # the reverse key changed

    @property
    def words(self) -> list[tuple[str, str, str]]:
        """Language, earlier and later words, of every language in which they differ."""
        both = [at for at in self.after if at in self.before]
        return [(at, self.before[at], self.after[at]) for at in both if self.before[at] != self.after[at]]


@dataclass(frozen=True, slots=True)
class ScaleComparison:
    """One scale of the newer version against the older one. ``common`` are the codes of the items that are the same."""

    code: str
    name: Text
    verdict: Verdict
    common: tuple[str, ...]
    n_before: int
    n_after: int

    @property
    def in_words(self) -> str:
        if self.verdict == Verdict.COMPARABLE:
            return _("comparable")
        if self.verdict == Verdict.COMMON_ITEMS:
            return _("comparable on %(n)s common items") % {"n": len(self.common)}
        return _("not comparable")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, by the codes of items, scales and questions."""

    unchanged: tuple[str, ...]
    reworded: tuple[Reworded, ...]
    moved: tuple[str, ...]
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    options_changed: bool
    cannot_judge_changed: bool
    languages_added: tuple[str, ...]
    languages_dropped: tuple[str, ...]
    texts: tuple[str, ...]  # names of other texts that changed: title, intro, name of a scale …
    questions: tuple[str, ...]  # background questions, and "eligibility", that were changed, added or dropped
    scales: tuple[ScaleComparison, ...]
    scales_dropped: tuple[str, ...]

    @property
    def common_items(self) -> dict[str, tuple[str, ...]]:
        """Per scale that can be compared the items to compare it on: all that an analysis over waves may use."""
        return {scale.code: scale.common for scale in self.scales if scale.verdict != Verdict.NOT_COMPARABLE}

    @property
    def changes_anything(self) -> bool:
        items = (self.reworded, self.moved, self.added, self.dropped, self.languages_added, self.languages_dropped)
        rest = (self.texts, self.questions, self.scales_dropped)
        return any(items) or any(rest) or self.options_changed or self.cannot_judge_changed


def compare(old: Definition, new: Definition) -> Comparison:
    """What ``new`` changed in ``old``. Pure: frozen versions always give the same comparison."""
    languages = [language for language in new.languages if language in old.languages]

    def differ(before: Text | None, after: Text | None) -> bool:
        text_before, text_after = before or {}, after or {}
        return not languages or any(text_before.get(at, "") != text_after.get(at, "") for at in languages)

    before, after = _by_code(old), _by_code(new)
    both = [code for code in after if code in before]
    reworded = tuple(
        Reworded(code, before[code][1].text, after[code][1].text, _turned(before[code], after[code]))
        for code in both
        if differ(before[code][1].text, after[code][1].text) or _turned(before[code], after[code])
    )
    changed = {item.code for item in reworded}
    moved = _moved([code for code in before if code in after], both)
    moved |= {code for code in both if before[code][0] != after[code][0]}
    options_changed = old.n_points != new.n_points or any(
        differ(label_before, label_after)
        for (_value, label_before), (_same, label_after) in zip(old.options, new.options, strict=False)
    )
    old_scales = {scale.code: scale for scale in old.scales}

    def judged(scale: ScaleDef) -> ScaleComparison:
        earlier = old_scales.get(scale.code)
        known = {item.code for item in earlier.items} if earlier else set()
        common = tuple(item.code for item in scale.items if item.code in known and item.code not in changed)
        if options_changed:
            common = ()
        if common and len(common) == len(scale.items) == len(known):
            verdict = Verdict.COMPARABLE
        else:
            verdict = Verdict.COMMON_ITEMS if len(common) >= FEWEST_COMMON else Verdict.NOT_COMPARABLE
        return ScaleComparison(scale.code, scale.name, verdict, common, len(known), len(scale.items))

    texts = ("title", "note", "intro", "consent", "thanks")
    names = [s.code for s in new.scales if s.code in old_scales and differ(old_scales[s.code].name, s.name)]
    return Comparison(
        unchanged=tuple(code for code in both if code not in changed and code not in moved),
        reworded=reworded,
        moved=tuple(code for code in both if code in moved),
        added=tuple(code for code in after if code not in before),
        dropped=tuple(code for code in before if code not in after),
        options_changed=options_changed,
        cannot_judge_changed=bool(old.cannot_judge) != bool(new.cannot_judge)
        or differ(old.cannot_judge, new.cannot_judge),
        languages_added=tuple(at for at in new.languages if at not in old.languages),
        languages_dropped=tuple(at for at in old.languages if at not in new.languages),
        texts=(*(name for name in texts if differ(getattr(old, name), getattr(new, name))), *names),
        questions=_questions(old, new),
        scales=tuple(judged(scale) for scale in new.scales),
        scales_dropped=tuple(code for code in old_scales if code not in {scale.code for scale in new.scales}),
    )


def _by_code(definition: Definition) -> dict[str, tuple[str, ItemDef]]:
    """Items with the code of their scale, by their own code, in the order of the questionnaire."""
    return {item.code: (scale.code, item) for scale in definition.scales for item in scale.items}


def _turned(before: tuple[str, ItemDef], after: tuple[str, ItemDef]) -> bool:
    return before[1].reverse_keyed != after[1].reverse_keyed


def _moved(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """Which of the same codes stand elsewhere: all but a longest run that kept its order."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    kept = {code for block in blocks for code in after[block.b : block.b + block.size]}
    return set(after) - kept


def _questions(old: Definition, new: Definition) -> tuple[str, ...]:
    before: dict[str, object] = {question.code: question for question in old.background}
    after: dict[str, object] = {question.code: question for question in new.background}
    before["eligibility"], after["eligibility"] = old.eligibility, new.eligibility
    return tuple(code for code in _in_order(after, before) if before.get(code) != after.get(code))


def _in_order(*codes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(code for some in codes for code in some))
