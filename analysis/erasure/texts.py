"""A person's address and names in histories and free texts: found, counted, replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db.models import JSONField, Model, Q, QuerySet

from analysis.erasure.places import free_texts
from teams.models import Event, Study

REMOVED = "(verwijderd / removed)"  # in place of a name: stored text, read in both languages
BETWEEN = " → "  # old and new in a history
SHORTEST = 6  # letters of a name that is looked for in free texts: shorter ones stand in other words
BESIDE = re.compile(r"^\s*(?P<name>.*?)\s*<?$")


class Change(NamedTuple):
    """One text with the person in it, and what it becomes."""

    model: type[Model]
    column: str
    pk: object
    text: str  # JSON for a column that holds it
    study: int


def names_beside(address: str, scope: QuerySet[Study] | None) -> list[str]:
    """The names that stand before an address in histories: "Name <address>", or "name address" after an arrow."""
    names: dict[str, None] = {}
    events = Event.objects.filter(detail__icontains=address)
    if scope is not None:
        events = events.filter(study__in=scope.values("pk"))
    for detail in events.values_list("detail", flat=True):
        for part in detail.split(BETWEEN):
            at = _whole(address).search(part)
            name = BESIDE.sub(r"\g<name>", part[: at.start()]) if at else ""
            name = name.rpartition(": ")[2].strip()
            if name and name != "–":
                names[name] = None
    return list(names)


def count(address: str, names: Iterable[str], scope: QuerySet[Study] | None) -> int:
    """In how many texts the person stands."""
    return sum(1 for _change in changes(address, names, scope))


def studies(address: str, names: Iterable[str], scope: QuerySet[Study] | None) -> set[int]:
    """Primary keys of the studies in whose texts the person stands."""
    return {change.study for change in changes(address, names, scope)}


def replace(address: str, names: Iterable[str], scope: QuerySet[Study] | None) -> int:
    """Write the texts without the person. Returns how many."""
    n_changed = 0
    for change in list(changes(address, names, scope)):
        is_json = isinstance(change.model._meta.get_field(change.column), JSONField)
        value = json.loads(change.text) if is_json else change.text
        change.model._base_manager.filter(pk=change.pk).update(**{change.column: value})
        n_changed += 1
    return n_changed


def changes(address: str, names: Iterable[str], scope: QuerySet[Study] | None) -> Iterator[Change]:
    """Every free text of these studies that names the person, as it would become."""
    pattern = _pattern(address, names)
    long_names = [name for name in names if _is_long(name)]
    for model, column, lookups in free_texts():
        wanted = Q()
        for text in (address, *long_names):
            wanted |= Q(**{f"{column}__icontains": _as_stored(model, column, text)})
        for lookup in lookups[:1]:
            rows = model._base_manager.filter(wanted)
            if scope is not None:
                rows = rows.filter(**{f"{lookup}__in": scope.values("pk")})
            for pk, value, study in rows.values_list("pk", column, lookup).iterator():
                before = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
                after = _without(before, address, names, pattern) if model is Event else pattern.sub(REMOVED, before)
                if after != before:
                    yield Change(model, column, pk, _fitting(model, column, after), study)


def tables() -> set[type[Model]]:
    """Every table with a free text."""
    return {model for model, _column, _lookups in free_texts()}


def _is_long(name: str) -> bool:
    return len(name) >= SHORTEST and " " in name.strip()


def _whole(address: str) -> re.Pattern[str]:
    """An address, and no longer one that holds it."""
    return re.compile(rf"<?(?<![\w.+-]){re.escape(address)}(?![\w-])>?", re.IGNORECASE)


def _pattern(address: str, names: Iterable[str]) -> re.Pattern[str]:
    """An address, also in brackets, and names of more than one word, each as a whole."""
    wanted = [_whole(address).pattern]
    wanted += [rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(names, key=len, reverse=True) if _is_long(name)]
    return re.compile("|".join(wanted), re.IGNORECASE)


def _without(detail: str, address: str, names: Iterable[str], pattern: re.Pattern[str]) -> str:
    """A history's detail: what stands between arrows is one person, so short names beside the address go with it."""
    parts = []
    for part in detail.split(BETWEEN):
        head, separator, person = part.rpartition(": ")
        if _whole(address).search(person) or person.strip().lower() in {name.lower() for name in names}:
            part = f"{head}{separator}{REMOVED}"
        parts.append(pattern.sub(REMOVED, part))
    return BETWEEN.join(parts)


def _as_stored(model: type[Model], column: str, text: str) -> str:
    """A text as it stands in the column: JSON writes other letters than those of English as numbers."""
    if isinstance(model._meta.get_field(column), JSONField):
        return json.dumps(text)[1:-1]
    return text


def _fitting(model: type[Model], column: str, text: str) -> str:
    longest = getattr(model._meta.get_field(column), "max_length", None)
    return text[:longest] if longest else text
