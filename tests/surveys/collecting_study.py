"""A study that is being collected, and all that an attacker can get hold of: what test_unlinkability.py attacks.

Teams answer by link or meet, there some on paper, as browsers do it: links are opened twice (a mail scanner does), people begin, save and hand in
mixed with each other, a round of reminders goes out, a researcher and a facilitator look at the counts meanwhile. All by
a seed, but for the secrets that the product draws.
"""

import copy
import itertools
import json
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import mail as django_mail
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from kombu import Connection

from config.celery import app
from surveys import collections, limits, links, paper, tasks
from surveys.models import Collection, Invitee, PaperForm, Response
from surveys.questionnaires import definition_of
from teams import mail
from teams.models import Participation, Role, User
from tests.surveys import attacker
from tests.surveys.attacker import Dump, Person
from tests.surveys.conftest import make_participation, make_study, make_survey
from tests.surveys.teacher import begin, hidden, post
from tests.surveys.web import Browser

_clock = itertools.count(1)


@dataclass
class World:
    """A study that is being collected, and what stands beside its database."""

    folder: Path
    log: list[str] = field(default_factory=list)
    persons: list[Person] = field(default_factory=list)
    moments: list[tuple[Dump, list[Person]]] = field(default_factory=list)
    address: str = ""  # of the web server; without one Django's test client asks the pages
    secrets: set[str] = field(default_factory=set)  # what names a response or an invitee before sealing

    def dump(self) -> Dump:
        dump = attacker.dump_database()
        dump["log"] = [{"n": n, "line": line} for n, line in enumerate(self.log)]
        for name in ("broker", "web", "sealed"):
            dump[f"files of {name}"] = attacker.files(self.folder / name, leave_out=("static", "secrets"))
        web_log = self.folder / "web" / "web.log"
        lines = web_log.read_text().splitlines() if web_log.exists() else []
        dump["web log"] = [{"n": n, "line": line} for n, line in enumerate(lines)]
        dump["mails"] = [
            {"n": n, "to": letter.to[0], "text": letter.body, "headers": str(letter.extra_headers)}
            for n, letter in enumerate(django_mail.outbox)
        ]
        return dump

    def keys(self) -> list[bytes]:
        return [path.read_bytes() for path in Path(settings.COLLECTION_KEYS_DIR).glob("*")]

    def without_sight(self, persons: list[Person]) -> list[Person]:
        """The persons as somebody knows them who was not in the room: of a meeting, nobody."""
        return [Person(p.team, p.email, p.token, content=p.content) for p in persons if p.email]

    def browser(self) -> Any:
        return Browser(self.address) if self.address else Client(enforce_csrf_checks=True)


@contextmanager
def watched(folder: Path) -> Iterator[World]:
    """Messages go to a real folder, the log is kept as the server writes it."""
    world = World(folder)
    broker = folder / "broker"
    (broker / "control").mkdir(parents=True)
    options = {"data_folder_in": broker, "data_folder_out": broker, "control_folder": broker / "control"}
    send = app.send_task

    def to_folder(name: str, **given: Any) -> Any:
        with Connection("filesystem://", transport_options=options) as to:
            return send(name, connection=to, **given)

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            world.log.append(self.format(record))

    handler, root = Lines(), logging.getLogger()
    line = settings.LOGGING["formatters"]["line"]
    handler.setFormatter(logging.Formatter(line["format"], line["datefmt"]))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    app.send_task = to_folder
    places = override_settings(SEAL_LIST=folder / "sealed" / "list.txt", COLLECTION_KEYS_DIR=folder / "keys")
    try:
        with places:
            yield world
    finally:
        app.send_task = send
        root.removeHandler(handler)


