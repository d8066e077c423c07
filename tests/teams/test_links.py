"""Tokens open one thing for one purpose, and opening a link writes nothing."""

import pytest
from django.core import mail as django_mail
from django.http import Http404
from django.test import RequestFactory
from django.urls import reverse

from teams import links
from teams.inviting import invitations
from teams.models import Event, Invitation, OutboxMessage

NONCE = "0123456789abcdef0123456789abcdef"


def test_a_token_says_what_it_was_made_for():
    token = links.make_token("invitation", 7, NONCE)
    assert links.read_token("invitation", token) == links.Token(7, NONCE)


@pytest.mark.parametrize("tampered", ["", "7", "a.b.c", "7..x", f"7.{NONCE}", f"8.{NONCE}."])
def test_a_token_that_was_not_signed_here_says_nothing(tampered):
    assert links.read_token("invitation", tampered) is None


def test_another_purpose_another_object_or_another_signature_does_not_open():
    token = links.make_token("invitation", 7, NONCE)
    assert links.read_token("facilitator", token) is None
    assert links.read_token("invitation", token.replace("7.", "8.", 1)) is None
    assert links.read_token("invitation", token[:-1] + ("a" if token[-1] != "a" else "b")) is None


def test_a_new_nonce_revokes_and_a_blank_one_never_opens():
    token = links.Token(7, NONCE)
    assert token.opens(7, NONCE)
    assert not token.opens(7, links.new_nonce())
    assert not token.opens(8, NONCE)
    assert not links.Token(7, "").opens(7, "")


def test_nonces_have_128_bits_and_shorter_ones_are_refused():
    assert len(links.new_nonce()) == 32
    assert links.new_nonce() != links.new_nonce()
    with pytest.raises(ValueError, match="128"):
        links.make_token("invitation", 7, NONCE[:-1])


def test_entering_moves_the_token_into_a_cookie_for_one_path(settings):
    settings.SESSION_COOKIE_SECURE = True
    response = links.enter("invitation", "the-token", "/i/7/")
    cookie = response.cookies["__Secure-invitation"]
    assert response.url == "/i/7/"
    assert cookie.value == "the-token"
    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["secure"]) == ("/i/7/", True, "Lax", True)
    assert response["Referrer-Policy"] == "no-referrer"


def test_a_request_without_a_good_cookie_is_a_stranger():
    request = RequestFactory().get("/i/7/")
    with pytest.raises(Http404):
        links.token_of(request, "invitation")
    request.COOKIES["invitation"] = links.make_token("invitation", 7, NONCE)
    assert links.token_of(request, "invitation") == links.Token(7, NONCE)


def test_opening_the_link_writes_nothing_and_can_be_repeated(client, nursing, study):
    invitations.invite_directors(study)
    invitation = invitations.academy_invitation(nursing)
    before = (list(Invitation.objects.values()), Event.objects.count(), OutboxMessage.objects.count())
    for _ in range(3):  # mail scanners open links too
        response = client.get(invitations.link_path(invitation))
        assert response.status_code == 302
        assert response.url == reverse("invitation", args=[invitation.pk])
        assert client.get(response.url).status_code == 200
    assert (list(Invitation.objects.values()), Event.objects.count(), OutboxMessage.objects.count()) == before
    assert django_mail.outbox == []


def test_a_wrong_an_old_and_a_missing_link_look_alike(client, nursing, study):
    invitations.invite_directors(study)
    invitation = invitations.academy_invitation(nursing)
    path = invitations.link_path(invitation)
    client.get(path)
    Invitation.objects.filter(pk=invitation.pk).update(nonce=links.new_nonce())
    old = client.get(reverse("invitation", args=[invitation.pk]))
    wrong = client.get(path + "x")
    client.cookies.clear()
    missing = client.get(reverse("invitation", args=[invitation.pk]))
    unknown = client.get(reverse("invitation", args=[99_999]))
    assert [response.status_code for response in (old, wrong, missing, unknown)] == [404] * 4
    assert {response.templates[0].name for response in (old, wrong, missing, unknown)} == {"teams/link_ended.html"}
