"""A form whose token is another one by now: what was typed goes on at one press; what comes from elsewhere goes nowhere."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from teams.models import Study, User
from teams.studies.setting_up import let_work
from tests.access.opened import fields_of
from tests.surveys.conftest import make_study

pytestmark = pytest.mark.django_db
HERE = {"HTTP_ORIGIN": "http://testserver"}
TYPED = 'With “signs”, "quotes" & <b>'


@pytest.fixture
def roos(db: None) -> User:
    user = User.objects.create_user("roos@noord.example", "correct horse battery", name="Roos de Wit")
    let_work(make_study(), user)
    return user


@pytest.fixture
def tab(roos: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.cookies["django_language"] = "en"
    client.force_login(roos)
    return client


def signed_out(tab: Client) -> None:
    tab.logout()
    tab.cookies["django_language"] = "en"


def opened(tab: Client) -> tuple[str, dict[str, Any]]:
    address = reverse("study_settings", args=[Study.objects.get().slug])
    return address, fields_of(tab.get(address).content.decode())


def test_what_was_typed_goes_on_at_one_press(tab: Client, roos: User) -> None:
    address, fields = opened(tab)
    signed_out(tab)
    tab.force_login(roos)  # in another tab
    answer = tab.post(address, fields | {"contact_name": "Ans", "dpia": TYPED}, **HERE)
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "press again" in page
    assert "Roos de Wit: it will be sent in this name" in page
    again = fields_of(page)
    assert again["csrfmiddlewaretoken"] != fields["csrfmiddlewaretoken"]
    assert tab.post(address, again, **HERE).status_code == 302
    study = Study.objects.get()
    assert (study.contact_name, study.dpia) == ("Ans", TYPED)


def test_who_is_signed_out_is_told_so_and_loses_nothing(tab: Client, roos: User) -> None:
    address, fields = opened(tab)
    signed_out(tab)
    page = tab.post(address, fields | {"contact_name": "Ans"}, **HERE).content.decode()
    assert "You are signed out." in page
    tab.force_login(roos)  # in a new tab, which gives another token
    page = tab.post(address, fields_of(page), **HERE).content.decode()
    if "press again" in page:
        assert tab.post(address, fields_of(page), **HERE).status_code == 302
    assert Study.objects.get().contact_name == "Ans"


@pytest.mark.parametrize(
    "elsewhere",
    [
        {},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "https://testserver"},
        {"HTTP_ORIGIN": "http://testserver.evil.example"},
        {"HTTP_REFERER": "http://evil.example/http://testserver/"},
        {"HTTP_ORIGIN": "http://evil.example", "HTTP_REFERER": "http://testserver/"},
        {"HTTP_ORIGIN": "http://[a"},
    ],
)
def test_a_form_from_elsewhere_gets_a_sentence_and_no_button(tab: Client, elsewhere: dict[str, str]) -> None:
    address, fields = opened(tab)
    answer = tab.post(address, fields | {"csrfmiddlewaretoken": "x" * 64, "contact_name": "Evil"}, **elsewhere)
    assert answer.status_code == 403
    assert "Evil" not in answer.content.decode()
    assert "This form was not sent" in answer.content.decode()


@pytest.mark.parametrize(
    "more",
    [
        {"new_password": "correct horse battery"},
        {"dpia": "x" * 200_001},
        {"file": SimpleUploadedFile("a.csv", b"a;b\n")},
    ],
    ids=["password", "long", "file"],
)
def test_no_password_no_file_and_no_flood_is_carried(tab: Client, more: dict[str, Any]) -> None:
    address, fields = opened(tab)
    page = tab.post(address, fields | {"csrfmiddlewaretoken": "x" * 64} | more, **HERE).content.decode()
    assert "This form was not sent" in page
    assert "correct horse" not in page


def test_a_sign_in_is_not_carried(tab: Client) -> None:
    signed_out(tab)
    sent = {"login": "roos@noord.example", "code": "123456"}
    page = tab.post(reverse("account_login"), sent, **HERE).content.decode()
    assert "This form was not sent" in page
    assert "123456" not in page
