"""The way in on production settings: run by tests/config/test_production.py in a process of its own."""

from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.core import mail as django_mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from teams.mail import outbox
from teams.models import Study, User

pytestmark = pytest.mark.django_db(transaction=True)
HOST = "teamspiegel.example"
PASSWORD = "correct horse battery"
NOW = 58_000_000  # the half minute in which this plays, counted since 1970
STUDY = {
    "title": "Learning in teams",
    "wave": 1,
    "starts_on": "2026-09-01",
    "ends_on": "2027-06-30",
    "controller": "Hogeschool Noord",
    "privacy_contact": "privacy@noord.example",
    "contact_name": "Ada",
    "contact_email": "ada@noord.example",
}


@pytest.fixture(autouse=True)
def fresh_rate_limits() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def the_clock_of_the_app_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totp, "yield_hotp_counters_from_time", lambda: iter([NOW]))


class Visitor(Client):
    """Somebody at the address of the installation, over https."""

    def __init__(self) -> None:
        super().__init__(HTTP_HOST=HOST)

    def generic(self, *args: Any, **options: Any) -> Any:
        return super().generic(*args, **options | {"secure": True})

    def sign_in(self, email: str) -> None:
        self.post(reverse("account_login"), {"login": email, "password": PASSWORD})

    def choose_password(self, link: str) -> None:
        assert link.startswith(f"https://{HOST}/")
        response = self.get(link.removeprefix(f"https://{HOST}"), follow=True)
        path = response.redirect_chain[-1][0]
        assert self.post(path, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302

    def set_factor(self) -> str:
        """From the page that stands between a researcher and everything else. The secret of the app."""
        response = self.get(reverse("studies"), follow=True)
        assert response.redirect_chain[0][0] == reverse("mfa_activate_totp")
        response = self.post(response.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)
        assert response.redirect_chain[-1][0] == reverse("mfa_activate_totp")
        secret: str = response.context["form"].secret
        response = self.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)
        assert response.redirect_chain[-1][0] == reverse("mfa_view_recovery_codes")
        return secret


def as_shown(form: Any) -> dict[str, Any]:
    """What a form sends if nothing is changed; where something must be chosen, the first of the choices."""
    shown = {}
    for name, field in form.fields.items():
        value = form.get_initial_for_field(field, name)
        if value in (None, "") and field.required and hasattr(field, "choices"):
            value = next(str(choice) for choice, _words in field.choices if str(choice))
        if value not in (None, "", False):
            shown[name] = value
    return shown


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, NOW))


def mailed_link(to: str, path: str = "/accounts/password/reset/key/") -> str:
    outbox.send_due()
    (link, *_) = [
        word for sent in reversed(django_mail.outbox) if sent.to == [to] for word in sent.body.split() if path in word
    ]
    return link


def test_these_are_production_settings() -> None:
    assert settings.PRODUCTION
    assert settings.SECOND_FACTOR_REQUIRED
    assert settings.SECURE_SSL_REDIRECT
    assert Client(HTTP_HOST=HOST).get("/").url == f"https://{HOST}/"


def test_an_invited_researcher_comes_in() -> None:
    """Ask, mail, yes, password, second factor, page."""
    User.objects.create_superuser("ada@noord.example", PASSWORD, name="Ada")
    ada = Visitor()
    ada.sign_in("ada@noord.example")
    ada.set_factor()
    ada.post(reverse("groups"), {"name": "Noord"})
    response = ada.post(reverse("study_new"), as_shown(ada.get(reverse("study_new")).context["form"]) | STUDY)
    assert response.status_code == 302, response.context["form"].errors
    study = Study.objects.get()
    ada.post(reverse("study_people", args=[study.slug]), {"name": "Ine Bakker", "email": "ine@noord.example"})

    ine = Visitor()
    asked = mailed_link("ine@noord.example", "/i/research/").removeprefix(f"https://{HOST}")
    ine.choose_password(f"https://{HOST}" + ine.post(asked, {"accept": "1"}).url)
    ine.sign_in("ine@noord.example")
    ine.set_factor()
    assert ine.get(reverse("board", args=[study.slug])).status_code == 200
    for cookies in (ada.cookies, ine.cookies):
        assert {"__Host-sessionid", "__Host-csrftoken", "__Host-messages"} <= set(cookies)
        assert {name for name in cookies if not name.startswith("__Host-")} == set()
        assert {
            (cookie["secure"], cookie["path"], cookie["domain"]) for cookie in cookies.values() if cookie.value
        } == {(True, "/", "")}


def test_a_password_mail_that_a_stranger_asked_for_locks_nobody_out() -> None:
    User.objects.create_superuser("ada@noord.example", PASSWORD, name="Ada")
    Visitor().post(reverse("account_reset_password"), {"email": "ada@noord.example"})
    ada = Visitor()
    ada.sign_in("ada@noord.example")
    ada.set_factor()
    assert ada.get(reverse("studies")).status_code == 200


def test_who_forgot_the_password_comes_in_again() -> None:
    User.objects.create_superuser("ada@noord.example", "something forgotten", name="Ada")
    ada = Visitor()
    ada.post(reverse("account_reset_password"), {"email": "ada@noord.example"})
    ada.choose_password(mailed_link("ada@noord.example"))
    ada.sign_in("ada@noord.example")
    ada.set_factor()
    assert ada.get(reverse("studies")).status_code == 200
