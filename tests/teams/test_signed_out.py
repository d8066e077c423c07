"""A session that is over: a script is told so in place, a form leads back to the page on which it stood."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def next_of(location: str) -> str:
    assert urlsplit(location).path == reverse("account_login")
    return parse_qs(urlsplit(location).query)["next"][0]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("header", [{"HX-Request": "true"}, {"X-Autosave": "yes"}])
def test_a_script_gets_401_and_no_page_to_put_in_its_place(client: Client, method: str, header: dict[str, str]):
    answer = getattr(client, method)(reverse("studies"), headers=header)
    assert (answer.status_code, answer.content) == (401, b"")
    assert "Location" not in answer.headers


def test_a_form_leads_back_to_its_page(client: Client):
    page = "http://testserver/questionnaires/5/?part=texts"
    answer = client.post(reverse("questionnaire_change", args=[5]), {"action": "up"}, headers={"Referer": page})
    assert next_of(answer.headers["Location"]) == "/questionnaires/5/?part=texts"


@pytest.mark.parametrize("referer", ["", "https://elsewhere.example/x", "http://[a:::::]/", "//testserver/x"])
def test_never_to_a_page_of_somebody_else(client: Client, referer: str):
    answer = client.post(reverse("study_new"), {}, headers={"Referer": referer})
    assert next_of(answer.headers["Location"]) == reverse("study_new")


def test_a_page_leads_back_to_itself(client: Client):
    answer = client.get(reverse("studies") + "?x=1")
    assert next_of(answer.headers["Location"]) == "/studies/?x=1"
