"""An attacker who holds everything and tries to link persons to responses. It knows no table by name but one.

A dump is every table of the database, whatever there is, with the columns that the database keeps for itself, and beside it
every file, log line, message and mail that it was given. From what it knows of a person (address, link) it walks to every
row that holds something of that person, in text or by number, and takes each column of these rows as a *trait* of the
person; in the same way it takes traits of the responses. Then it pairs persons and responses, within their team, by every
trait of the one with every trait of the other: by equality (joins, transactions, log lines) and by rank (order, time). So a
new table or column that makes linking possible is found without a change here.

What counts is how many pairs are right. Each pairing is one to one, so by chance the right ones in a team are the fixed
points of a random permutation: their distribution is known exactly (`by_chance`). The attacker tries many pairings, and
one of them counts as a link if even so it would come about by chance less than once in a million such attacks.
"""

import base64
import functools
import hashlib
import itertools
import json
import math
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from django.db import connection

from surveys.keys.row_keys import row_key
from surveys.linking.personal_links import _response_key
from teams.base import sweeping

Row = dict[str, Any]
Dump = dict[str, list[Row]]
Traits = dict[str, list[Any]]

RESPONSES = ("surveys_response", "surveys_sealedresponse")  # open ones and sealed ones
ONCE_IN = 1e-6
SWEEPS = 40


@dataclass
class Person:
    """Who took part, and what the attacker knows of them: the team, the address, the link, the browser's history, perhaps the order seen."""

    team: int
    email: str = ""
    token: str = ""
    key: str = ""  # of the response, as the server gives it to whoever holds the link
    slip: str = ""  # the code of the slip that this person drew in the meeting and left on the table
    history: list[str] = field(default_factory=list)  # addresses in this person's browser, each with a handle
    seen: Row = field(default_factory=dict)  # what somebody in the room saw: when this person began and was done
    content: str = ""  # the truth, which the attacker does not look at


@dataclass(frozen=True)
class Finding:
    """How well one pairing did, and how often chance does as well."""

    how: str
    right: int
    chance: float


# ------------------------------------------------------------------------------------------------ what it holds
def dump_database() -> Dump:
    """Every table in the order of the disk, with the hidden columns, and the sequences."""
    dump: Dump = {}
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        if connection.vendor == "postgresql":
            hidden, order = "ctid::text _ctid, xmin::text _xmin, xmax::text _xmax, cmin::text _cmin", "ctid"
            dump["sequences"] = _rows(cursor, "SELECT * FROM pg_sequences")
        else:
            hidden, order = "rowid _rowid", "rowid"
            dump["sequences"] = _rows(cursor, "SELECT * FROM sqlite_sequence")
        for table in tables:
            name = connection.ops.quote_name(table)
            dump[table] = _rows(cursor, f"SELECT {hidden}, t.* FROM {name} t ORDER BY {order}")
    return dump


def _rows(cursor: Any, query: str) -> list[Row]:
    cursor.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def disk() -> dict[str, bytes]:
    """The bytes of every file in which the database keeps tables, indexes and statistics, and on SQLite its log.

    PostgreSQL's own write-ahead log is not among them: the rule for backups answers it (docs/data-protection.md).
    """
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        return {file.name: file.read_bytes() for file in path.parent.glob(f"{path.name}*")}
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")  # what is in memory gets to the disk, and files of before go
        cursor.execute(
            "SELECT relname, path FROM pg_class, pg_relation_filepath(oid) AS path"
            " WHERE relkind IN ('r', 'i', 't', 'm') AND path IS NOT NULL"
        )
        named = {path: name for name, path in cursor.fetchall()}
        # all of its folder: the rest of large tables, maps, and whatever no table owns any more
        cursor.execute(
            "SELECT path, pg_read_binary_file(path, 0, size, true) FROM (SELECT 'base/' || pg_database.oid || '/' || file"
            " AS path FROM pg_database, pg_ls_dir('base/' || pg_database.oid) AS file WHERE datname = current_database())"
            " AS files, pg_stat_file(path, true)"
        )
        return {named.get(path, path): bytes(content) for path, content in cursor.fetchall() if content is not None}


