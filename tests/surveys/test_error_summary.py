"""A form with errors names them at its top: how many, each by the name of its field, with a link that leads there."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from surveys.questionnaires import publishing
from surveys.questionnaires.publishing import SHIPPED
from tests.surveys.test_invitation import ACCEPTED, invitation, page

pytestmark = pytest.mark.django_db
TEMPLATES = Path(settings.BASE_DIR, "templates")
NAMED_BY = ("components/errors.html", "{% crispy", "|crispy")
# shown within the form of another template, which names the errors
PARTS = {"teams/director_teams.html"}

assert invitation


def named(html: str) -> dict[str, str]:
    """The names in the summary of a page's form, with the places they lead to; asserts what holds of every summary."""
    summaries = re.findall(r'<div class="alert alert-danger error-summary".*?</div>', html, re.DOTALL)
    assert len(summaries) == 1, "one form has errors, and one summary"
    summary = summaries[0]
    assert 'role="alert"' in summary
    assert 'tabindex="-1"' in summary, "the focus can move there"
    links = {unescape(name): place for place, name in re.findall(r'<a href="#([^"]+)">([^<]*)</a>', summary)}
    for name, place in links.items():
        assert name.strip()
        assert len(re.findall(rf'\bid="{re.escape(place)}"', html)) == 1, f"{name} leads to {place}"
    assert summary.count("<li>") == int(re.search(r"<strong>(\d+|One) thing", summary)[1].replace("One", "1"))
    return links


def sent(client: Client, address: str, **data: str) -> dict[str, str]:
    client.cookies["django_language"] = "en"
    answer = client.post(address, {"csrfmiddlewaretoken": "of the page", **data})
    assert answer.status_code == 200
    form = next(form for form in _forms(answer) if form.errors)
    links = named(answer.content.decode())
    assert set(links) == {str(form[name].label) for name in form.errors if name in form.fields}
    return links


def _forms(answer: Any) -> list[Any]:
    values = [value for layer in answer.context for values in layer.dicts for value in values.values()]
    return [value for value in values if hasattr(value, "is_bound") and value.is_bound]


@pytest.fixture
def researcher(roos, client: Client) -> Client:
    client.force_login(roos)
    return client


@pytest.mark.parametrize("name", ["study_new", "questionnaire_new", "questionnaire_import", "questionnaire_templates"])
def test_pages_of_all_studies(researcher: Client, name: str):
    assert sent(researcher, reverse(name))


@pytest.mark.parametrize("name", ["study_settings", "team_new", "academy_new", "study_people"])
def test_pages_of_a_study(researcher: Client, study, name: str):
    assert sent(researcher, reverse(name, args=[study.slug]))


def test_a_part_of_the_editor(researcher: Client, study):
    questionnaire = publishing.import_questionnaire(publishing.shipped(SHIPPED[0]), study.group)[0]
    scale = questionnaire.draft["scales"][0]["code"]
    address = reverse("questionnaire_edit", args=[questionnaire.pk])
    assert "Code" in sent(researcher, f"{address}?part=scale:{scale}", code="")


def test_the_page_on_which_a_team_accepts(client: Client, invitation):
    links = sent(client, page(invitation), **{**ACCEPTED, "mode": "", "approached": ""})
    assert links["How do the teachers answer?"] == "id_mode_0", "the first of several choices"


def test_a_form_without_errors_has_no_summary(researcher: Client):
    assert "error-summary" not in researcher.get(reverse("study_new")).content.decode()


def test_every_template_that_shows_fields_names_their_errors():
    showing = [path for path in TEMPLATES.rglob("*.html") if "as_crispy_field" in path.read_text()]
    assert showing
    without = {
        str(path.relative_to(TEMPLATES)) for path in showing if not any(sign in path.read_text() for sign in NAMED_BY)
    }
    assert without == PARTS
