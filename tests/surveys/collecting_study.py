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
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import mail as django_mail
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from kombu import Connection

from config.celery import app
from surveys import tasks
from surveys.answering import limits
from surveys.answering.handles import handle_of
from surveys.collecting import collections
from surveys.linking import personal_links
from surveys.models import Collection, LinkSecret, PaperForm, Response, Slip
from surveys.paper import entry, slips
from surveys.questionnaires.publishing import definition_of
from teams.mail import outbox
from teams.models import Job, OutboxMessage, Participation, User
from teams.studies.setting_up import let_work
from tests.surveys import attacker
from tests.surveys.attacker import Dump, Person
from tests.surveys.conftest import make_participation, make_study, make_survey
from tests.surveys.teacher import at, begin, hidden, post
from tests.surveys.web import Browser
from tests.teams.test_mail_server import Moody

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
        return [replace(p, seen={}) for p in persons if p.email]

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


def collect(
    world: World, seed: int, by_link: int, by_meeting: int, teachers: int, moments: int = 4, mixed: int = 0
) -> None:
    """Everybody answers, mixed; at some moments a dump is taken.

    In ``mixed`` teams one person answers by link and all others in the meeting, none of them on paper: of a form the dump says
    which answer it became, so where all others used paper the one that is left is known (docs/data-protection.md).
    """
    chance = random.Random(seed)
    limits.forget()
    study = make_study(slips=True)
    survey = make_survey(study)
    for n in range(by_link + by_meeting + mixed):
        mode = Participation.Mode.ONLINE if n < by_link else Participation.Mode.CONTACT
        make_participation(study, f"Team {n}", mode, approached=teachers)
    collections.open_survey(survey, "f" * 64)
    codes = definition_of(survey.version).item_codes
    ordered = list(survey.collections.order_by("pk"))
    alone = ordered[len(ordered) - mixed :]
    for collection in ordered:
        n_links = 1 if collection in alone else teachers * (collection.mode == Participation.Mode.ONLINE)
        personal_links.issue_links(collection, [f"{chance.getrandbits(64):x}@noord.example" for _ in range(n_links)])
        for invitee in collection.invitees.order_by("?"):
            token = personal_links.personal_url(invitee).rsplit("/", 1)[1]
            world.persons.append(Person(collection.pk, invitee.email, token, personal_links.response_key(invitee)))
            world.secrets.add(world.persons[-1].key)
        if n_links < teachers:
            drawn = slips.make(collection, teachers - n_links)
            world.persons += [Person(collection.pk, slip=code) for code in drawn]
    hashes = set(Slip.objects.values_list("code_hash", flat=True))
    outbox.send_due()
    look = _onlookers(survey.collections.filter(mode=Participation.Mode.CONTACT), study)
    steps: list[list[Callable[[], None]]] = []
    for person in world.persons:
        answers = {code: chance.randint(1, 4) for code in codes}
        on_paper = not person.token and person.team not in {collection.pk for collection in alone}
        if on_paper and chance.random() < 0.3:
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
                    personal_links.remind(collection)
                send_with_a_failing_server()
    for collection in Collection.objects.filter(mode=Participation.Mode.CONTACT):
        while entry.next_to_type_again(collection):
            pass
        for form in PaperForm.objects.filter(collection=collection).exclude(state=PaperForm.State.WRITTEN):
            entry.finish(form, form.first)
        entry.write(collection)
    world.secrets |= hashes
    world.secrets |= set(Response.objects.values_list("key", flat=True))
    for nonce, token_hash in LinkSecret.objects.values_list("nonce", "token_hash"):
        world.secrets |= {nonce, token_hash}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as autovacuum does of itself: it keeps samples of the columns


def send_with_a_failing_server() -> None:
    """The worker sends; the server is away at first, then refuses some for now, breaks off at one, and takes the rest."""
    later = smtplib.SMTPRecipientsRefused({"": (451, b"later")})
    if not OutboxMessage.objects.filter(state=OutboxMessage.State.QUEUED).exists():
        return  # no team answers by link alone
    with override_settings(EMAIL_BACKEND="tests.teams.test_mail_server.Moody"):
        Moody.at_the_door, Moody.at_a_mail = ConnectionRefusedError(), []
        outbox.send_due()
        Moody.at_the_door = None
        Moody.at_a_mail = [None, later, None, later, None, smtplib.SMTPServerDisconnected("gone"), later]
        for _n in range(8):
            Job.objects.update(due_at=None)
            OutboxMessage.objects.filter(state=OutboxMessage.State.QUEUED).update(due_at=timezone.now())
            outbox.send_due()
    assert not OutboxMessage.objects.filter(state=OutboxMessage.State.QUEUED).exists()
    assert Job.objects.get().attempts == 1, "one was lost"


def _on_paper(world: World, person: Person, answers: dict[str, Any]) -> list[Callable[[], None]]:
    """Hands in a form; it is typed, typed again and added, at moments that somebody may have seen."""
    collection = Collection.objects.get(pk=person.team)
    form: list[PaperForm] = []

    def types() -> None:
        person.seen["began"] = next(_clock)
        form.append(entry.new_form(collection))
        entry.finish(form[0], {"answers": answers, "eligibility": "yes"})

    def again() -> None:
        person.seen["done"] = next(_clock)
        typed = PaperForm.objects.get(pk=form[0].pk)
        if typed.state == PaperForm.State.ONCE:  # nobody else took it
            typed = entry.next_to_type_again(collection) or typed
        entry.finish(typed, typed.first)

    def adds() -> None:
        entry.write(collection)
        person.content = json.dumps(answers, sort_keys=True)

    return [types, again, adds]


def _steps(world: World, person: Person, answers: dict[str, Any], submits: bool) -> list[Callable[[], None]]:
    """What one teacher's browser does, request by request."""
    browser = world.browser()
    half = dict(list(answers.items())[:18])
    key: list[str] = []

    def opens() -> None:
        world.browser().get(reverse("personal_link", args=[person.token]))
        opened = browser.get(reverse("personal_link", args=[person.token]))
        person.history.append(opened["Location"])
        welcome = browser.get(opened["Location"])
        assert welcome.status_code == 200, welcome.content

    def begins() -> None:
        person.seen["began"] = next(_clock)
        if person.token:
            begun = browser.post(reverse("answer_start"), {"link": person.token, "consent": "yes"})
            assert begun.status_code == 303
            key.append(hidden(browser.get(begun["Location"]), "key"))
        else:
            key.append(begin(browser, Collection.objects.get(pk=person.team).meeting, person.slip))
        person.history += [at(name, key[0]) for name in ("questionnaire", "answer_done")]
        world.secrets.add(handle_of(key[0]))
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
    let_work(study, user)
    roos, cora = Client(), Client()
    roos.force_login(user)
    meetings = [collection.meeting for collection in meeting_teams]
    for meeting in meetings:
        cora.get("/f/" + personal_links.facilitator_url(meeting).partition("/f/")[2])

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
