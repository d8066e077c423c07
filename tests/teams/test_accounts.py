"""Leaders come in by a mailed code; researchers never by a code alone, and in production with a second factor."""

import base64
import re
import time
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.sessions.models import Session
from django.core import mail as django_mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time

from teams.accounts import sign_in_mails
from teams.mail import outbox
from teams.mail.composing import Mail
from teams.models import OutboxMessage, Role, SignInMail, User
from teams.studies.setting_up import let_work
from tests.teams.test_mail_server import Moody

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
CODE = re.compile(r"^[A-Z0-9-]{6,}$", re.MULTILINE)


@pytest.fixture(autouse=True)
def fresh_rate_limits() -> None:
    cache.clear()


@pytest.fixture
def lena(nursing) -> User:
    user = User.objects.create_user("lena@noord.example", name="Lena Bos")
    Role.objects.create(user=user, kind=Role.Kind.LEADER, participation=nursing)
    return user


def ask_for_code(client: Client, email: str):
    response = client.post(reverse("account_request_login_code"), {"email": email})
    outbox.send_due()
    return response


def mailed_code() -> str:
    (sent,) = django_mail.outbox
    return CODE.search(sent.body).group()


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_session_ends_twelve_hours_after_signing_in_whatever_is_written(client, lena):
    with freeze_time("2026-11-03 08:00:00") as clock:
        ask_for_code(client, lena.email)
        client.post(reverse("account_confirm_login_code"), {"code": mailed_code()})
        assert signed_in(client)
        clock.move_to("2026-11-03 19:00:00")
        session = client.session
        session["written"] = "late"
        session.save()
        assert Session.objects.get(pk=session.session_key).expire_date == datetime(2026, 11, 3, 20, tzinfo=UTC)
        clock.move_to("2026-11-03 20:00:01")
        assert not signed_in(client)


def test_a_session_at_rest_tells_neither_code_nor_address(client, lena):
    ask_for_code(client, lena.email)
    (row,) = Session.objects.all()
    assert row.get_decoded(), "the server itself reads it"
    content, compressed, *_ = [*row.session_data.split(":"), ""]
    packed = content or compressed  # signed; what is compressed begins with a point
    raw = base64.urlsafe_b64decode(packed.removeprefix(".") + "===")
    session = zlib.decompress(raw) if not content or packed.startswith(".") else raw
    assert len(session) > 100
    for secret in (lena.email, mailed_code(), "login_code"):
        assert secret.encode() not in session


def test_a_mail_server_that_hangs_keeps_no_page_waiting(client, lena, settings, monkeypatch):
    """No request opens a connection; and neither session nor outbox nor what waits there tells the code."""
    settings.EMAIL_BACKEND = "tests.teams.test_mail_server.Moody"
    monkeypatch.setattr(Moody, "at_the_door", TimeoutError())
    monkeypatch.setattr(Moody, "opened", 0)
    for name in ("account_request_login_code", "account_reset_password"):
        for email in (lena.email, "nobody@noord.example", "nobody@noord.example"):
            assert client.post(reverse(name), {"email": email}).status_code == 302
    assert Moody.opened == 0
    ask_for_code(client, lena.email)
    assert Moody.opened == 1, "the worker tried"
    monkeypatch.setattr(Moody, "at_the_door", None)
    with freeze_time(timezone.now() + timedelta(seconds=6)):
        outbox.send_due()
    codes = [match.group() for message in django_mail.outbox if (match := CODE.search(message.body))]
    assert codes
    kept = f"{dict(client.session)} {list(OutboxMessage.objects.values())} {list(SignInMail.objects.values())}"
    assert not any(code in kept for code in codes)
    assert lena.email not in str(list(SignInMail.objects.values()))


def test_a_code_goes_before_a_round_of_other_mails(client, lena, monkeypatch):
    monkeypatch.setitem(outbox._renderers, "test.kind", lambda pk, language: Mail("lars@noord.example", "s", "t"))
    outbox.queue_many("test.kind", range(20))
    ask_for_code(client, lena.email)
    assert django_mail.outbox[0].to == [lena.email]
    assert len(django_mail.outbox) == 21


