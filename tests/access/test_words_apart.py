"""Names that run right to left, on every page: none takes what stands beside it along to the other side."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from surveys import qr
from surveys.models import Meeting, QuestionnaireVersion
from teams.models import Academy, Institution, Participation, PlannedMeeting, ResearchGroup, Study, Team, User
from teams.studies.setting_up import create_study
from teams.text.directions import ISOLATE, STEERING, runs_right_to_left
from tests.access.cast import ROLES, Cast, make_cast
from tests.access.test_permissions import LOGIN, TABLE, Row
from tests.nasty import NASTY

pytestmark = pytest.mark.django_db
NAME = "فريق"
SILENT = ("script", "style", "textarea")


class Words(HTMLParser):
    """The texts of a page, but for what is typed into its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.anchors: list[str] = []
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT
        self.anchors += [value or "" for name, value in attributes if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)


def turned(page: str) -> list[str]:
    """The texts of a page in which words could turn what stands beside them."""
    return [
        text.strip()
        for text in Words(page).texts
        if runs_right_to_left(rest := ISOLATE.sub("", text)) or set(rest) & STEERING
    ]


HEADERS = {
    "Content-Disposition": re.compile(r"(attachment|inline); filename=\"[A-Za-z0-9][A-Za-z0-9._-]*\""),
    "Location": re.compile(r"[A-Za-z0-9/:.?#&=%_~+-]+"),
}


def renamed() -> None:
    """Everybody and everything that has a name has one that runs right to left; some with signs of old that steer."""
    n = iter(range(1000))
    for model in (ResearchGroup, Institution, Academy, Team, User):
        for row in model._default_manager.all():
            model._default_manager.filter(pk=row.pk).update(name=f'{NAME} {next(n)} "a";\\ \u202e(8)')
    Team.objects.update(leader_name=NAME)
    Academy.objects.update(director_name=NAME)
    Participation.objects.update(contact_name=NAME, leader_name=NAME)
    PlannedMeeting.objects.update(room=NAME)
    Study.objects.update(title=f"\u2067{NAME} A", controller=NAME, contact_name=NAME, privacy_contact=NAME)
    for version in QuestionnaireVersion.objects.all():
        titles = {**version.content["title"], "nl": NAME, "en": NAME}
        QuestionnaireVersion.objects.filter(pk=version.pk).update(content={**version.content, "title": titles})


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cast]:
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
        made = make_cast()
        renamed()
        yield made
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture
def folders_of_their_own() -> None:
    """The keys of the cast's collections lie in one folder for all tests of this module."""


@pytest.mark.parametrize("row", [row for row in TABLE if row.method == "get"], ids=str)
def test_no_page_lets_names_turn_what_is_beside_them(row: Row, cast: Cast) -> None:
    for role in [role for role in ROLES if row.expected[role] not in (403, 404, 405, LOGIN)][:3]:
        with transaction.atomic():
            answer = cast.client(role).get(reverse(row.name, args=row.arguments(cast)), row.data)
            transaction.set_rollback(True)
        for name, form in HEADERS.items():
            assert name not in answer.headers or form.fullmatch(answer.headers[name]), answer.headers[name]
        if answer.headers.get("Content-Type", "").startswith("application/json"):
            json.loads(answer.content)
        if not answer.streaming and "html" in answer.headers.get("Content-Type", ""):
            assert turned(page := answer.content.decode()) == [], role
            assert [
                anchor for anchor in Words(page).anchors if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", anchor)
            ] == []


@pytest.mark.parametrize("words", NASTY.values(), ids=NASTY)
def test_addresses_and_codes_hold_no_words_of_people(words: str, cast: Cast) -> None:
    with transaction.atomic():
        fields = {
            name: getattr(cast.study, name)
            for name in (
                "group",
                "starts_on",
                "ends_on",
                "controller",
                "privacy_contact",
                "contact_name",
                "contact_email",
            )
        }
        slug = create_study({**fields, "title": words[:120]}, User.objects.get(email="alice@noord.example")).slug
        transaction.set_rollback(True)
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", slug)
    assert re.fullmatch(
        r"https?://[a-z0-9.:]+/a/[A-Z0-9]+", qr.join_url(Meeting.objects.get(collection=cast.collection))
    )
