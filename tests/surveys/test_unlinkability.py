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

from surveys import tasks
from surveys.collecting import collections
from surveys.models import Collection, Invitee, LinkSecret, Response, SealedResponse
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


def in_words(findings: list[Finding]) -> str:
    return "\n".join(f"{f.right:3} right, by chance {f.chance:.1e}: {f.how}" for f in findings[:10])


def after_sealing(world: World, seed: int, **teams: int) -> list[Finding]:
    collect(world, seed, **teams, moments=2)
    assert attacker.left_on_disk(world.secrets), "the names stand on the disk before"
    seal_all()
    assert not world.keys()
    return attacker.attack(attacker.with_places(world.dump()), world.persons)


def test_after_sealing_nobody_is_linked_with_everything_in_hand(world):
    """Twenty teams answer through the web server. In hand: all tables, hidden columns, sequences, sessions, what the web
    server wrote, log, messages, mails with all links, the history of each browser, the places on the disk, and who was seen to
    answer when."""
    (world.folder / "web").mkdir()
    with web_server(world.folder / "web") as world.address:
        findings = after_sealing(world, seed=1, **TWENTY_TEAMS)
    assert Session.objects.exists()
    assert world.log
    assert len(findings) > 100, "it tried"
    assert not attacker.linked(findings), in_words(findings)
    assert attacker.left_on_disk(world.secrets) == {}, "no freed page of any table or index holds an old key"


def test_teams_that_are_sealed_one_by_one_beside_open_ones_are_linked_by_neither_table(world):
    """What is open stays where it is, and what was sealed before is not written anew: neither tells of those that are sealed now."""
    collect(world, seed=5, by_link=6, by_meeting=2, teachers=7, moments=2)
    sealed = list(Collection.objects.order_by("pk"))[::2]
    names = set(Response.objects.filter(collection__in=sealed).values_list("key", flat=True))
    for nonce, token_hash in LinkSecret.objects.filter(invitee__collection__in=sealed).values_list(
        "nonce", "token_hash"
    ):
        names |= {nonce, token_hash}
    before = attacker.with_places(world.dump())
    assert attacker.left_on_disk(names)
    for collection in sealed:
        collections.close_collection(collection)
        collections.seal_now(collection)
        tasks.seal_due_collections()
    after = attacker.with_places(world.dump())
    persons = [person for person in world.persons if person.team in {collection.pk for collection in sealed}]
    assert len(persons) == 4 * 7
    for dump in (after, attacker.compared(before, after)):
        findings = attacker.attack(dump, persons)
        assert len(findings) > 100, "it tried"
        assert not attacker.linked(findings), in_words(findings)
    assert attacker.left_on_disk(names) == {}
    assert Response.objects.filter(collection__in=sealed).count() == 0 < Response.objects.count()


def two_dumps(world: World, seed: int, moments: int = 4, **teams: int) -> int:
    """Attack with every two dumps that were taken, none of them with a key. How many pairs."""
    collect(world, seed, **teams, moments=moments)
    for (first, _), (second, begun) in itertools.combinations(world.moments, 2):
        both = _of_links(attacker.compared(first, second))
        findings = attacker.attack(both, world.without_sight(begun))
        assert not attacker.linked(findings), in_words(findings)
    return len(list(itertools.combinations(world.moments, 2)))


def test_two_dumps_of_collecting_link_nobody_without_the_secrets_and_everybody_with_them(world):
    """Who has the mails had the server say the key of each response before its teacher began, too."""
    assert two_dumps(world, seed=2, **TEAMS) >= 6
    last, begun = world.moments[-1]
    persons = world.without_sight(begun)
    findings = attacker.attack(_of_links(last), persons, world.keys())
    assert not attacker.linked(findings), "the key files open nothing without the secret of the server"
    findings = attacker.linked(attacker.attack(_of_links(last), persons, world.keys(), secret=True))
    assert findings, "with both the same attacker links"
    assert findings[0].right == TEAMS["by_link"] * TEAMS["teachers"]


def alone_by_link(world: World, seed: int, mixed: int, teachers: int) -> list[list[Finding]]:
    """What singles out who came by link where all others of the team met: in each dump, in every two, and once sealed."""
    collect(world, seed, by_link=0, by_meeting=0, mixed=mixed, teachers=teachers)
    by_moment = [attacker.single_out(dump, begun) for dump, begun in world.moments]
    for (first, _), (second, begun) in itertools.combinations(world.moments, 2):
        by_moment.append(attacker.single_out(attacker.compared(first, second), begun))
    seal_all()
    return [*by_moment, attacker.single_out(attacker.with_places(world.dump()), world.persons)]


