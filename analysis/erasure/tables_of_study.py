"""Which tables hold rows of a study, read from the models themselves, so that a new table is never forgotten.

A table is the study's if a foreign key that must be filled, or that goes with what it points to, leads to it. Keys that are
emptied instead (``SET_NULL``) lead nowhere: such a row stands by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter

from django.apps import apps
from django.db.models import CASCADE, PROTECT, ForeignKey, Model, QuerySet

from teams.models import Study

BELONGS = (CASCADE, PROTECT)


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the lookups that lead from its rows to their study."""

    model: type[Model]
    lookups: tuple[str, ...]

    def of(self, study: Study, lookup: str) -> QuerySet[Model]:
        return self.model._base_manager.filter(**{lookup: study.pk}).order_by()


@cache
def tables() -> tuple[Table, ...]:
    """Every table with rows of a study, those first that nothing else of a study points to."""
    shortest = _shortest_lookups()
    graph: dict[type[Model], set[type[Model]]] = {model: set() for model in shortest}
    for model in graph:
        for key in _keys(model):
            if key.related_model in graph and key.related_model is not model:
                graph[_model(key)].add(model)  # who is pointed at waits for who points
    ordered = []
    for model in TopologicalSorter(graph).static_order():
        lookups = [
            _joined(key.name, shortest.get(_model(key), ""))
            for key in _keys(model)
            if _belongs(key) and (key.related_model in shortest or key.related_model is Study)
        ]
        ordered.append(Table(model, tuple(sorted(lookups, key=lambda lookup: (lookup.count("__"), lookup)))))
    return tuple(ordered)


def _shortest_lookups() -> dict[type[Model], str]:
    """Per model of a study the shortest lookup that leads there."""
    known: dict[type[Model], str] = {Study: ""}
    while True:
        more: dict[type[Model], str] = {}
        for model in apps.get_models(include_auto_created=True):
            if model in known:
                continue
            lookups = [
                _joined(key.name, known[_model(key)]) for key in _keys(model) if _belongs(key) and _model(key) in known
            ]
            if lookups:
                more[model] = min(lookups, key=len)
        if not more:
            del known[Study]
            return known
        known |= more


def _joined(name: str, lookup: str) -> str:
    return f"{name}__{lookup}" if lookup else name


def _keys(model: type[Model]) -> Iterable[ForeignKey[Model, Model]]:
    return [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]


def _model(key: ForeignKey[Model, Model]) -> type[Model]:
    related = key.related_model
    assert not isinstance(related, str)
    return related


def _belongs(key: ForeignKey[Model, Model]) -> bool:
    return key.remote_field.on_delete in BELONGS