def left_on_disk(names: Iterable[str]) -> dict[str, int]:
    """How many of the names stand in each file of the database, where any does; freed pages included."""
    wanted = [name.encode() for name in names if len(name) >= 16]
    counted = {file: sum(name in content for name in wanted) for file, content in disk().items()}
    return {file: n for file, n in counted.items() if n}


def swept() -> bool:
    """Sweep what is due, waking up as often as beat would: PostgreSQL's own vacuum may hold a table. Whether there was any."""
    for _n in range(SWEEPS):
        try:
            return sweeping.sweep_due()
        except sweeping.SweepDelayed:
            time.sleep(0.5)
    raise AssertionError("The sweep was put off for ever.")


def responses_of(dump: Dump) -> list[Row]:
    """The rows of all responses, those of each table in the order of the disk."""
    return [row for table in RESPONSES for row in dump[table]]


def with_places(dump: Dump) -> Dump:
    """The dump, each response with where its key stands in each file of the database."""
    dump = dump | {table: [dict(row) for row in dump[table]] for table in RESPONSES}
    rows = responses_of(dump)
    for file, content in disk().items():
        places = [content.find(row["key"].encode()) for row in rows]
        if max(places, default=-1) >= 0:
            for row, place in zip(rows, places, strict=True):
                row[f"_place in {file}"] = place
    return dump