def test_who_came_by_link_alone_is_singled_out_by_no_column(world):
    """Their answers come between those of the meeting: who answers alone on another day is told by the order of rows
    (docs/data-protection.md)."""
    by_way = alone_by_link(world, seed=4, mixed=10, teachers=8)
    assert len(by_way) == 4 + 6 + 1
    for findings in by_way:
        assert len(findings) > 10, "it tried"
        assert not attacker.linked(findings), in_words(findings)
    dump = world.dump()
    by_link = {person.content for person in world.persons if person.token}
    for row in attacker.responses_of(dump):
        row["planted"] = attacker._content(row["answers"]) in by_link
    linked = attacker.linked(attacker.single_out(dump, world.persons))
    assert linked[0].right == 10, "the same attacker finds all once a column tells"


def _of_links(dump: Dump) -> Dump:
    """Only the responses of teams that answer by link: whoever was not in the room knows nobody of the others."""
    teams = {row["id"] for row in dump["surveys_collection"] if row["mode"] == "online"}
    return dump | {table: [row for row in dump[table] if row["collection_id"] in teams] for table in attacker.RESPONSES}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 105))
def test_prove_after_sealing(world, seed):
    findings = after_sealing(world, seed, by_link=14, by_meeting=6, teachers=14)
    assert not attacker.linked(findings), in_words(findings)
    assert attacker.left_on_disk(world.secrets) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300, 302))
def test_prove_alone_by_link(world, seed):
    for findings in alone_by_link(world, seed, mixed=20, teachers=8):
        assert not attacker.linked(findings), in_words(findings)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 203))
def test_prove_two_dumps(world, seed):
    assert two_dumps(world, seed, moments=8, by_link=16, by_meeting=4, teachers=10) >= 28


# ------------------------------------------------------------------------------------------------ the attacker can fail us
def a_column_with_the_order(world: World, keys: dict[str, str]) -> None:
    """When each was done, roughly, stands with the responses."""
    _execute("ALTER TABLE surveys_sealedresponse ADD COLUMN planted integer")
    for person in world.persons:
        _execute(
            "UPDATE surveys_sealedresponse SET planted = %s WHERE key = %s",
            person.seen["done"] // 3,
            keys[person.content],
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


def handles_in_the_log(world: World, keys: dict[str, str]) -> None:
    """The address of a request, as a proxy writes it, beside the row that it was about; in hand is the browser's history."""
    world.log += [f"GET {person.history[-1]} {keys[person.content]}" for person in world.persons if person.history]


def one_transaction(world: World, keys: dict[str, str]) -> None:
    """The invitee is written in the transaction that writes the response."""
    for person in world.persons:
        if person.email:
            with transaction.atomic():
                Invitee.objects.filter(email=person.email).update(opted_out=True)
                SealedResponse.objects.filter(key=keys[person.content]).update(eligibility="yes")


def _execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _clean() -> None:
    """Take the planted column and table away again."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS planted")
        columns = {c.name for c in connection.introspection.get_table_description(cursor, "surveys_sealedresponse")}
        if "planted" in columns:
            cursor.execute("ALTER TABLE surveys_sealedresponse DROP COLUMN planted")


def test_the_same_attacker_links_once_a_leak_is_planted(world):
    collect(world, seed=3, **TEAMS)
    seal_all()
    sealed = SealedResponse.objects.values_list("key", "answers")
    keys = {json.dumps(answers, sort_keys=True): key for key, answers in sealed}
    leaks = [a_column_with_the_order, a_table_with_both, lines_of_the_log, handles_in_the_log]
    if connection.vendor == "postgresql":
        leaks.append(one_transaction)  # SQLite keeps no number of the transaction with a row
    for leak in leaks:
        lines = list(world.log)
        try:
            leak(world, keys)
            findings = attacker.linked(attacker.attack(world.dump(), world.persons))
        finally:
            _clean()
        assert findings, f"{leak.__name__} is not found"
        assert max(finding.right for finding in findings) > TEAMS["by_link"] * TEAMS["teachers"] / 3
        world.log[:] = lines


def test_chance_is_counted_exactly():
    """Against all permutations of two small teams."""
    counted = [0] * 8
    for permutation in itertools.permutations(range(4)):
        for other in itertools.permutations(range(3)):
            counted[sum(n == m for own in (permutation, other) for n, m in enumerate(own))] += 1
    for right in range(8):
        assert attacker.by_chance(right, (4, 3)) == pytest.approx(sum(counted[right:]) / sum(counted))
    exact = [1, 0.5 + 0.5 * 0.25, 0.5 * 0.25, 0]  # of two guesses at least none, one, both, three
    assert [attacker.at_least(right, [0.5, 0.25]) for right in range(4)] == pytest.approx(exact)
