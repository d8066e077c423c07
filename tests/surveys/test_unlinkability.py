"""An attacker (attacker.py) with all there is to hold links nobody to an answer; and the same one does, where one can.

Every test plays five teams that answer by link and two that meet, as browsers do: links are opened twice (a mail scanner
does), people begin, save and hand in mixed with each other, a round of reminders goes out. All by a seed, but for the
secrets that the product draws; the bound says that chance fails a test less than once in a million times.
"""

import copy
import itertools
import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail as django_mail
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from kombu import Connection

from config.celery import app
from surveys import collections, limits, links, tasks
from surveys.models import Collection, Invitee, Response
from surveys.questionnaires import definition_of
from teams import mail
from teams.models import Participation
from tests.surveys import attacker
from tests.surveys.attacker import Dump, Finding, Person
from tests.surveys.conftest import make_participation, make_study, make_survey
from tests.surveys.teacher import begin, hidden, post

pytestmark = pytest.mark.django_db(transaction=True)

BY_LINK, BY_MEETING, TEACHERS = 5, 2, 8
MOMENTS = 4


@dataclass
class Study:
    """A study that is being collected, and what stands beside its database."""

    folder: Path
    log: list[str]
    persons: list[Person] = field(default_factory=list)
    moments: list[tuple[Dump, list[Person]]] = field(default_factory=list)

    def dump(self) -> Dump:
        dump = attacker.dump_database()
        dump["log"] = [{"n": n, "line": line} for n, line in enumerate(self.log)]
        dump["broker"] = attacker.files(self.folder)
        dump["seal list"] = attacker.files(Path(django_settings.SEAL_LIST).parent / "sealed")
        dump["mails"] = [
            {"n": n, "to": letter.to[0], "text": letter.body, "headers": str(letter.extra_headers)}
            for n, letter in enumerate(django_mail.outbox)
        ]
        return dump

    def keys(self) -> list[bytes]:
        return [path.read_bytes() for path in Path(django_settings.COLLECTION_KEYS_DIR).glob("*")]

    def without_sight(self, persons: list[Person]) -> list[Person]:
        """The persons as somebody knows them who was not in the room: of a meeting, nobody."""
        return [Person(p.team, p.email, p.token, content=p.content) for p in persons if p.email]


@pytest.fixture
def world(db: None, tmp_path: Path, monkeypatch, settings) -> Study:
    """Messages go to a real folder, the log is kept as the server writes it."""
    settings.SEAL_LIST = tmp_path / "sealed" / "list.txt"
    folder = tmp_path / "broker"
    (folder / "control").mkdir(parents=True)
    options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder / "control"}
    send = app.send_task

    def to_folder(name: str, **given: Any) -> Any:
        with Connection("filesystem://", transport_options=options) as broker:
            return send(name, connection=broker, **given)

    monkeypatch.setattr(app, "send_task", to_folder)
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Lines()
    handler.setFormatter(logging.Formatter(**_format(settings.LOGGING["formatters"]["line"])))
    monkeypatch.setattr(logging.getLogger(), "handlers", [*logging.getLogger().handlers, handler])
    logging.getLogger().setLevel(logging.INFO)
    return Study(folder, lines)


def _format(line: dict[str, str]) -> dict[str, str]:
    return {"fmt": line["format"], "datefmt": line["datefmt"]}