def test_a_code_that_could_not_go_in_time_goes_no_more_and_nothing_stays(client, lena):
    with freeze_time("2026-11-03 08:00") as clock:
        client.post(reverse("account_request_login_code"), {"email": lena.email})
        clock.tick(timedelta(minutes=11))
        assert outbox.send_due() == 0
        clock.tick(timedelta(days=1))
        assert sign_in_mails.forget() == 1
    assert not SignInMail.objects.exists()
    assert not OutboxMessage.objects.exists()


def sign_in(client: Client, user: User) -> None:
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert signed_in(client)


def test_a_leader_signs_in_by_a_mailed_code(client, lena):
    response = ask_for_code(client, "LENA@noord.example")
    assert response.url == reverse("account_confirm_login_code")
    assert not signed_in(client)
    response = client.post(response.url, {"code": mailed_code()})
    assert response.url == reverse("start")
    assert int(client.session["_auth_user_id"]) == lena.pk
    assert client.get(reverse("studies")).status_code == 404


def test_a_wrong_code_does_not_sign_in_and_a_few_of_them_end_the_attempt(client, lena):
    ask_for_code(client, lena.email)
    code = mailed_code()
    for _ in range(3):
        client.post(reverse("account_confirm_login_code"), {"code": "WRONG1"})
    client.post(reverse("account_confirm_login_code"), {"code": code})
    assert not signed_in(client)


def test_a_code_of_another_browser_does_not_sign_in(client, lena):
    ask_for_code(client, lena.email)
    other = Client()
    other.post(reverse("account_confirm_login_code"), {"code": mailed_code()})
    assert not signed_in(other)


def test_a_researcher_is_mailed_no_code(client, roos):
    ask_for_code(client, roos.email)
    (sent,) = django_mail.outbox
    assert sent.to == [roos.email]
    assert reverse("account_login") in sent.body
    assert not CODE.search(sent.body)


def test_an_administrator_is_mailed_no_code(client):
    User.objects.create_superuser("ada@noord.example", PASSWORD)
    ask_for_code(client, "ada@noord.example")
    assert not CODE.search(django_mail.outbox[0].body)


def test_a_leader_who_is_a_researcher_too_is_mailed_no_code(client, lena, study):
    let_work(study, lena)
    ask_for_code(client, lena.email)
    assert not CODE.search(django_mail.outbox[0].body)


def test_even_with_the_right_code_a_researcher_does_not_come_in(client, roos):
    ask_for_code(client, roos.email)
    code = sign_in_mails.code_of(client.session["account_login"]["state"]["stages"]["login_by_code"]["data"]["code"])
    response = client.post(reverse("account_confirm_login_code"), {"code": code})
    assert response.url == reverse("account_login") + "?use=password"
    assert not signed_in(client)


def test_a_session_by_code_ends_when_its_user_becomes_a_researcher(client, lena, study):
    ask_for_code(client, lena.email)
    client.post(reverse("account_confirm_login_code"), {"code": mailed_code()})
    let_work(study, lena)
    response = client.get(reverse("studies"))
    assert response.url == reverse("account_login") + "?use=password"
    assert not signed_in(client)


def test_the_page_looks_the_same_for_known_unknown_and_researchers_addresses(lena, roos):
    pages = []
    for email in (lena.email, roos.email, "nobody@noord.example"):
        client = Client()
        response = ask_for_code(client, email)
        html = client.get(response.url).content.decode()
        html = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", html)
        pages.append((response.status_code, response.url, html.replace(email, "…")))
    assert pages[0] == pages[1] == pages[2]
    assert [len(sent.to) for sent in django_mail.outbox] == [1, 1, 1]


def test_password_reset_looks_the_same_for_known_and_unknown_addresses(client, roos):
    answers = {
        (response.status_code, response.url)
        for response in (
            client.post(reverse("account_reset_password"), {"email": email})
            for email in (roos.email, "nobody@noord.example")
        )
    }
    assert len(answers) == 1


def test_a_researcher_signs_in_by_password(client, roos, study):
    sign_in(client, roos)
    assert client.get(reverse("studies")).status_code == 200


def test_a_wrong_password_does_not_tell_whether_the_address_exists(client, roos):
    texts = set()
    for email in (roos.email, "nobody@noord.example"):
        response = client.post(reverse("account_login"), {"login": email, "password": "wrong"})
        texts.add(str(response.context["form"].non_field_errors()))
    assert len(texts) == 1
    assert not signed_in(client)


