"""What happens to accounts: told to their owner by mail, and written in the security log in one line each."""

import json
import logging
import re
from pathlib import Path

import allauth
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.conf import settings
from django.core import mail as django_mail
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse

from teams.accounts import mails
from teams.accounts.mails import IN_PLACE_OF
from teams.mail import outbox
from teams.models import OutboxMessage, Role, User
from teams.studies import setting_up
from tests.teams.joining import joined

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"
OTHER = "another horse battery"
NOW = 58_000_000  # the half minute in which these tests play, counted since 1970


@pytest.fixture(autouse=True)
def fresh_rate_limits() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def the_clock_of_the_app_stands_still(monkeypatch) -> None:
    monkeypatch.setattr(totp, "yield_hotp_counters_from_time", lambda: iter([NOW]))


@pytest.fixture
def log(caplog):
    """The lines of the security log so far, as a program would read them."""
    caplog.set_level(logging.INFO, "teamspiegel.security")

    def lines() -> list[dict[str, object]]:
        return [json.loads(r.getMessage()) for r in caplog.records if r.name == "teamspiegel.security"]

    return lines


@pytest.fixture
def lena(nursing) -> User:
    user = User.objects.create_user("lena@noord.example", name="Lena Bos", language="en")
    Role.objects.create(user=user, kind=Role.Kind.LEADER, participation=nursing)
    return user


def sign_in(client: Client, user: User, password: str = PASSWORD):
    return client.post(reverse("account_login"), {"login": user.email, "password": password})


def confirm_password(client: Client) -> None:
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def now_code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, NOW))


def set_factor(client: Client) -> tuple[str, str]:
    """Set up an app that shows codes. Its secret, and the code that was typed."""
    confirm_password(client)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    code = now_code(secret)
    assert client.post(reverse("mfa_activate_totp"), {"code": code}).status_code == 302
    return secret, code


def mails_to(user: User) -> list[str]:
    """The mails of the outbox to this account, sent now."""
    django_mail.outbox.clear()
    outbox.send_due()
    return [message.body for message in django_mail.outbox if message.to == [user.email]]


# ------------------------------------------------------------------------------------------------ mails
def test_a_new_factor_is_told_by_mail(client, roos):
    sign_in(client, roos)
    set_factor(client)
    (text,) = mails_to(roos)
    assert "second factor was added" in text or "tweede factor" in text
    assert "http://127.0.0.1:8000/accounts/password/reset/" in text


def test_a_factor_that_was_taken_off_is_told_by_mail(client, roos):
    sign_in(client, roos)
    set_factor(client)
    mails_to(roos)
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.filter(user=roos).exists()
    assert len(mails_to(roos)) == 1


def test_new_recovery_codes_are_told_by_mail(client, roos):
    sign_in(client, roos)
    set_factor(client)
    mails_to(roos)
    before = Authenticator.objects.get(user=roos, type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()
    client.post(reverse("mfa_generate_recovery_codes"))
    assert len(mails_to(roos)) == 1
    after = Authenticator.objects.get(user=roos, type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()
    assert not set(before) & set(after)


def test_a_changed_password_is_told_by_mail(client, roos):
    other = Client()
    for visitor in (client, other):
        sign_in(visitor, roos)
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER})
    assert User.objects.get(pk=roos.pk).check_password(OTHER)
    assert len(mails_to(roos)) == 1
    assert client.get(reverse("studies")).status_code == 200
    assert other.get(reverse("studies")).url.startswith(reverse("account_login"))  # other sessions have ended


def test_a_leader_who_sets_a_password_is_told_by_mail(client, lena):
    client.force_login(lena)
    client.post(reverse("account_set_password"), {"password1": OTHER, "password2": OTHER})
    (text,) = mails_to(lena)
    assert "A new password was chosen" in text