def collect(world: World, seed: int, by_link: int, by_meeting: int, teachers: int, moments: int = 4) -> None:
    """Everybody answers, mixed; at some moments a dump is taken."""
    chance = random.Random(seed)
    limits.forget()
    study = make_study()
    survey = make_survey(study)
    for n in range(by_link + by_meeting):
        mode = Participation.Mode.ONLINE if n < by_link else Participation.Mode.CONTACT
        make_participation(study, f"Team {n}", mode, approached=teachers)
    collections.open_survey(survey, "f" * 64)
    codes = definition_of(survey.version).item_codes
    for collection in survey.collections.order_by("pk"):
        if collection.mode == Participation.Mode.ONLINE:
            links.issue_links(collection, [f"{chance.getrandbits(64):x}@noord.example" for _ in range(teachers)])
            for invitee in collection.invitees.order_by("?"):
                token = links.personal_url(invitee).rsplit("/", 1)[1]
                world.persons.append(Person(collection.pk, invitee.email, token))
        else:
            world.persons += [Person(collection.pk) for _ in range(teachers)]
    mail.send_due()
    look = _onlookers(survey.collections.filter(mode=Participation.Mode.CONTACT), study)
    steps: list[list[Callable[[], None]]] = []
    for person in world.persons:
        answers = {code: chance.randint(1, 4) for code in codes}
        if not person.token and chance.random() < 0.3:
            steps.append(_on_paper(world, person, answers))
        else:
            steps.append(_steps(world, person, answers, submits=chance.random() < 0.85))
    left = [n for n, own in enumerate(steps) for _ in own]
    chance.shuffle(left)
    for done, n in enumerate(left, 1):
        steps[n].pop(0)()
        if done % (len(left) // moments) == 0:
            look()
            begun = [copy.copy(person) for person in world.persons if person.content]
            world.moments.append((world.dump(), begun))
            if done == len(left) // moments * (moments // 2):
                for collection in Collection.objects.filter(mode=Participation.Mode.ONLINE):
                    links.remind(collection)
                mail.send_due()
    for collection in Collection.objects.filter(mode=Participation.Mode.CONTACT):
        while paper.next_to_type_again(collection):
            pass
        for form in PaperForm.objects.filter(collection=collection).exclude(state=PaperForm.State.WRITTEN):
            paper.finish(form, form.first)
        paper.write(collection)
    world.secrets |= set(Response.objects.values_list("key", flat=True))
    for nonce, token_hash in Invitee.objects.values_list("nonce", "token_hash"):
        world.secrets |= {nonce, token_hash}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as autovacuum does of itself: it keeps samples of the columns


def _on_paper(world: World, person: Person, answers: dict[str, Any]) -> list[Callable[[], None]]:
    """Hands in a form; it is typed, typed again and added, at moments that somebody may have seen."""
    collection = Collection.objects.get(pk=person.team)
    form: list[PaperForm] = []

    def types() -> None:
        person.seen["began"] = next(_clock)
        form.append(paper.new_form(collection))
        paper.finish(form[0], {"answers": answers, "eligibility": "yes"})

    def again() -> None:
        person.seen["done"] = next(_clock)
        found = PaperForm.objects.get(pk=form[0].pk)
        if found.state == PaperForm.State.ONCE:  # nobody else took it
            found = paper.next_to_type_again(collection) or found
        paper.finish(found, found.first)

    def adds() -> None:
        paper.write(collection)
        person.content = json.dumps(answers, sort_keys=True)

    return [types, again, adds]


def _steps(world: World, person: Person, answers: dict[str, Any], submits: bool) -> list[Callable[[], None]]:
    """What one teacher's browser does, request by request."""
    browser = world.browser()
    half = dict(list(answers.items())[:18])
    key: list[str] = []

    def opens() -> None:
        world.browser().get(reverse("personal_link", args=[person.token]))
        browser.get(reverse("personal_link", args=[person.token]))
        welcome = browser.get(reverse("personal_welcome"))
        assert welcome.status_code == 200, welcome.content

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


def _onlookers(meeting_teams: Any, study: Any) -> Callable[[], None]:
    """A researcher who is signed in and the facilitators look at the counts: sessions, and reads between the writes."""
    user = User.objects.create_user("roos@noord.example", "correct horse battery", name="Roos de Wit")
    Role.objects.create(user=user, kind=Role.Kind.RESEARCHER, study=study)
    roos, cora = Client(), Client()
    roos.force_login(user)
    meetings = [collection.meeting for collection in meeting_teams]
    for meeting in meetings:
        cora.get("/f/" + links.facilitator_url(meeting).partition("/f/")[2])

    def look() -> None:
        assert roos.get(reverse("collecting", args=[study.slug])).status_code == 200
        for meeting in meetings[-1:]:
            assert cora.get(reverse("facilitator_counts", args=[meeting.pk])).status_code == 200

    return look


def seal_all() -> None:
    for collection in Collection.objects.all():
        collections.close_collection(collection)
        collections.seal_now(collection)
    tasks.seal_due_collections()
    assert set(Collection.objects.values_list("state", "sealing")) == {(Collection.State.SEALED, False)}
