"""What a teacher's browser does, for the tests of these pages."""

import json
import re

from django.test import Client
from django.urls import reverse

from surveys.questionnaires import definition_of

JSON = "application/json"


def hidden(response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())
    assert found, f"no field {name}"
    return found[1]


def begin(teacher: Client, meeting) -> str:
    """Welcome, consent, start; returns the response key."""
    welcome = teacher.get(reverse("meeting_welcome", args=[meeting.code]))
    form = {"code": meeting.code, "offered": hidden(welcome, "offered"), "consent": "yes"}
    response = teacher.post(reverse("answer_start"), form)
    assert (response.status_code, response["Location"]) == (303, reverse("questionnaire"))
    return hidden(teacher.get(reverse("questionnaire")), "key")


def post(teacher: Client, name: str, **body):
    return teacher.post(reverse(name), json.dumps(body), content_type=JSON)


def all_answers(survey) -> dict:
    return dict.fromkeys(definition_of(survey.version).item_codes, 3)
