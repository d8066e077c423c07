"""No form takes signs that nobody sees and that steer machines or readers: each field of each form, sent with them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client

from teams.base.once import FIELD
from teams.base.written import Written
from teams.forms.studies import RowsField
from teams.models import Academy, OutboxMessage
from tests.access.cast import ROLES, Cast, make_cast
from tests.access.forms_of import FORMS, Form
from tests.access.test_filled import form_classes

pytestmark = pytest.mark.django_db
#: Forms of another base, and why.
OF_OTHERS = {
    "teams.accounts.forms.ActivateForm": "the sign-in library's: a code that is compared and not kept",
    "teams.accounts.forms.CodeForm": "the sign-in library's: a code that is compared and not kept",
}
STEERS = "\u202e\ufeff\x07"
#: As they stand in JSON.
SIGNS = (*STEERS, r"\u202e", r"\ufeff", r"\u0007")


def test_every_form_stands_on_the_base() -> None:
    others = {
        f"{form_class.__module__}.{form_class.__qualname__}"
        for form_class in form_classes()
        if not issubclass(form_class, Written)
    }
    assert others == OF_OTHERS.keys()


class _All(Written):
    line = forms.CharField()
    optional = forms.CharField(required=False)
    address = forms.EmailField(required=False)
    text = forms.CharField(widget=forms.Textarea)
    hidden = forms.CharField(required=False, widget=forms.HiddenInput)


def test_lines_are_refused_and_texts_are_kept_without() -> None:
    form = _All(
        {"line": "a\u202eb", "optional": "\ufeff\u2068a\u2069", "text": "\ufeffa\r\n\u202eb\x07", "hidden": "\u202e"}
    )
    assert form.errors.keys() == {"line"}
    assert "U+202E" in form.errors["line"][0]
    assert form.cleaned_data["optional"] == "a"
    assert form.cleaned_data["text"] == "a\r\nb"
    assert form.cleaned_data["hidden"] == "\u202e"
    form = _All({"line": "\ufeff", "optional": "a\tb", "address": "A@No\u202eord.example", "text": "\u202e"})
    assert form.errors.keys() == {"line", "optional", "address", "text"}
    assert form.errors["text"] == form.errors["line"] == [str(forms.Field.default_error_messages["required"])]


NUMBERS = ["9" * 30, "-1", "²", "1.5", "\u0661"]


@pytest.mark.parametrize("number", NUMBERS)
def test_rows_that_are_ticked_have_numbers_that_a_database_counts(number: str) -> None:
    field = RowsField(Academy.objects.all())
    with pytest.raises(forms.ValidationError):
        field.clean([number])


def test_every_form_asks_for_rows_in_this_way() -> None:
    plain = [
        f"{form_class.__module__}.{form_class.__qualname__}.{name}"
        for form_class in form_classes()
        for name, field in getattr(form_class, "base_fields", {}).items()
        if isinstance(field, forms.ModelMultipleChoiceField) and not isinstance(field, RowsField)
    ]
    assert plain == []


# ------------------------------------------------------------------------------------------------ as they are sent
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


@pytest.fixture(scope="module")
def cookies(cast: Cast, django_db_blocker: Any) -> dict[str, str]:
    with django_db_blocker.unblock():
        return {role: cast.client(role).cookies.output(header="") for role in ROLES}


def noting(written: list[Any]) -> Callable[..., Any]:
    """Notes what is written, but for the session of whoever asks and the answer kept for a second press."""

    def execute(go_on: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE")) and "django_session" not in sql and "doneonce" not in sql:
            written.append((sql, parameters))
        return go_on(sql, parameters, many, context)

    return execute


@dataclass
class Sent:
    fields: dict[str, Any]
    written: list[Any]


def send(form: Form, cast: Cast, actor: str, held: str, change: str = "") -> Sent:
    """What a form of this actor writes, one of its fields with the signs. Nothing of it stays."""
    written: list[Any] = []
    with transaction.atomic():
        client = Client()
        client.cookies.load(held.replace("\r\n", "; "))
        path, data = form.path(cast), form.data(cast)
        if change:
            value = data[change]
            data[change] = [f"{one[:1]}{STEERS}{one[1:]}" for one in ([value] if isinstance(value, str) else value)]
        with connection.execute_wrapper(noting(written)):
            client.post(path, data)
        transaction.set_rollback(True)
    return Sent(data, written)


def is_text(name: str, value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return name != FIELD and all(
        isinstance(value, str) and not isinstance(value, SimpleUploadedFile) for value in values
    )


@pytest.mark.parametrize("name", sorted(FORMS))
def test_nothing_that_steers_is_written(name: str, cast: Cast, cookies: dict[str, str]) -> None:
    for form in FORMS[name]:
        for actor in ROLES:
            if (sent := send(form, cast, actor, cookies[actor])).written:
                break
        else:
            continue
        for field in (field for field, value in sent.fields.items() if is_text(field, value)):
            for sql, parameters in send(form, cast, actor, cookies[actor], field).written:
                assert not any(sign in str(parameter) for sign in SIGNS for parameter in parameters), (field, sql)
