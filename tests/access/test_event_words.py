"""Every kind of event has words, in both languages: nobody reads a code on a history page."""

import ast
from collections.abc import Iterator

from django.utils.translation import override

from scripts.setup import ROOT
from teams.history import SECURITY, WORDS

#: Kinds that are made of a word and what happened: what stands in the code, and all that it can become.
COMPUTED = {
    "f'director_{event}'": ("director_reminded", "director_reminded_by_schedule"),
    "f'leader_{event}'": ("leader_reminded", "leader_reminded_by_schedule"),
    "f'decision_{kind}'": ("decision_set_aside", "decision_merge", "decision_drop"),
    "kind": (
        *("meeting_fixed", "meeting_moved", "researcher_asked_back", "researcher_declined"),
        *("mail_domain_added", "mail_domain_removed"),
    ),
    "event": ("contact_changed", "wave_handed_over", "reminders_ended", "reminders_again"),
}


def recorded() -> Iterator[str]:
    """The kind of every event that a step records, as it stands there."""
    for app in ("teams", "surveys", "analysis"):
        for path in (ROOT / app).rglob("*.py"):
            tree = ast.parse(path.read_text())
            constants = {
                target.id: node.value.value
                for node in tree.body
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for call in ast.walk(tree):
                if isinstance(call, ast.Call) and ast.unparse(call.func) in ("record", "history.record"):
                    for kind in call.args[1:2] or [one.value for one in call.keywords if one.arg == "kind"]:
                        said = ast.unparse(kind)
                        yield kind.value if isinstance(kind, ast.Constant) else constants.get(said, said)


def test_every_event_has_words_in_both_languages() -> None:
    found = set(recorded())
    assert len(found) > 60
    kinds = {kind for one in found for kind in COMPUTED.get(one, (one,))}
    assert kinds - WORDS.keys() == set()
    assert SECURITY.keys() - WORDS.keys() == set()
    for kind, words in WORDS.items():
        with override("nl"):
            dutch = str(words)
        with override("en"):
            assert dutch != str(words), kind