def collect(world: Study, seed: int, remind: bool = True) -> None:
    """Everybody answers, mixed; at some moments a dump is taken."""
    chance = random.Random(seed)
    limits.forget()
    study = make_study()
    survey = make_survey(study)
    for n in range(BY_LINK + BY_MEETING):
        mode = Participation.Mode.ONLINE if n < BY_LINK else Participation.Mode.CONTACT
        make_participation(study, f"Team {n}", mode, approached=TEACHERS)
    collections.open_survey(survey, "f" * 64)
    codes = definition_of(survey.version).item_codes
    steps: list[list[Callable[[], None]]] = []
    for collection in survey.collections.order_by("pk"):
        if collection.mode == Participation.Mode.ONLINE:
            emails = [f"{chance.getrandbits(64):x}@noord.example" for _ in range(TEACHERS)]
            links.issue_links(collection, emails)
            for invitee in collection.invitees.order_by("?"):
                token = links.personal_url(invitee).rsplit("/", 1)[1]
                world.persons.append(Person(collection.pk, invitee.email, token))
        else:
            world.persons += [Person(collection.pk) for _ in range(TEACHERS)]
    mail.send_due()
    for person in world.persons:
        answers = {code: chance.randint(1, 4) for code in codes}
        steps.append(_steps(person, answers, submits=chance.random() < 0.85))
    left = [n for n, own in enumerate(steps) for _ in own]
    chance.shuffle(left)
    for done, n in enumerate(left, 1):
        steps[n].pop(0)()
        if done % (len(left) // MOMENTS) == 0:
            begun = [copy.copy(person) for person in world.persons if person.content]
            world.moments.append((world.dump(), begun))
            if remind and done == len(left) // MOMENTS * 2:
                for collection in Collection.objects.filter(mode=Participation.Mode.ONLINE):
                    links.remind(collection)
                mail.send_due()


def _steps(person: Person, answers: dict[str, Any], submits: bool) -> list[Callable[[], None]]:
    """What one teacher's browser does, request by request."""
    browser = Client(enforce_csrf_checks=True)
    half = dict(list(answers.items())[:18])
    key: list[str] = []

    def opens() -> None:
        Client().get(reverse("personal_link", args=[person.token]))
        browser.get(reverse("personal_link", args=[person.token]))
        assert browser.get(reverse("personal_welcome")).status_code == 200

    def begins() -> None:
        person.seen["began"] = next(_clock)
        if person.token:
            assert browser.post(reverse("answer_start"), {"link": person.token, "consent": "yes"}).status_code == 303
            key.append(hidden(browser.get(reverse("questionnaire")), "key"))
        else:
            key.append(begin(browser, Collection.objects.get(pk=person.team).meeting))
        saves(1, half)

    def saves(number: int, what: dict[str, Any], name: str = "answer_save") -> None:
        answer = post(browser, name, key=key[0], sequence=number, answers=what, eligibility="yes", language="nl")
        assert answer.status_code == 200
        person.content = json.dumps(what, sort_keys=True)

    def ends() -> None:
        person.seen["done"] = next(_clock)
        saves(3, {**answers, "GV1": 4}, "answer_submit" if submits else "answer_save")

    return [*([opens] if person.token else []), begins, lambda: saves(2, answers), ends]


def _ticks():
    n = 0
    while True:
        n += 1
        yield n


_clock = _ticks()


def seal_all() -> None:
    for collection in Collection.objects.all():
        collections.close_collection(collection)
        collections.seal_now(collection)
    tasks.seal_due_collections()
    assert set(Collection.objects.values_list("state", "sealing")) == {(Collection.State.SEALED, False)}


def told(findings: list[Finding]) -> str:
    return "\n".join(f"{f.right:3} right, by chance {f.chance:.1e}: {f.how}" for f in findings[:10])


def test_after_sealing_nobody_is_linked_with_everything_in_hand(world):
    """All tables, hidden columns, sequences, log, messages, mails with all links, and who was seen to answer when."""
    collect(world, seed=1)
    seal_all()
    assert not world.keys()
    findings = attacker.attack(world.dump(), world.persons, world.keys())
    assert len(findings) > 100, "it tried"
    assert not attacker.linked(findings), told(findings)


def test_two_dumps_of_collecting_link_nobody_without_the_keys_and_everybody_with_them(world):
    collect(world, seed=2, remind=False)
    dumps = world.moments
    assert len(dumps) >= MOMENTS
    for n, (first, _) in enumerate(dumps):
        for second, begun in dumps[n + 1 :]:
            findings = attacker.attack(_of_links(attacker.compared(first, second)), world.without_sight(begun))
            assert not attacker.linked(findings), told(findings)
    last, begun = dumps[-1]
    found = attacker.linked(attacker.attack(_of_links(last), world.without_sight(begun), world.keys()))
    assert found, "with the keys the same attacker links"
    assert found[0].right == BY_LINK * TEACHERS


def _of_links(dump: Dump) -> Dump:
    """Only the responses of teams that answer by link: whoever was not in the room knows nobody of the others."""
    teams = {row["id"] for row in dump["surveys_collection"] if row["mode"] == "online"}
    return {**dump, attacker.RESPONSES: [row for row in dump[attacker.RESPONSES] if row["collection_id"] in teams]}


# ------------------------------------------------------------------------------------------------ the attacker can fail us
def a_column_with_the_order(world: Study, keys: dict[str, str]) -> None:
    """When each was done, roughly, stands with the responses."""
    _execute("ALTER TABLE surveys_response ADD COLUMN planted integer")
    for person in world.persons:
        _execute(
            "UPDATE surveys_response SET planted = %s WHERE key = %s", person.seen["done"] // 3, keys[person.content]
        )


def a_table_with_both(world: Study, keys: dict[str, str]) -> None:
    """A log of changes, say: the number of the invitee and the key of the response in one row."""
    _execute("CREATE TABLE planted (id integer primary key, about integer, what varchar(60))")
    numbers = dict(Invitee.objects.values_list("email", "pk"))
    for n, person in enumerate(world.persons):
        if person.email:
            values = n + 1, numbers[person.email], keys[person.content]
            _execute("INSERT INTO planted (id, about, what) VALUES (%s, %s, %s)", *values)


def lines_of_the_log(world: Study, keys: dict[str, str]) -> None:
    world.log += [f"{person.email} has answered: {keys[person.content]}" for person in world.persons if person.email]


def one_transaction(world: Study, keys: dict[str, str]) -> None:
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
    collect(world, seed=3)
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
        assert max(finding.right for finding in found) > BY_LINK * TEACHERS / 3
        world.log[:] = lines


def test_chance_is_counted_exactly():
    """Against all permutations of two small teams."""
    counted = [0] * 8
    for one in itertools.permutations(range(4)):
        for other in itertools.permutations(range(3)):
            counted[sum(n == m for own in (one, other) for n, m in enumerate(own))] += 1
    for right in range(8):
        assert attacker.by_chance(right, (4, 3)) == pytest.approx(sum(counted[right:]) / sum(counted))