def test_a_password_by_mail_is_told_by_mail(client, roos):
    client.post(reverse("account_reset_password"), {"email": roos.email})
    outbox.send_due()
    (link,) = [word for word in django_mail.outbox[0].body.split() if word.startswith("http")]
    response = client.get(link.removeprefix("http://127.0.0.1:8000"), follow=True)
    client.post(response.redirect_chain[-1][0], {"password1": OTHER, "password2": OTHER})
    assert User.objects.get(pk=roos.pk).check_password(OTHER)
    assert len(mails_to(roos)) == 1


def test_every_mail_of_allauth_about_a_change_has_one_of_ours(roos):
    templates = Path(allauth.__file__).parent / "templates"
    notices = {
        str(path.relative_to(templates)).removesuffix("_message.txt")
        for folder in ("account", "mfa")
        for path in (templates / folder / "email").glob("*_message.txt")
        if "base_notification" in path.read_text()
    }
    closed = {"account/email/email_changed", "account/email/email_confirm", "account/email/email_deleted"}
    assert notices - closed == set(IN_PLACE_OF)


def test_a_mail_about_an_account_that_is_no_more_is_dropped(roos):
    mails.tell(roos, "account/email/password_changed")
    User.objects.filter(pk=roos.pk).update(is_active=False)
    assert mails_to(roos) == []
    assert OutboxMessage.objects.get().state == OutboxMessage.State.DROPPED


# ------------------------------------------------------------------------------------------------ links in mails
def test_links_of_sign_in_mails_begin_with_our_address_whatever_host_was_named(roos, settings):
    settings.ALLOWED_HOSTS = ["*"]
    for name in ("account_reset_password", "account_request_login_code"):
        for email in (roos.email, f"nobody-{name}@noord.example"):
            Client(HTTP_HOST="evil.example").post(reverse(name), {"email": email})
    assert outbox.send_due() == 4
    for sent in django_mail.outbox:
        assert "evil" not in sent.body + sent.subject
    assert settings.BASE_URL + "/accounts/password/reset/key/" in django_mail.outbox[0].body


# ------------------------------------------------------------------------------------------------ codes
def test_the_code_that_set_up_a_factor_does_not_sign_in(client, roos):
    sign_in(client, roos)
    _, code = set_factor(client)
    other = Client()
    sign_in(other, roos)
    other.post(reverse("mfa_authenticate"), {"code": code})
    assert "_auth_user_id" not in other.session


def test_a_code_signs_in_once(client, roos):
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(roos, secret)
    code = now_code(secret)
    for visitor, comes_in in ((client, True), (Client(), False)):
        sign_in(visitor, roos)
        visitor.post(reverse("mfa_authenticate"), {"code": code})
        assert ("_auth_user_id" in visitor.session) is comes_in


def test_an_address_without_an_account_is_told_so_once_a_day(db):
    for name in ("account_request_login_code", "account_request_login_code", "account_reset_password"):
        Client().post(reverse(name), {"email": "nobody@noord.example"})
    assert outbox.send_due() == 1


def test_addresses_without_an_account_are_told_so_twenty_times_an_hour(db):
    for number in range(25):
        response = Client().post(reverse("account_request_login_code"), {"email": f"nobody{number}@noord.example"})
        assert response.url == reverse("account_confirm_login_code")
    assert outbox.send_due() == 20


def test_a_flood_of_unknown_addresses_does_not_keep_a_leader_out(client, lena):
    for number in range(25):
        Client().post(reverse("account_request_login_code"), {"email": f"nobody{number}@noord.example"})
    outbox.send_due()
    django_mail.outbox.clear()
    client.post(reverse("account_request_login_code"), {"email": lena.email})
    outbox.send_due()
    assert [sent.to for sent in django_mail.outbox] == [[lena.email]]


