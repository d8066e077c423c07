"""Every kind of event has words, in both languages, and one way into the table: nobody reads a code on a history page."""

import ast
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils.translation import override

from scripts.setup import ROOT
from teams import history
from teams.history import KINDS, EventKind
from teams.models import Event

WRITER = "teams/history.py"  # the only module that makes rows of events


def modules() -> Iterator[tuple[str, ast.Module]]:
    for app in ("config", "teams", "surveys", "analysis"):
        for path in (ROOT / app).rglob("*.py"):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def test_only_the_history_makes_events() -> None:
    made = {
        path
        for path, tree in modules()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("Event", "Event.objects.create", "Event.objects.bulk_create", "events.create")
    }
    assert made == {WRITER}, "record an event by teams.history.record: it says the kind, and tells the security log"


def test_every_kind_that_a_step_names_is_recorded_somewhere() -> None:
    named = {
        node.attr
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).split(".")[-1] == "Happened"
    }
    unused = {kind.name for kind in KINDS.values()} - named
    assert unused == set(), "nothing records these kinds of event: take the lines out of Happened"


def test_every_event_has_words_in_every_language() -> None:
    assert len(KINDS) > 90
    for value, kind in KINDS.items():
        said = set()
        for language, _name in settings.LANGUAGES:
            with override(language):
                said.add(str(kind.words))
                assert history.in_words(Event(kind=value)) == str(kind.words)
        assert len(said) == len(settings.LANGUAGES), (
            f"The kind of event '{value}' says the same in two languages: translate “{said.pop()}” in locale/"
        )


def test_a_kind_without_words_says_what_is_missing() -> None:
    with pytest.raises(TypeError, match="The kind of event 'moon_landed' has no words. Write behind it"):

        class More(EventKind):
            MOON_LANDED = "moon_landed"

    assert "moon_landed" not in KINDS


def test_a_kind_that_is_there_already_is_refused() -> None:
    with pytest.raises(ValueError, match="There are two kinds of event 'study_created'"):

        class More(EventKind):
            AGAIN = "study_created", KINDS["study_created"].words


def test_values_fit_the_column() -> None:
    assert max(map(len, KINDS)) <= (Event._meta.get_field("kind").max_length or 0)
