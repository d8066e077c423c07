"""Every form that is pressed twice on a slow line does its act once, and the second press is shown what the first one did."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from teams.base import once
from teams.models import DoneOnce, OutboxMessage
from tests.access.cast import ROLES, Cast, make_cast
from tests.access.forms_of import FORMS, Form
from tests.access.tables import rows

pytestmark = pytest.mark.django_db
TEMPLATES = Path(settings.BASE_DIR) / "templates"
FORM = re.compile(r"<form\b[^>]*\bmethod=\"post\".*?</form>", re.DOTALL)
#: Forms without a key, and why.
WITHOUT = {
    "components/header.html": "signs out",
    "components/language.html": "chooses a language",
    "account/": "the sign-in library's",
    "allauth/": "the sign-in library's",
    "surveys/welcome.html": "the teacher's: answers have keys of their own",
    "surveys/questionnaire.html": "the teacher's",
    "surveys/done.html": "the teacher's",
    "surveys/handed_in.html": "the teacher's",
    "surveys/deleted.html": "the teacher's",
    "surveys/nothing_open.html": "the teacher's",
    "403_again.html": "carries the key of the form that was refused",
    "teams/no_reminders.html": "a wish that is the same when said twice; a mailbox posts it without a page",
    "surveys/preview_text.html": "shows a text and writes nothing",
}
#: Single forms in templates whose other forms have one: what they send to, and why.
SINGLE = {
    ("surveys/slips.html", "{{ print }}"): "codes are told once and kept nowhere: a second press prints others",
}


def test_every_form_in_a_template_has_a_key() -> None:
    missing, used = [], set()
    for path in sorted(TEMPLATES.rglob("*.html")):
        name = path.relative_to(TEMPLATES).as_posix()
        excused = [prefix for prefix in WITHOUT if name.startswith(prefix)]
        used.update(excused)
        for form in FORM.findall(path.read_text()):
            single = [one for one in SINGLE if one[0] == name and f'action="{one[1]}"' in form]
            used.update(single)
            if not excused and not single and form.count("{% once %}") != 1:
                missing.append((name, form[:90]))
    assert not missing, "forms without the key that makes two presses one"
    assert used == WITHOUT.keys() | SINGLE.keys(), "an exception that nobody needs any more"


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cast]:
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
        made = make_cast()
        OutboxMessage.objects.update(state=OutboxMessage.State.SENT)
        yield made
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture
def folders_of_their_own() -> None:
    """The keys of the cast's collections lie in one folder for all tests of this module."""


def press(client: Client, path: str, data: dict[str, Any]) -> Any:
    for value in data.values():
        if isinstance(value, SimpleUploadedFile):
            value.seek(0)
    return client.post(path, data)


@pytest.fixture(scope="module")
def cookies(cast: Cast, django_db_blocker: Any) -> dict[str, str]:
    """Everybody signed in once, or with the link opened once: what each browser holds before it presses anything."""
    with django_db_blocker.unblock():
        return {role: cast.client(role).cookies.output(header="") for role in ROLES}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_two_presses_do_one_act(name: str, cast: Cast, cookies: dict[str, str], mailoutbox: list[Any]) -> None:
    for form in FORMS[name]:
        for actor in ROLES:
            with transaction.atomic():  # each starts from the same rows
                _two_presses(form, actor, cast, cookies[actor], mailoutbox)
                transaction.set_rollback(True)


def _two_presses(form: Form, actor: str, cast: Cast, held: str, mailoutbox: list[Any]) -> None:
    client = Client()
    client.cookies.load(held.replace("\r\n", "; "))
    path, data = form.path(cast), form.data(cast)
    before = rows()
    first = press(client, path, data | {once.FIELD: "pressed-by-a-test"})
    done, mailed = rows(), len(mailoutbox)
    if done == before and not DoneOnce.objects.exists():
        return  # refused: nothing was done, so nothing can be done twice
    second = press(client, path, data | {once.FIELD: "pressed-by-a-test"})
    assert rows() == done, f"{actor} did it twice"
    assert len(mailoutbox) == mailed, f"{actor} mailed twice"
    assert second.status_code == first.status_code
    if first.has_header("Location"):
        assert second["Location"] == first["Location"]