# ------------------------------------------------------------------------------------------------ the log
def test_signing_in_and_failing_are_lines(client, roos, log):
    sign_in(client, roos, "wrong")
    sign_in(client, User(email="nobody@noord.example"), "wrong")
    sign_in(client, roos)
    failed, unknown, came_in = log()
    assert failed.pop("at").endswith("Z")
    address = "127.0.0.1"
    assert failed == {"act": "sign_in_failed", "by": None, "of": roos.pk, "method": "password", "address": address}
    assert "of" not in unknown
    assert (came_in["act"], came_in["by"], came_in["method"]) == ("signed_in", roos.pk, "password")


def test_wrong_codes_are_lines(client, roos, lena, log):
    client.post(reverse("account_request_login_code"), {"email": lena.email})
    client.post(reverse("account_confirm_login_code"), {"code": "WRONG1"})
    TOTP.activate(roos, "JBSWY3DPEHPK3PXP")
    other = Client()
    sign_in(other, roos)
    other.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert [(line["act"], line["of"], line["method"]) for line in log()] == [
        ("sign_in_failed", lena.pk, "code"),
        ("sign_in_failed", roos.pk, "factor"),
    ]


def test_a_lock_is_a_line(client, roos, log):
    for _ in range(6):
        sign_in(client, roos, "wrong")
    *failed, locked = log()
    assert [line["act"] for line in failed] == ["sign_in_failed"] * 5
    assert (locked["act"], locked["of"]) == ("locked", roos.pk)


def test_a_lock_of_the_second_factor_is_a_line(client, roos, log):
    TOTP.activate(roos, "JBSWY3DPEHPK3PXP")
    sign_in(client, roos)
    for _ in range(6):
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert [(line["act"], line["of"]) for line in log()][-1] == ("locked", roos.pk)


def test_a_lock_of_an_address_on_the_network_is_a_line(client, roos, log, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"reset_password": "1/m/ip"}
    for _ in range(2):
        response = client.post(reverse("account_reset_password"), {"email": roos.email})
    assert response.status_code == 429
    assert [line["act"] for line in log()] == ["locked"]


def test_factors_and_passwords_are_lines(client, roos, log):
    sign_in(client, roos)
    set_factor(client)
    client.post(reverse("mfa_deactivate_totp"))
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER})
    acts = [(line["act"], line.get("kind")) for line in log()][1:]
    assert acts == [
        ("factor_set", "totp"),
        ("factor_set", "recovery_codes"),
        ("factor_removed", "totp"),
        ("factor_removed", "recovery_codes"),
        ("password_set", None),
    ]


def test_roles_given_and_taken_are_lines_without_a_name(roos, study, log):
    joined(study, "Ine Bakker", "ine@noord.example", by=roos)
    role = Role.objects.get(user__email="ine@noord.example")
    setting_up.remove_researcher(role, by=roos)
    given, taken = log()  # nothing when she was asked
    assert (given["act"], given["by"], given["study"]) == ("role_given", roos.pk, study.pk)
    assert taken["act"] == "role_taken"
    assert "noord" not in json.dumps([given, taken])


def test_nothing_is_written_of_what_is_rolled_back(roos, study, log):
    with transaction.atomic():
        joined(study, "Ine Bakker", "ine@noord.example", by=roos)
        transaction.set_rollback(True)
    assert log() == []


# ------------------------------------------------------------------------------------------------ passwords and sessions
@pytest.mark.parametrize(
    ("password", "taken"),
    [
        ("x7Rq-bdKe2w", False),  # eleven characters
        ("x7Rq-bdKe2wv", True),  # twelve
        ("qwerty123456", False),  # twelve, and among the most used
        ("roos@noord.example", False),  # the address
        ("Teamspiegel2026!", False),  # little but words that whoever guesses would try first: the program's,
        ("GroupGroup-2026", False),  # the group's,
        ("onderzoeker-wachtwoord", False),  # the role's
        ("teamspiegel x7Rq-bdKe", True),  # such a word beside enough else
        ("één lange zin met spaties en ☂", True),
        ("x" * 40 + "7-bdKe2wv" * 6, True),  # longer than 64
    ],
)
def test_which_passwords_are_taken(client, roos, password, taken):
    sign_in(client, roos)
    client.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": password, "password2": password}
    )
    assert User.objects.get(pk=roos.pk).check_password(password) is taken
    assert User.objects.get(pk=roos.pk).check_password(PASSWORD) is not taken


