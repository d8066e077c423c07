"""Somebody else's answer is never taken for ours: a proxy, a school's filter, a captive portal, a cache, another's JSON.

A device forgets what it keeps, and the page goes on, for our own word alone; everything else is "failed, try again". What the
scripts do is played under Node with a network of every kind (tests/javascript); the server's half is asked here.
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from scripts.setup import ROOT
from surveys.answering import submission
from surveys.models import Response
from tests.surveys.teacher import all_answers, at, begin, hidden, page_of, post
from tests.surveys.test_devices import locked

ECHO = "1234567-89-4294967295"
WAYS = ["save", "submit", "parcel", "delete"]
FORGETS = {"ours": WAYS, "ours, unknown": WAYS, "ours, invalid": ["save", "submit", "parcel"], "ours, other": []}
WHOLE = {"parcel": "locked"}
N_STATUSES, N_OTHERS = 40, 15


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int, str, object, int]]:
    """What became of each case: who answered, with which status, to what, what is still kept, how often was asked."""
    path = os.pathsep.join((str(Path(ROOT, ".venv", "bin")), os.environ["PATH"]))
    bundle = tmp_path_factory.mktemp("javascript") / "table.mjs"
    esbuild = [str(ROOT / "node_modules/.bin/esbuild"), "tests/javascript/answers_of_others.js", f"--outfile={bundle}"]
    options = ["--bundle", "--format=esm", "--platform=node", "--log-level=error"]
    subprocess.run([*esbuild, *options], cwd=ROOT, env={**os.environ, "PATH": path}, check=True)
    node = shutil.which("node", path=path)
    assert node, "Node builds the pages' scripts, so it is there"
    ran = subprocess.run([node, str(bundle)], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return [tuple(json.loads(line)) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize("way", WAYS)
def test_for_nobody_elses_answer_a_device_forgets_anything(table, way):
    whole = WHOLE.get(way, '{"GV1":2,"GV2":3}')
    cells = [(who, status, kept, asked) for who, status, to, kept, asked in table if to == way]
    others = [cell for cell in cells if cell[0] not in FORGETS]
    assert Counter(who for who, *_rest in others) == Counter(dict.fromkeys({c[0] for c in others}, N_STATUSES))
    assert len(others) == N_STATUSES * N_OTHERS
    assert [cell for cell in others if cell[2] != whole] == []
    assert [cell for cell in others if not cell[3]] == [], "each was asked"
    ours = [cell for cell in cells if cell[0] in FORGETS]
    assert len(ours) == 12
    for who, _status, kept, _asked in ours:
        assert kept == (False if way in FORGETS[who] else whole), who


def test_a_draft_goes_to_the_address_of_its_own_response_and_one_of_before_to_that_of_before(table):
    went = [(handle, address) for handle, _status, what, address, _n in table if what == "address"]
    names = ("save", "submit")
    assert went[:2] == [("", f"/a/{name}") for name in names]
    assert went[2:] == [(h, f"/a/{h}/{name}") for h in ("A" * 16, "B" * 16) for name in names]


def test_no_page_of_others_is_kept_as_the_questionnaire_or_its_script(table):
    for to, good in (("language", 1), ("script", True)):
        cells = {(who, status): kept for who, status, what, kept, _n in table if what == to}
        assert cells.pop(("ok", 200)) == good
        assert len(cells) == N_STATUSES * N_OTHERS
        assert [cell for cell, kept in cells.items() if kept] == []


def test_the_next_person_is_led_nowhere_by_a_page_of_others(table):
    cells = {(who, status): went for who, status, what, went, _n in table if what == "next"}
    assert cells.pop(("ok", 200)) == "/a/CODE?shared=yes"
    assert {went for (who, _status), went in cells.items() if who != "captive portal"} == {"reload"}


# ------------------------------------------------------------------------------------------------ the server's half


def test_every_outcome_says_what_its_request_alone_said(teacher, meeting, collection, survey):
    key, answers = begin(teacher, meeting), all_answers(survey)
    said = {"key": key, "echo": ECHO}
    replies = [
        post(teacher, "answer_save", **said, sequence=1, answers={"GV1": 1}, eligibility="yes"),
        post(teacher, "answer_save", **said, sequence=1, answers={"GV1": 2}, eligibility="yes"),
        post(teacher, "answer_save", **said, sequence=2, answers={"GV1": "nonsense"}),
        post(teacher, "answer_save", echo=ECHO),
        post(teacher, "answer_submit", **said, sequence=2, answers=answers, eligibility="yes"),
        post(teacher, "answer_submit", echo=ECHO, collection="0" * 32, parcel=""),
        post(teacher, "answer_submit", echo=ECHO, collection=collection.uid.hex, parcel="none"),
        post(teacher, "answer_delete", echo=ECHO),
        post(teacher, "answer_delete", **said),
        post(teacher, "answer_delete", **said),
        post(teacher, "answer_save", **said, sequence=3, answers={}),
    ]
    assert [reply.json()["outcome"] for reply in replies] == [
        *("saved", "conflict", "invalid", "invalid", "submitted", "unknown", "invalid", "invalid", "deleted"),
        *("unknown", "unknown"),
    ]
    assert {reply.json()["echo"] for reply in replies} == {ECHO}
    assert {reply["Cache-Control"] for reply in replies} == {"no-store"}


def test_a_parcel_is_answered_as_ours_too(collection):
    body = {"key": submission.start_in_meeting(collection.meeting), "sequence": 1, "answers": {"GV1": 2}}
    parcel = locked(collection, {**body, "eligibility": "yes", "language": "nl"})
    answered = post(Client(), "answer_submit", collection=collection.uid.hex, parcel=parcel, echo=ECHO)
    assert answered.json() == {"outcome": "submitted", "echo": ECHO}


@pytest.mark.parametrize("echo", [None, 7, "", "<b>", "1" * 41, ["1"], {"1": 1}, "1\n"])
def test_what_is_no_echo_is_not_given_back(teacher, meeting, echo):
    key = begin(teacher, meeting)
    answered = post(teacher, "answer_save", key=key, sequence=1, answers={"GV1": 1}, echo=echo)
    assert set(answered.json()) == {"outcome", "sequence", "answers", "eligibility"}


@pytest.mark.parametrize("name", ["answer_save", "answer_submit", "answer_delete"])
def test_a_refusal_before_our_pages_is_no_answer_of_ours(meeting, name, settings):
    settings.ALLOWED_HOSTS = ["ours.example"]
    key = submission.start_in_meeting(meeting)
    body = json.dumps({"key": key, "sequence": 1, "answers": {}, "echo": ECHO})
    for headers in ({"host": "other.example"}, {"host": "ours.example", "sec-fetch-site": "cross-site"}):
        answer = Client().post(reverse(name), body, content_type="application/json", headers=headers)
        assert answer.status_code in (400, 403)
        assert ECHO not in answer.content.decode()
    assert Response.objects.count() == 1


# ------------------------------------------------------------------------------------------------ deleting with the script


def test_deleting_says_what_came_of_it_and_nothing_while_the_answers_are_there(teacher, meeting):
    key = begin(teacher, meeting)
    page = at("answer_delete", key)
    there = teacher.get(page)
    assert (there.status_code, there["Location"]) == (303, at("questionnaire", key))
    assert hidden(teacher.get(page_of(teacher)), "key") == key
    answered = post(teacher, "answer_delete", key=key)
    assert answered.json() == {"outcome": "deleted"}
    assert answered.cookies["key"]["max-age"] == 0
    assert Response.objects.count() == 0
    assert "Your answers are deleted" in teacher.get(page + "?language=en").content.decode()
    nothing = teacher.get(page + "?nothing&language=en")
    assert nothing.status_code == 404
    assert "There is nothing to delete" in nothing.content.decode()