def files(folder: Path, leave_out: tuple[str, ...] = ()) -> list[Row]:
    """What stands in the files of a folder, in the order of their times."""
    files = (path for path in folder.rglob("*") if not set(path.relative_to(folder).parts) & set(leave_out))
    paths = sorted((path for path in files if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
    return [{"name": path.name, "text": _readable(path.read_bytes().decode("latin-1"))} for path in paths]


def _readable(text: str) -> str:
    """A message of the broker with its body, which is written in base64."""
    body = re.search(r'"body": "([A-Za-z0-9+/=]+)"', text)
    return f"{text} {base64.b64decode(body[1]).decode()}" if body else text


def compared(first: Dump, second: Dump) -> Dump:
    """The second dump, each row with what it was in the first one."""
    both: Dump = {}
    for table, rows in second.items():
        then = {row.get("id", row.get("key", n)): row for n, row in enumerate(first.get(table, []))}
        both[table] = []
        for n, row in enumerate(rows):
            old = then.get(row.get("id", row.get("key", n)))
            both[table].append(
                {
                    **row,
                    "_new": old is None,
                    "_changed": old != row,
                    **{f"then {column}": value for column, value in (old or {}).items()},
                }
            )
    return both


# ------------------------------------------------------------------------------------------------ what it does
def attack(
    dump: Dump, persons: list[Person], keys: Iterable[bytes] = (), *, secret: bool = False, seed: int = 1
) -> list[Finding]:
    """Pair persons and responses in every way there is. The findings, the one least likely by chance first.

    :param keys: the keys of collections that the attacker got hold of
    :param secret: whether the attacker has the server's SECRET_KEY too
    """
    chooser = random.Random(seed)
    responses = responses_of(dump)
    teams = _teams(dump, persons, responses)
    of_persons = _traits_of_persons(dump, persons, list(keys), secret)
    of_responses = _traits([[row["key"]] for row in responses], dump, [])
    columns = dict.fromkeys(column for row in responses for column in row)
    of_responses |= {f"response {column}": [row.get(column) for row in responses] for column in columns}
    position = [(team, person, response) for team, (person, response) in teams.items()]
    of_persons = _telling(of_persons, [mine for _, mine, _ in position])
    of_responses = _telling(of_responses, [theirs for _, _, theirs in position])
    truth = {row["answers"] if isinstance(row["answers"], str) else repr(row["answers"]): None for row in responses}
    assert len(truth) == len(responses), "each response is told apart by its content"
    own = _own_responses(persons, [_content(row["answers"]) for row in responses], position)
    ranks = _Ranks(of_persons, of_responses, position, own, chooser)
    findings = []
    sizes = tuple(len(mine) for _, mine, _ in position)
    for (n, (mine, values)), (m, (theirs, others)) in itertools.product(
        enumerate(of_persons.items()), enumerate(of_responses.items())
    ):
        right = {"in order": int(ranks.in_order[n, m]), "in reverse order": int(ranks.reversed[n, m])}
        if {_text(value) for value in values if _text(value)} & {_text(value) for value in others}:
            pairs = _by_equality(values, others, position, chooser)
            right["equal"] = sum(own[person] == response for person, response in pairs)
        for how, n_right in right.items():
            findings.append(Finding(f"{mine} – {theirs}, {how}", n_right, by_chance(n_right, sizes)))
        findings.append(Finding(f"{mine} – {theirs}, rank correlation", 0, float(ranks.drift[n, m])))
    return sorted(findings, key=lambda finding: finding.chance)


def single_out(dump: Dump, persons: list[Person], seed: int = 1) -> list[Finding]:
    """Find the one answer of each team that came by a link, where everybody else of the team met. The attacker knows who that was.

    By every trait of the responses, in every way in which one of a team can stand out: the first, the last, the only one with its
    value. How often each of these is right, over all teams that have one such person.
    """
    chooser = random.Random(seed)
    responses = responses_of(dump)
    traits = _traits([[row["key"]] for row in responses], dump, [])
    columns = dict.fromkeys(column for row in responses for column in row)
    traits |= {f"response {column}": [row.get(column) for row in responses] for column in columns}
    contents = [_content(row["answers"]) for row in responses]
    teams = []  # whose answer it is, and all of the team
    for team in sorted({person.team for person in persons}):
        by_link = [person for person in persons if person.team == team and person.token]
        theirs = [n for n, row in enumerate(responses) if row["collection_id"] == team]
        if len(by_link) == 1 and len(theirs) > 1:
            teams.append((next(n for n in theirs if contents[n] == by_link[0].content), theirs))
    findings = []
    chance = [1 / len(theirs) for _own, theirs in teams]
    for name, values in _telling(traits, [theirs for _own, theirs in teams]).items():
        right = {"first": 0, "last": 0, "the only one": 0}
        for own, theirs in teams:
            ranked = _ranked(values, theirs, chooser)
            often = Counter(_text(values[n]) for n in theirs)
            alone = [n for n in theirs if often[_text(values[n])] == 1]
            only = alone[0] if len(alone) == 1 else chooser.choice(theirs)
            for how, guess in zip(right, (ranked[0], ranked[-1], only), strict=True):
                right[how] += guess == own
        findings += [Finding(f"{name}, {how}", n, at_least(n, chance)) for how, n in right.items()]
    return sorted(findings, key=lambda finding: finding.chance)


def at_least(right: int, chance: list[float]) -> float:
    """How likely at least so many of independent guesses are right, each with its own chance: exact."""
    total = [1.0]
    for p in chance:
        total = [a * (1 - p) + b * p for a, b in zip([*total, 0.0], [0.0, *total], strict=True)]
    return sum(total[right:])


def linked(findings: list[Finding]) -> list[Finding]:
    """The pairings that are better than chance, given how many were tried."""
    return [finding for finding in findings if finding.chance * len(findings) < ONCE_IN]


@functools.cache
def by_chance(right: int, sizes: tuple[int, ...]) -> float:
    """How likely at least so many right pairs are, where each team is paired one to one at random: exact."""
    total = [1.0]
    for n in sizes:
        own = [_derangements(n - k) / (math.factorial(k) * math.factorial(n - k)) for k in range(n + 1)]
        total = [
            sum(total[i] * own[k - i] for i in range(max(0, k - n), min(k, len(total) - 1) + 1))
            for k in range(len(total) + n)
        ]
    return sum(total[right:])


# ------------------------------------------------------------------------------------------------ traits
def _traits_of_persons(dump: Dump, persons: list[Person], keys: list[bytes], secret: bool) -> Traits:
    names = [
        [person.email] * bool(person.email)
        + [made for known in (person.token, person.key, person.slip, *_handles(person)) for made in _derived(known)]
        for person in persons
    ]
    rows = _holding(dump, names)
    shared = Counter(id(row) for held in rows for _, row in held)
    numbers: list[dict[str, int]] = []
    for own, held in zip(names, rows, strict=True):
        # what else stands in rows of this person alone names the person too: a nonce, a hash, a number
        alone = [(table, row) for table, row in held if shared[id(row)] == 1]
        texts = {value for _, row in alone for value in row.values() if isinstance(value, str) and len(value) >= 16}
        own += [_response_key(key, text) for key in keys for text in texts if text.isascii()]
        own += [text for text in texts if " " not in text]
        if secret:
            own += [row_key(text) for text in own if len(text) == 43]
        numbers.append({table: row["id"] for table, row in alone if isinstance(row.get("id"), int)})
    traits = _traits(names, dump, numbers)
    for n in range(max(map(len, names))):
        traits[f"name {n}"] = [own[n] if n < len(own) else None for own in names]
    for what in {what for person in persons for what in person.seen}:
        traits[f"seen: {what}"] = [person.seen.get(what) for person in persons]
    return traits


def _handles(person: Person) -> list[str]:
    """What the addresses in a browser's history say of a response, each once."""
    return list(dict.fromkeys(part for path in person.history for part in path.split("/") if len(part) > 10))


def _derived(token: str) -> list[str]:
    """What can be made of a link without a key."""
    if not token:
        return []
    digests = [hashlib.new(kind, token.encode()).digest() for kind in ("md5", "sha1", "sha256", "sha512")]
    encoded = [base64.urlsafe_b64encode(digest).rstrip(b"=").decode() for digest in digests]
    return [token, *(digest.hex() for digest in digests), *encoded]


def _traits(names: list[list[str]], dump: Dump, numbers: list[dict[str, int]]) -> Traits:
    """Each column of the first and of the last row that holds one of the names or, in a column of its own, a number."""
    traits: Traits = {}
    found: dict[str, list[list[Row]]] = defaultdict(lambda: [[] for _ in names])
    for n, held in enumerate(_holding(dump, names)):
        for table, row in held:
            found[table][n].append(row)
    for source in sorted({source for own in numbers for source in own}):
        for table, rows in dump.items():
            columns = [c for c, value in (rows[0] if rows else {}).items() if _is_number(value) or value is None]
            for column in columns:
                index: dict[Any, list[Row]] = defaultdict(list)
                for row in rows:
                    if _is_number(row.get(column)):
                        index[row[column]].append(row)
                matched = [index.get(own.get(source), []) for own in numbers]
                if sum(map(bool, matched)) > len(names) / 4:
                    found[f"{table} by {column} = {source} id"] = matched
    place = {id(row): n for rows in dump.values() for n, row in enumerate(rows)}
    for table, lists in found.items():
        columns = sorted({column for rows in lists for row in rows for column in row})
        for column in columns:
            traits[f"{table} {column}"] = [rows[0].get(column) if rows else None for rows in lists]
            if any(len(rows) > 1 for rows in lists):
                traits[f"{table} {column}, last"] = [rows[-1].get(column) if rows else None for rows in lists]
        traits[f"{table} place"] = [place[id(rows[0])] if rows else None for rows in lists]
        traits[f"{table} how many"] = [len(rows) for rows in lists]
    return traits


def _holding(dump: Dump, names: list[list[str]]) -> list[list[tuple[str, Row]]]:
    """For each list of names, the rows in whose text one of them stands."""
    whose = {name: n for n, own in enumerate(names) for name in own}
    held: list[list[tuple[str, Row]]] = [[] for _ in names]
    for table, rows in dump.items():
        for row in rows:
            words = {
                word.strip(".")
                for value in row.values()
                if isinstance(value, str) and len(value) > 5
                for word in re.findall(r"[\w@.+-]+", value)
            }
            for n in {whose[word] for word in words if word in whose}:
                held[n].append((table, row))
    return held


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _telling(traits: Traits, groups: list[list[int]]) -> Traits:
    """The traits that tell two of the same team apart, each once however many columns hold it."""
    telling: dict[tuple[str, ...], str] = {}
    for name, values in traits.items():
        texts = tuple(map(_text, values))
        if any(len({texts[n] for n in group}) > 1 for group in groups):
            telling.setdefault(texts, name)
    return {name: traits[name] for name in telling.values()}


# ------------------------------------------------------------------------------------------------ pairing
Position = list[tuple[int, list[int], list[int]]]


def _teams(dump: Dump, persons: list[Person], responses: list[Row]) -> dict[int, tuple[list[int], list[int]]]:
    """Persons and responses per team; who took part is given to the attacker for free."""
    teams = {}
    for team in sorted({person.team for person in persons}):
        mine = [n for n, person in enumerate(persons) if person.team == team]
        theirs = [n for n, row in enumerate(responses) if row["collection_id"] == team]
        assert len(mine) == len(theirs)
        if len(mine) > 1:
            teams[team] = (mine, theirs)
    return teams


def _own_responses(persons: list[Person], contents: list[str], position: Position) -> dict[int, int]:
    """The truth: the response of each person, told by its content within the team."""
    return {
        person: next(n for n in theirs if contents[n] == persons[person].content)
        for _team, mine, theirs in position
        for person in mine
    }


class _Ranks:
    """Every trait of persons against every trait of responses by rank within the team, all at once.

    Ties are ranked at random, once per trait. Of each pair of traits: how many persons have the rank of their own response,
    how many have it counted from the other end, and how likely the rank correlation of persons with their own responses
    is by chance, over all teams.
    """

    def __init__(
        self,
        of_persons: Traits,
        of_responses: Traits,
        position: Position,
        own: dict[int, int],
        chooser: random.Random,
    ) -> None:
        order = [person for _team, mine, _theirs in position for person in mine]
        size = np.concatenate([np.full(len(mine), len(mine)) for _team, mine, _theirs in position])

        def ranks(traits: Traits, groups: list[list[int]], whose: list[int]) -> np.ndarray:
            table = np.empty((len(traits), len(whose)), dtype=np.int32)
            for row, values in zip(table, traits.values(), strict=True):
                rank = {person: n for group in groups for n, person in enumerate(_ranked(values, group, chooser))}
                row[:] = [rank[person] for person in whose]
            return table

        left = ranks(of_persons, [mine for _team, mine, _theirs in position], order)
        right = ranks(of_responses, [theirs for _team, _mine, theirs in position], [own[person] for person in order])
        self.in_order = np.array([(row == right).sum(axis=1) for row in left])
        self.reversed = np.array([(size - 1 - row == right).sum(axis=1) for row in left])
        # A sum over teams of independent correlations with exact mean 0 and variance 1/(n − 1); its tails are lighter than
        # the normal ones that are taken here, since a correlation is bounded.
        middle = (size - 1) / 2
        total = ((left - middle) * (12 / (size * (size**2 - 1)))) @ (right - middle).T
        variance = sum(1 / (len(mine) - 1) for _team, mine, _theirs in position)
        self.drift = np.vectorize(math.erfc)(np.abs(total) / math.sqrt(2 * variance))


def _by_equality(
    values: list[Any], others: list[Any], position: Position, chooser: random.Random
) -> list[tuple[int, int]]:
    pairs = []
    for _team, mine, theirs in position:
        free, late = set(theirs), []
        for person in chooser.sample(mine, len(mine)):
            same = sorted(r for r in free if _text(values[person]) and _text(others[r]) == _text(values[person]))
            if same:
                pairs.append((person, chooser.choice(same)))
                free.discard(pairs[-1][1])
            else:
                late.append(person)
        pairs += list(zip(late, chooser.sample(sorted(free), len(free)), strict=True))
    return pairs


def _ranked(values: list[Any], group: list[int], chooser: random.Random) -> list[int]:
    """The group by value; ties at random."""
    return sorted(chooser.sample(group, len(group)), key=lambda n: _sortable(_text(values[n])))


@functools.lru_cache(maxsize=50_000)
def _sortable(text: str) -> tuple[Any, ...]:
    """Numbers as numbers, also those within a text: a place on the disk is (page, item)."""
    parts = re.split(r"(\d+)", text)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _content(answers: Any) -> str:
    """The answers as the truth writes them."""
    return json.dumps(json.loads(answers) if isinstance(answers, str) else answers, sort_keys=True)


def _derangements(n: int) -> int:
    return round(math.factorial(n) / math.e) if n else 1
