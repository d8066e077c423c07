"""docs/promises.md: every text it names still stands in the catalogue, every test exists, and no new promise is left out."""

import datetime
import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.core import mail as django_mail
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from freezegun import freeze_time

from analysis.publication import links
from teams.accounts.sign_in import set_password_path
from teams.inviting import invitations
from teams.inviting.withdrawing import withdraw
from teams.mail import outbox
from teams.models import Invitation, OutboxMessage, Participation, User
from tests.analysis import builders

ROOT = Path(settings.BASE_DIR)
# words with which our texts promise something
PROMISING = re.compile(
    r"\b(never|nobody|no one|no longer|any more|not kept|nothing is kept|is kept|are kept|be kept|keeps? your|you get"
    r"|gets? an? e?mail|get the|no later than|at most|undertake|voluntary|not used|are deleted|is deleted|deletes?|can delete"
    r"|destroy(?:ed|s)?|erased?|without names?|no name|not stand|works for|stays? on it|must then|on record|recorded"
    r"|not shown|is told|are told"
    r"|we tell|we (?:use|keep|write|e?mail|do not)|only (?:see|results|your|the researchers|this|sees?))\b",
    re.IGNORECASE,
)


@cache
def texts() -> tuple[str, ...]:
    """Every interface text, as it stands in the code."""
    with (ROOT / "locale/nl/LC_MESSAGES/django.po").open("rb") as file:
        catalogue = read_po(file)
    return tuple(m.id[0] if isinstance(m.id, tuple | list) else m.id for m in catalogue if m.id)


@cache
def document() -> str:
    return (ROOT / "docs/promises.md").read_text()


def named() -> list[str]:
    return [name.replace("\\|", "|") for name in re.findall(r"“((?:[^…“]|“[^”]*”)+)…”", document())]


def test_every_text_still_stands():
    gone = [name for name in named() if not any(text.startswith(name) for text in texts())]
    assert len(named()) > 150
    assert gone == [], "changed: read the promise afresh, and its row in docs/promises.md"


def test_every_test_exists():
    tests = set(re.findall(r"`([\w/]+\.py)::(\w+)`", document()))
    assert len(tests) > 60
    missing = [
        f"{file}::{name}"
        for file, name in sorted(tests)
        if not (ROOT / "tests" / file).exists() or f"def {name}(" not in (ROOT / "tests" / file).read_text()
    ]
    assert missing == []


def test_every_row_has_a_test():
    for row in re.findall(r"^\| “.*$", document(), re.MULTILINE):
        assert "::test_" in row, row


def test_no_text_that_sounds_like_a_promise_is_left_out():
    long = [text for text in texts() if len(text) >= 25 and " " in text and PROMISING.search(text)]
    left_out = [text for text in long if not any(text.startswith(name) for name in named())]
    assert left_out == [], "a row in docs/promises.md: what keeps it, and its test; or the list of what is no promise"


# ------------------------------------------------------------------------------------------------ kept here
@pytest.mark.django_db
def test_a_link_to_set_a_password_works_for_three_days():
    """Once, and not a day longer."""
    assert get_resolver().url_patterns  # with them modules that cannot be loaded while the clock stands still
    with freeze_time("2026-11-02 08:00") as clock:
        user = User.objects.create_user("ine@noord.example", name="Ine Bakker")
        late, used = set_password_path(user), set_password_path(user)

        def form_of(path: str) -> str:
            return Client().get(path, follow=True).content.decode()

        clock.move_to("2026-11-05 07:59")
        assert 'name="password1"' in form_of(late)
        clock.move_to("2026-11-05 08:01")
        assert 'name="password1"' not in form_of(late)
        clock.move_to("2026-11-05 07:59")
        user.set_password("correct horse battery")
        user.save()
        assert 'name="password1"' not in form_of(used)


def test_a_sign_in_code_works_for_ten_minutes():
    assert datetime.timedelta(minutes=10).total_seconds() == settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT


@pytest.mark.django_db
def test_a_directors_link_works_for_half_a_year():
    study = builders.make_study()
    participation = builders.make_team(study, "Alfa")
    academy = participation.team.academy
    Invitation.objects.create(study=study, academy=academy, state="accepted", undertaking=True)
    (link,) = links.links_for_directors(study)
    days = (link.expires_on - timezone.localdate()).days
    assert 180 <= days <= 184


@pytest.mark.django_db
def test_a_team_that_stopped_gets_no_more_mail_but_that_it_did():
    """Whatever waits in the outbox for its leader, contact person and teachers is dropped at sending."""
    study = builders.make_study()
    study.refresh_from_db()
    participation = builders.make_team(study, "Alfa")
    academy = participation.team.academy
    Invitation.objects.create(study=study, academy=academy, state="accepted", undertaking=True)
    invitation = Invitation.objects.create(
        study=study, participation=participation, state="accepted", undertaking=True, nonce="a" * 32
    )
    of_invitations = ("teams.leader_invitation", "teams.leader_reminder", "teams.leader_confirmation")
    of_participations = ("surveys.collecting_begins", "report_ready")
    for kind in of_invitations:
        outbox.queue(kind, invitation.pk, study=study)
    for kind in of_participations:
        outbox.queue(kind, participation.pk, study=study)
    assert withdraw(invitation, "workload", by_link=True)
    outbox.send_due()
    assert len(django_mail.outbox) == 1
    assert Participation.objects.get(pk=participation.pk).state == "withdrawn"
    kept = set(OutboxMessage.objects.filter(state="sent").values_list("kind", flat=True))
    assert kept == {"teams.team_withdrawn"}
    assert not invitations.remind(invitation)


def test_what_a_team_wrote_down_is_read_for_its_talk_and_report_only():
    """No other page, file or export reads it; deleting and removing know the table."""
    known = {
        "analysis/models/readers.py",
        "analysis/models/__init__.py",
        "analysis/publication/talks.py",
        "analysis/views/readers/talks.py",
        "analysis/publication/served.py",  # of the leader, by the team's link
        "analysis/publication/standing.py",  # as a fingerprint
        "analysis/mirror/seen.py",  # of the leader and by the team's link, before the report
        "analysis/looking_back/cycle.py",  # how many, for the picture on the team's page
        "analysis/looking_back/steps.py",  # each agreed step, for the team's page to look back
    }
    known |= {"analysis/erasure/consequences.py", "analysis/erasure/places.py"}
    reads = re.compile(r"\bTeamGoal\b|\bgoals_(of|beside)\b|[\"'.]teamgoal")
    pages = {
        str(path.relative_to(ROOT))
        for app in ("teams", "surveys", "analysis", "config")
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts and reads.search(path.read_text())
    }
    assert pages == known