def test_changing_a_password_asks_for_the_old_one(client, roos):
    sign_in(client, roos)
    for old in ("", OTHER):
        client.post(reverse("account_change_password"), {"oldpassword": old, "password1": OTHER, "password2": OTHER})
        assert User.objects.get(pk=roos.pk).check_password(PASSWORD)


def test_a_disabled_account_is_out_at_once(client, roos):
    sign_in(client, roos)
    assert client.get(reverse("studies")).status_code == 200
    User.objects.filter(pk=roos.pk).update(is_active=False)
    assert client.get(reverse("studies")).url.startswith(reverse("account_login"))


def test_a_session_that_was_ended_opens_nothing_and_signing_in_gives_another(client, roos):
    keys = set()
    for _n in range(2):
        sign_in(client, roos)
        held = client.cookies[settings.SESSION_COOKIE_NAME].value
        keys.add(held)
        thief = Client()
        thief.cookies[settings.SESSION_COOKIE_NAME] = held
        assert thief.get(reverse("studies")).status_code == 200
        client.post(reverse("account_logout"))
        thief.cookies[settings.SESSION_COOKIE_NAME] = held
        assert thief.get(reverse("studies")).url.startswith(reverse("account_login"))
    assert len(keys) == 2
    assert all(len(key) == 32 for key in keys)  # of 36 signs: 165 bits


def test_a_session_of_before_signing_in_is_no_session_of_after(client, lena):
    """Whoever put a cookie into somebody's browser is not signed in with them."""
    client.post(reverse("account_request_login_code"), {"email": lena.email})
    before = client.cookies[settings.SESSION_COOKIE_NAME].value
    outbox.send_due()
    code = re.search(r"^[A-Z]{4}-[A-Z]{4}$", django_mail.outbox[-1].body, re.MULTILINE)
    assert client.post(reverse("account_confirm_login_code"), {"code": code.group()}).status_code == 302
    assert "_auth_user_id" in client.session
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = before
    assert "_auth_user_id" not in thief.session


def test_asking_for_a_page_of_others_is_a_line(client, roos, lena, study, log):
    client.force_login(lena)
    for name, args, status in (("board", [study.slug], 404), ("groups", [], 404), ("board", ["no-such-study"], 404)):
        assert client.get(reverse(name, args=args)).status_code == status
    assert client.post(reverse("board", args=[study.slug])).status_code in (404, 405)
    lines = [line for line in log() if line["act"] == "denied"]
    assert [(line["by"], line["page"]) for line in lines][:3] == [
        (lena.pk, "board"),
        (lena.pk, "groups"),
        (lena.pk, "board"),
    ]
    assert all(line["at"].endswith("Z") for line in lines)
    assert study.slug not in json.dumps(lines)


def test_a_forged_form_of_somebody_signed_in_is_a_line(roos, log):
    client = Client(enforce_csrf_checks=True)
    client.force_login(roos)
    assert client.post(reverse("study_new")).status_code == 403
    assert [(line["act"], line["by"], line["page"]) for line in log()] == [("denied", roos.pk, "study_new")]


def test_who_is_not_signed_in_or_finds_what_is_theirs_is_no_line(client, roos, log):
    for path in ("/no/such/page", "/a/AAAAAA", "/i/7.0123", reverse("studies")):
        client.get(path)
    client.force_login(roos)
    # no page at all; of a teacher, of whoever holds a link; theirs
    for path in ("/no/such/page", "/a/AAAAAA", "/i/7.0123", "/f/7/", "/r/7.0123", reverse("studies")):
        client.get(path)
    assert log() == []
