"""The server tells the script of a page which form it took, and takes none that somebody else typed."""

import re
from pathlib import Path

import pytest
from django.conf import settings as installed
from django.test import Client
from django.urls import reverse

from surveys.models import Questionnaire
from surveys.questionnaires.drafts import new_draft
from teams.base.typed import person
from teams.models import Study, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(roos: User, client: Client) -> User:
    client.force_login(roos)
    return roos


def cookies_of(answer) -> list[str]:
    return [name for name in answer.cookies if name.startswith("typed-")]


def new(client: Client, mark: str, **fields: str):
    data = {"code": "trust", "title_nl": "Vertrouwen", "title_en": "Trust", "typed": mark, **fields}
    return client.post(reverse("questionnaire_new"), data)


def test_a_form_that_was_taken_is_told_and_one_with_errors_is_not(client: Client, researcher: User):
    refused = new(client, f"{person(researcher)}.abc1", code="")
    assert (refused.status_code, cookies_of(refused)) == (200, [])
    taken = new(client, f"{person(researcher)}.abc1")
    assert taken.status_code == 302
    assert cookies_of(taken) == ["typed-abc1"]
    assert 0 < taken.cookies["typed-abc1"]["max-age"] <= 120


def test_going_on_with_an_error_is_not_taken(client: Client, researcher: User, study: Study):
    questionnaire = Questionnaire.objects.create(group=study.group, code="q", draft=new_draft("q", {}), edit=1)
    mark = {"action": "undo", "edit": "1", "typed": f"{person(researcher)}.abc1"}
    answer = client.post(reverse("questionnaire_change", args=[questionnaire.pk]), mark)
    assert answer.status_code == 302
    assert cookies_of(answer) == []


def test_a_session_that_is_over_has_taken_nothing(client: Client, researcher: User):
    client.logout()
    answer = new(client, f"{person(researcher)}.abc1")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("account_login"))
    assert cookies_of(answer) == []


@pytest.mark.parametrize("mark", ["", "abc1", ".a;b=c", ".UPPER", ".x" + "a" * 30, "zz.abc1", ".a\r\nb"])
def test_no_other_name_gets_a_cookie(client: Client, researcher: User, mark: str):
    assert cookies_of(new(client, mark)) == []


def test_what_somebody_else_typed_changes_nothing(client: Client, researcher: User):
    other = User.objects.create_user("other@example.org")
    answer = new(client, f"{person(other)}.abc1")
    assert answer.status_code == 409
    assert "Vertrouwen" not in answer.content.decode()
    assert not Questionnaire.objects.filter(code="trust").exists()
    by_script = client.post(
        reverse("questionnaire_new"), {"typed": f"{person(other)}.abc1"}, headers={"HX-Request": "true"}
    )
    assert by_script.status_code == 401


def test_a_new_secret_key_turns_nobody_away(client: Client, researcher: User, settings):
    mark = f"{person(researcher)}.abc1"
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    client.force_login(researcher)
    assert new(client, mark).status_code == 302


def test_every_page_says_whose_it_is_and_names_nobody(client: Client, researcher: User):
    page = client.get(reverse("questionnaire_new")).content.decode()
    assert f'data-person="{person(researcher)}"' in page
    assert re.fullmatch(r"[0-9a-f]{16}", person(researcher))
    assert "data-person" not in Client().get(reverse("home")).content.decode()


def test_signing_out_forgets(client: Client, researcher: User):
    for page in (reverse("studies"), reverse("account_logout")):
        text = client.get(page).content.decode()
        forms = re.findall(r"<form[^>]*>", text)
        assert [form for form in forms if "logout" in form and "data-forget" in form], page
        assert not [form for form in forms if "logout" in form and "data-forget" not in form], page


def test_the_pages_of_signing_in_keep_nothing(client: Client):
    for page in ("account_login", "account_request_login_code", "account_reset_password"):
        assert 'data-typed="off show"' in client.get(reverse(page)).content.decode()


@pytest.mark.parametrize("prefix", ["", "__Host-"])
def test_scripts_find_the_token_under_the_name_of_this_installation(prefix: str):
    """With https cookies have a prefix: a script that knows the bare name alone sends the token of before, for ever."""
    readers = []
    for script in sorted(Path(installed.BASE_DIR, "static", "js").rglob("*.js")):
        for pattern in re.findall(r"cookie\.match\(/(.+?)/\)", script.read_text()):
            if "csrftoken" in pattern:
                readers.append(script.name)
                cookies = f"typed-abc=1; {prefix}csrftoken=t0ken; {prefix}django_language=nl"
                match = re.search(pattern, cookies)
                assert match, f"{script.name} does not find it"
                assert match[1] == "t0ken"
    assert readers == ["autosave.js", "typed.js"]
