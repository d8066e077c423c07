"""An attacker (attacker.py) with all there is to hold links nobody to an answer; and the same one does, where one can.

Every test plays a study (collecting_study.py). The bound says that chance fails a test less than once in a million times. The
long version, more studies of twenty teams: `make prove-unlinkable`.
"""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, transaction

from surveys.models import Invitee, Response
from tests.surveys import attacker
from tests.surveys.attacker import Dump, Finding
from tests.surveys.collecting_study import World, collect, seal_all, watched
from tests.surveys.web import web_server

pytestmark = pytest.mark.django_db(transaction=True)

TEAMS = {"by_link": 5, "by_meeting": 2, "teachers": 8}
TWENTY_TEAMS = {"by_link": 14, "by_meeting": 6, "teachers": 5}


@pytest.fixture
def world(db: None, tmp_path: Path) -> Iterator[World]:
    with watched(tmp_path) as world:
        yield world


def told(findings: list[Finding]) -> str:
    return "\n".join(f"{f.right:3} right, by chance {f.chance:.1e}: {f.how}" for f in findings[:10])


def after_sealing(world: World, seed: int, **teams: int) -> list[Finding]:
    collect(world, seed, **teams, moments=2)
    assert attacker.left_on_disk(world.secrets), "the names stand on the disk before"
    seal_all()
    assert not world.keys()
    return attacker.attack(attacker.with_places(world.dump()), world.persons)


def test_after_sealing_nobody_is_linked_with_everything_in_hand(world):
    """Twenty teams answer through the web server. In hand: all tables, hidden columns, sequences, sessions, what the web
    server wrote, log, messages, mails with all links, the places on the disk, and who was seen to answer when."""
    (world.folder / "web").mkdir()
    with web_server(world.folder / "web") as world.address:
        findings = after_sealing(world, seed=1, **TWENTY_TEAMS)
    assert Session.objects.exists()
    assert world.log
    assert len(findings) > 100, "it tried"
    assert not attacker.linked(findings), told(findings)
    assert attacker.left_on_disk(world.secrets) == {}, "no freed page of any table or index holds an old key"


def two_dumps(world: World, seed: int, moments: int = 4, **teams: int) -> int:
    """Attack with every two dumps that were taken, none of them with a key. How many pairs."""
    collect(world, seed, **teams, moments=moments)
    for (first, _), (second, begun) in itertools.combinations(world.moments, 2):
        both = _without_reminders(_of_links(attacker.compared(first, second)))
        findings = attacker.attack(both, world.without_sight(begun))
        assert not attacker.linked(findings), told(findings)
    return len(list(itertools.combinations(world.moments, 2)))


def test_two_dumps_of_collecting_link_nobody_without_the_keys_and_everybody_with_them(world):
    assert two_dumps(world, seed=2, **TEAMS) >= 6
    last, begun = world.moments[-1]
    found = attacker.linked(attacker.attack(_of_links(last), world.without_sight(begun), world.keys()))
    assert found, "with the keys the same attacker links"
    assert found[0].right == TEAMS["by_link"] * TEAMS["teachers"]


def _of_links(dump: Dump) -> Dump:
    """Only the responses of teams that answer by link: whoever was not in the room knows nobody of the others."""
    teams = {row["id"] for row in dump["surveys_collection"] if row["mode"] == "online"}
    return {**dump, attacker.RESPONSES: [row for row in dump[attacker.RESPONSES] if row["collection_id"] in teams]}


def _without_reminders(dump: Dump) -> Dump:
    """Only the mails with the links. Whoever reads the mails of a round of reminders sees whom it left out: said in
    docs/data-protection.md. Nothing in the database says so."""
    kept, seen = [], set()
    for letter in dump["mails"]:
        if letter["to"] not in seen:
            seen.add(letter["to"])
            kept.append(letter)
    assert len(kept) < len(dump["mails"]) or not any(row["last_round_submitted"] for row in dump["surveys_collection"])
    return {**dump, "mails": kept}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 105))
def test_prove_after_sealing(world, seed):
    findings = after_sealing(world, seed, by_link=14, by_meeting=6, teachers=14)
    assert not attacker.linked(findings), told(findings)
    assert attacker.left_on_disk(world.secrets) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 203))
def test_prove_two_dumps(world, seed):
    assert two_dumps(world, seed, moments=8, by_link=16, by_meeting=4, teachers=10) >= 28


# ------------------------------------------------------------------------------------------------ the attacker can fail us
def a_column_with_the_order(world: World, keys: dict[str, str]) -> None:
    """When each was done, roughly, stands with the responses."""
    _execute("ALTER TABLE surveys_response ADD COLUMN planted integer")
    for person in world.persons:
        _execute(
            "UPDATE surveys_response SET planted = %s WHERE key = %s", person.seen["done"] // 3, keys[person.content]
        )


def a_table_with_both(world: World, keys: dict[str, str]) -> None:
    """A log of changes, say: the number of the invitee and the key of the response in one row."""
    _execute("CREATE TABLE planted (id integer primary key, about integer, what varchar(60))")
    numbers = dict(Invitee.objects.values_list("email", "pk"))
    for n, person in enumerate(world.persons):
        if person.email:
            values = n + 1, numbers[person.email], keys[person.content]
            _execute("INSERT INTO planted (id, about, what) VALUES (%s, %s, %s)", *values)


def lines_of_the_log(world: World, keys: dict[str, str]) -> None:
    world.log += [f"{person.email} has answered: {keys[person.content]}" for person in world.persons if person.email]


def one_transaction(world: World, keys: dict[str, str]) -> None:
    """The invitee is written in the transaction that writes the response."""
    for person in world.persons:
        if person.email:
            with transaction.atomic():
                Invitee.objects.filter(email=person.email).update(opted_out=True)
                Response.objects.filter(key=keys[person.content]).update(language="nl")


def _execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _clean() -> None:
    """Take the planted column and table away again."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS planted")
        columns = {c.name for c in connection.introspection.get_table_description(cursor, attacker.RESPONSES)}
        if "planted" in columns:
            cursor.execute("ALTER TABLE surveys_response DROP COLUMN planted")


def test_the_same_attacker_links_once_a_leak_is_planted(world):
    collect(world, seed=3, **TEAMS)
    seal_all()
    keys = {json.dumps(answers, sort_keys=True): key for key, answers in Response.objects.values_list("key", "answers")}
    leaks = [a_column_with_the_order, a_table_with_both, lines_of_the_log]
    if connection.vendor == "postgresql":
        leaks.append(one_transaction)  # SQLite keeps no number of the transaction with a row
    for leak in leaks:
        lines = list(world.log)
        try:
            leak(world, keys)
            found = attacker.linked(attacker.attack(world.dump(), world.persons))
        finally:
            _clean()
        assert found, f"{leak.__name__} is not found"
        assert max(finding.right for finding in found) > TEAMS["by_link"] * TEAMS["teachers"] / 3
        world.log[:] = lines


def test_chance_is_counted_exactly():
    """Against all permutations of two small teams."""
    counted = [0] * 8
    for one in itertools.permutations(range(4)):
        for other in itertools.permutations(range(3)):
            counted[sum(n == m for own in (one, other) for n, m in enumerate(own))] += 1
    for right in range(8):
        assert attacker.by_chance(right, (4, 3)) == pytest.approx(sum(counted[right:]) / sum(counted))
