"""The short way below /a/ skips middleware, and nothing that protects."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import get_resolver, reverse

from config import answering
from surveys import answer_urls
from surveys.answering.style import answer_style_source
from tests.access.cast import make_cast

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

    monkeypatch.setattr("surveys.answering.submission.find", broken)
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


@pytest.mark.parametrize("path", ["/a/", "/a/q", "/a/no/such/page", "/", "/privacy"])
def test_the_headers_by_value(db, path):
    """What protects every page, as it is sent: a weakness that all pages share is seen too."""
    headers = Client().get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";") if part.strip())
    styles = policy.pop("style-src").split()
    assert styles[0] == "'self'"
    assert all(source.startswith("'sha256-") for source in styles[1:])
    assert policy == {
        "default-src": "'none'",
        "object-src": "'none'",
        "script-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == ("no-referrer" if path in ("/a/", "/a/q") else "same-origin")
    assert not any(name.startswith("Access-Control-") for name in headers)


def test_an_error_says_nothing_of_what_went_wrong(db, monkeypatch):
    def broken(*_args):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("surveys.answering.submission.find", broken)
    page = Client(raise_request_exception=False).get("/a/q").content.decode()
    for word in ("secret of the house", "RuntimeError", "Traceback", "submission"):
        assert word not in page


class Loads(HTMLParser):
    """Whatever a page loads by itself, or sends a form to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        names = ("src", "srcset", "action", "poster", "data") + (("href",) if tag in ("link", "use", "image") else ())
        self.addresses |= {value for name, value in attrs if name in names and value}


def test_a_teachers_page_and_its_assets_ask_nobody_else(db):
    cast = make_cast()
    client, seen = Client(headers={"origin": "http://testserver"}), set()
    code = cast.collection.meeting.code
    welcome = client.get(f"/a/{code}")
    begun = client.post(reverse("answer_start"), {"code": code, "consent": "yes"})
    asked = client.get(begun["Location"])
    assert "<form" in asked.content.decode()
    for page in (client.get("/a/"), welcome, asked):
        assert page.status_code == 200
        seen |= Loads(page.content.decode()).addresses
    assert any(address.endswith("answer.js") for address in seen)
    outside = re.compile(r"""(?:url\(|import\s*\(?|fetch\(|from\s*)\s*["']?(?:https?:)?//""")
    for address in seen:
        assert address.startswith("data:") or re.match(r"/(?!/)|\?|#|\w+$", address), address
        if address.startswith("/static/"):
            file = finders.find(address.removeprefix("/static/"))
            assert file is not None, address
            assert not outside.search(Path(file).read_text(errors="replace")), address


EVIL = ("https://evil.example/", "//evil.example/", "/\\evil.example", "http:evil.example", "javascript:alert(1)")


@pytest.mark.parametrize("evil", EVIL)
def test_no_address_in_a_request_leads_to_another_site(db, evil):
    cast = make_cast()
    alice = cast.client("alice")
    employment = reverse("study_employment", args=[cast.study.slug])
    answers = [
        Client().post(reverse("set_language"), {"language": "en", "next": evil}),
        Client().post(reverse("set_language"), {"language": "en"}, headers={"referer": evil}),
        alice.post(employment, {"none": "on", "next": evil}),
        alice.post(f"{employment}?next={evil}", {"none": "on"}),
        alice.get(f"{reverse('account_login')}?next={evil}"),
        alice.post(reverse("account_logout"), {"next": evil}),
    ]
    for answer in answers:
        assert answer.status_code == 302
        assert re.match(r"/(?![/\\])", answer["Location"]), answer["Location"]
