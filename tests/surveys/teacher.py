"""What a teacher's browser does, for the tests of these pages."""

import json
import re

from django.test import Client
from django.urls import reverse

from surveys.answering.handles import handle_of, link_handle
from surveys.questionnaires.publishing import definition_of

JSON = "application/json"


def hidden(response, name: str) -> str:
    match = re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())
    assert match, f"no field {name}"
    return match[1]


def begin(teacher: Client, meeting, slip: str = "") -> str:
    """Welcome, consent, start; returns the response key."""
    welcome = teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    form = {"code": meeting.code, "offered": hidden(welcome, "offered"), "consent": "yes", "slip": slip}
    if b'name="anew"' in welcome.content:  # somebody else began here, and the page says so
        form["anew"] = "yes"
    response = teacher.post(reverse("answer_start"), form)
    assert response.status_code == 303, response.content
    key = hidden(teacher.get(response["Location"]), "key")
    assert response["Location"] == at("questionnaire", key)
    return key


def at(name: str, key: str) -> str:
    """A page of the response with this key."""
    return reverse(name, args=[handle_of(key)])


def page_of(teacher, name: str = "questionnaire") -> str:
    """A page of the response whose key this device got last."""
    held = [teacher.cookies[name].value for name in ("moment", "key") if name in teacher.cookies]
    key = next(filter(None, held), "")
    return at(name, key) if key else reverse(name)


def link_page(teacher) -> str:
    """The page of the personal link that was opened last on this device."""
    return reverse("personal_welcome", args=[link_handle(teacher.cookies["link"].value)])


def post(teacher: Client, name: str, **body):
    """As a page's script posts: to the response's own address."""
    address = at(name, body["key"]) if isinstance(body.get("key"), str) else reverse(name)
    return teacher.post(address, json.dumps(body), content_type=JSON)


def all_answers(survey) -> dict:
    return dict.fromkeys(definition_of(survey.version).item_codes, 3)
