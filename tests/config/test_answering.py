"""The short way below /a/ skips middleware, and nothing that protects."""

import pytest
from django.test import Client
from django.urls import get_resolver

from config import answering
from surveys import answer_urls
from surveys.style import answer_style_source

PROTECTING = (
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "Cross-Origin-Opener-Policy",
    "Content-Length",
    "Content-Language",
)


@pytest.mark.parametrize("path", ["/a/", "/a/q", "/a/l", "/a/AAAAAA", "/a/sw.js", "/a/no/such/page"])
def test_pages_below_a_have_the_headers_of_every_page(db, path):
    client = Client()
    page, home = client.get(path), client.get("/")
    for name in PROTECTING:
        value = page.headers[name].replace(f" {answer_style_source()}", "")  # the one style that stands in the page
        assert value == home.headers[name] or name == "Content-Length", name
    assert int(page.headers["Content-Length"]) == len(page.content)


def test_an_error_page_has_them_too(db, monkeypatch):
    def broken(*_args):
        raise RuntimeError

    monkeypatch.setattr("surveys.submission.find", broken)
    page = Client(raise_request_exception=False).get("/a/q")
    assert page.status_code == 500
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_they_touch_no_session_and_set_no_form_token(db, django_assert_num_queries):
    client = Client()
    client.cookies["sessionid"] = "x" * 32
    with django_assert_num_queries(0):
        page = client.get("/a/")
    assert not hasattr(page.wsgi_request, "session")
    assert set(page.cookies) == {"device"}


def test_another_host_name_is_refused(db, settings):
    settings.ALLOWED_HOSTS = ["teamspiegel.example"]
    assert Client().get("/a/", headers={"host": "evil.example"}).status_code == 400
    assert Client().get("/a/", headers={"host": "teamspiegel.example"}).status_code == 200


def test_plain_http_is_sent_to_https(db, settings):
    settings.SECURE_SSL_REDIRECT = True
    page = Client().get("/a/")
    assert (page.status_code, page["Location"]) == (301, "https://testserver/a/")


@pytest.mark.parametrize("pattern", answer_urls.urlpatterns, ids=lambda pattern: pattern.name)
def test_whoever_takes_the_short_way_said_so(pattern):
    view = pattern.callback
    short = not getattr(view, "login_required", True) and getattr(view, "csrf_exempt", False)
    assert short or pattern.name == "service_worker"


def test_a_view_that_asks_for_a_sign_in_still_gets_it(db, monkeypatch, client):
    match = get_resolver().resolve("/a/q")
    monkeypatch.setattr(match.func, "login_required", True)
    monkeypatch.setattr(answering, "resolve", lambda _path: match)
    assert "/accounts/login/" in client.get("/a/q").headers["Location"]