@pytest.mark.parametrize("name", ["account_signup", "account_email", "account_email_verification_sent"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_there_is_no_sign_up_and_no_page_of_addresses(client, roos, name, method):
    sign_in(client, roos)
    data = {"email": "new@noord.example", "password1": PASSWORD}
    for visitor in (client, Client()):
        assert getattr(visitor, method)(reverse(name), data).status_code == 404
    assert User.objects.count() == 1


def test_a_deactivated_leader_does_not_come_in(client, lena):
    User.objects.filter(pk=lena.pk).update(is_active=False)
    ask_for_code(client, lena.email)
    assert not CODE.search(django_mail.outbox[0].body)


def test_without_a_second_factor_a_researcher_sees_nothing_but_its_set_up(client, roos, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    sign_in(client, roos)
    for name, args in (("studies", []), ("study_new", []), ("teams", ["learning"])):
        assert client.get(reverse(name, args=args)).url == reverse("mfa_activate_totp")
    assert client.get(reverse("privacy")).status_code == 200
    client.post(reverse("account_logout"))
    assert not signed_in(client)


def test_a_researcher_sets_up_the_second_factor_and_goes_on(client, roos, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    sign_in(client, roos)
    response = client.get(reverse("mfa_activate_totp"), follow=True)  # asks for the password once more
    response = client.post(response.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)
    assert response.redirect_chain[-1][0] == reverse("mfa_activate_totp")
    secret = response.context["form"].secret
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    response = client.post(reverse("mfa_activate_totp"), {"code": code}, follow=True)
    assert response.redirect_chain[-1][0] == reverse("mfa_view_recovery_codes")
    assert response.content.decode().count("<h1") == 1
    assert client.get(reverse("studies")).status_code == 200


def test_a_second_factor_opens_the_way_and_is_asked_at_the_next_sign_in(client, roos, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    TOTP.activate(roos, "JBSWY3DPEHPK3PXP")
    client.force_login(roos)
    assert client.get(reverse("studies")).status_code == 200
    other = Client()
    response = other.post(reverse("account_login"), {"login": roos.email, "password": PASSWORD})
    assert response.url == reverse("mfa_authenticate")
    assert not signed_in(other)
    assert other.get(response.url).status_code == 200


def test_recovery_codes_alone_are_no_second_factor(client, roos, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    Authenticator.objects.create(user=roos, type=Authenticator.Type.RECOVERY_CODES, data={})
    client.force_login(roos)
    assert client.get(reverse("studies")).url == reverse("mfa_activate_totp")


def test_leaders_need_no_second_factor(client, lena, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client.force_login(lena)
    assert client.get(reverse("account_change_password")).status_code != 404
    assert client.get(reverse("studies")).status_code == 404


def test_public_pages_cost_the_middleware_no_query(client, roos, settings, django_assert_num_queries):
    settings.SECOND_FACTOR_REQUIRED = True
    with django_assert_num_queries(0):
        client.get(reverse("account_login"))


def test_a_visitor_is_sent_to_the_sign_in_page_which_offers_both_ways(client, study):
    response = client.get(reverse("teams", args=["learning"]), follow=True)
    html = response.content.decode()
    assert response.redirect_chain[0][0].startswith(reverse("account_login"))
    assert f'action="{reverse("account_request_login_code")}' in html
    assert 'name="password"' in html
    assert reverse("account_signup") not in html


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_request_login_code",
        "account_reset_password",
        "account_reset_password_done",
        "account_inactive",
    ],
)
def test_pages_of_sign_in_have_our_frame_and_one_heading(client, db, name):
    html = client.get(reverse(name)).content.decode()
    assert html.count("<h1") == 1
    assert "build/app.css" in html
    assert "<script>" not in html
    assert " style=" not in html


@pytest.mark.parametrize(
    "name",
    [
        "account_logout",
        "account_change_password",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_generate_recovery_codes",
        "mfa_list_webauthn",
    ],
)
def test_pages_of_the_account_have_our_frame_and_one_heading(client, roos, name):
    sign_in(client, roos)
    html = client.get(reverse(name), follow=True).content.decode()
    assert html.count("<h1") == 1
    assert "build/app.css" in html
    assert " style=" not in html
