"""A study is deleted with everything: every table, key files, contacts nobody uses, bytes on the disk."""

import itertools
import time
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.urls import reverse

from analysis.erasure import studies
from analysis.erasure.tables_of_study import tables
from analysis.models import AnalysisRun
from analysis.runs import execution
from surveys.collecting.collections import open_collection
from surveys.keys import collection_keys, seal_list
from surveys.models import Collection, Questionnaire, Response, SealedResponse
from teams.models import (
    Academy,
    Event,
    Institution,
    Job,
    OutboxMessage,
    Participation,
    Role,
    Study,
    StudyDeletion,
    Team,
    User,
)
from teams.studies.setting_up import let_work
from tests.analysis import builders
from tests.analysis.erasure import every_table
from tests.surveys import attacker

pytestmark = pytest.mark.django_db
with_commits = pytest.mark.django_db(transaction=True)  # the sweep needs the database for itself

MARKER = "QzMarkerText7f3a"
PASSWORD = "correct horse battery"


@pytest.fixture
def study() -> Study:
    return every_table.published_study()


@pytest.fixture
def roos(study) -> User:
    user = User.objects.create_user("roos@noord.example", PASSWORD, name="Roos de Wit")
    let_work(study, user)
    return user


@pytest.fixture
def full(study, roos) -> Study:
    """The study with a row in every table, its texts marked."""
    every_table.fill(study, roos)
    written = every_table.mark(study, MARKER)
    assert {"Event.detail", "RowRelease.purpose", "CaseNote.text", "MailText.body", "Attendee.name"} <= set(written)
    Study.objects.filter(pk=study.pk).update(contact_name=MARKER, title=f"Learning {MARKER}")
    Team.objects.update(leader_name=MARKER)
    Academy.objects.update(director_name=MARKER)
    study.refresh_from_db()
    return study


def delete(study: Study, by: User | None = None) -> StudyDeletion:
    deletion = studies.begin(study, by)
    studies.carry_out()
    deletion.refresh_from_db()
    return deletion


def test_every_table_with_a_path_to_a_study_is_known_and_filled(full):
    """A new table is found by itself; one that cannot be filled here fails, and wants a line in every_table.SPECIAL."""
    for table in tables():
        assert any(table.of(full, lookup).exists() for lookup in table.lookups), table.model
    assert {"Response", "SealedResponse", "Event", "Unit_participations", "Attendee", "ReportFile"} <= {
        table.model.__name__ for table in tables()
    }


@with_commits
def test_everything_goes_and_one_line_without_names_stays(full, roos):
    collection = Collection.objects.filter(survey__study=full).first()
    collection_keys.make(collection)
    assert every_table.found_in_database(MARKER)
    deletion = delete(full, roos)
    assert deletion.done_at
    assert not Study.objects.exists()
    for table in tables():
        assert not table.model._base_manager.exists(), table.model
    assert every_table.found_in_database(MARKER) == []
    with pytest.raises(collection_keys.KeyDestroyed):
        collection_keys.read(collection)
    line = StudyDeletion.objects.get()
    assert (line.number, line.n_teams, line.n_responses) == (full.pk, 3, 21 + 1), (
        "21 sealed ones, and the open one of every_table"
    )
    assert line.n_gone == line.n_rows
    assert not Team.objects.exists()
    assert not Academy.objects.exists()
    assert not Institution.objects.exists()
    assert Questionnaire.objects.exists(), "belongs to no study"
    assert User.objects.filter(pk=roos.pk).exists(), "a researcher's account stays"


@with_commits
def test_the_bytes_leave_the_disk_and_the_files(full):
    assert Response.objects.exists()
    assert SealedResponse.objects.exists()
    Response.objects.update(answers={"AA1": 1, "open": MARKER})
    SealedResponse.objects.update(answers={"AA1": 1, "open": MARKER})
    assert attacker.left_on_disk([MARKER])
    assert delete(full).done_at
    assert attacker.left_on_disk([MARKER]) == {}
    for path in Path(django_settings.VAR_DIR).rglob("*"):
        if path.is_file():
            assert MARKER.encode() not in path.read_bytes(), path


def test_what_another_study_uses_stays(study, roos):
    other = builders.make_study("other")
    shared = Team.objects.get(name="Alfa")
    Team.objects.filter(pk=shared.pk).update(leader_name="Newest", leader_email="newest@noord.example")
    kept = Participation.objects.create(
        study=other,
        team=shared,
        state="accepted",
        mode="online",
        approached=9,
        leader_name="Both",
        leader_email="both@noord.example",
    )
    leader = User.objects.create_user("both@noord.example", name="Both")
    only_here = User.objects.create_user("here@noord.example", name="Here")
    for user, name in ((leader, "Alfa"), (leader, "Beta"), (only_here, "Gamma")):
        wave = Participation.objects.get(study=study, team__name=name)
        Role.objects.create(user=user, kind=Role.Kind.LEADER, participation=wave)
    Role.objects.create(user=leader, kind=Role.Kind.LEADER, participation=kept)
    n_others = {t.model: t.of(other, t.lookups[0]).count() for t in tables()}
    delete(study)
    assert list(Team.objects.all()) == [shared]
    shared.refresh_from_db()
    assert shared.leader_email == "both@noord.example", "of the wave that stays"
    assert Academy.objects.count() == 1
    assert list(User.objects.order_by("pk")) == [roos, leader]
    assert {t.model: t.of(other, t.lookups[0]).count() for t in tables()} == n_others


def test_a_wave_in_a_series_goes_and_the_next_one_stays(study, roos):
    later = builders.make_study("later")
    Study.objects.filter(pk=later.pk).update(previous=study, wave=2)
    delete(study)
    later.refresh_from_db()
    assert later.previous is None
    assert Event.objects.filter(study=later, kind="study_before_deleted").count() == 1


def test_open_collections_are_closed_first(study, roos):
    open_collection(builders.make_team(study, "Late"))
    with pytest.raises(studies.NotNow, match="Close and seal"):
        studies.begin(study, roos)
    assert not StudyDeletion.objects.exists()


def test_a_run_at_work_is_cancelled_and_mail_is_dropped(full):
    AnalysisRun.objects.update(state="running")
    OutboxMessage.objects.update(state="queued")
    studies.begin(full)
    assert set(AnalysisRun.objects.values_list("state", flat=True)) == {"cancelled"}
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {"dropped"}
    assert execution.surveys_due() == []


@pytest.mark.parametrize("killed_at", [1, 5, 20, 45])
def test_a_worker_that_was_killed_is_followed_by_one_that_goes_on(full, monkeypatch, killed_at):
    batches = itertools.count(1)
    monkeypatch.setattr(studies, "BATCH", 5)

    class Killed(BaseException):
        pass

    def die(deletion: StudyDeletion) -> None:
        if next(batches) == killed_at:
            raise Killed

    deletion = studies.begin(full)
    with pytest.raises(Killed):
        studies.carry_out(die)
    deletion.refresh_from_db()
    assert 0 < deletion.n_gone < deletion.n_rows
    left = sum(studies.n_rows(full).values())
    assert deletion.n_gone + left == deletion.n_rows, "progress is true"
    Job.objects.update(lease_until=None)  # its lease has run out
    studies.carry_out()
    assert not Study.objects.exists()
    assert every_table.found_in_database(MARKER) == []


@with_commits
def test_no_transaction_holds_more_than_a_batch(full, monkeypatch):
    """SQLite lets nobody write while one does: no statement of a deletion touches more rows than a batch."""
    monkeypatch.setattr(studies, "BATCH", 4)
    gone = []

    def note(deletion: StudyDeletion) -> None:
        gone.append(deletion.n_gone)

    studies.begin(full)
    assert studies.carry_out(note) == 1
    assert max(later - before for before, later in itertools.pairwise([0, *gone])) <= 4


def test_of_two_workers_one_deletes(full):
    assert studies.DELETIONS.claim(studies.begin(full).pk)
    assert studies.carry_out() == 0
    assert Study.objects.exists()


def test_a_restored_backup_is_deleted_again(study):
    delete(study)
    again = every_table.published_study()
    Study.objects.filter(pk=again.pk).update(created_at=study.created_at)
    Study.objects.filter(pk=again.pk).update(slug="x")
    seal_list.add_deleted(Study.objects.get(pk=again.pk))  # the number is another in this restored database
    open_collection(builders.make_team(again, "Late"))
    unrelated = builders.make_study("unrelated")
    call_command("replay_deletions")
    assert list(Study.objects.all()) == [unrelated]


# ------------------------------------------------------------------------------------------------ the pages
@with_commits
def test_the_page_wants_the_second_factor_and_the_name(client, full, roos, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(roos, secret)
    client.force_login(roos)
    url = reverse("study_delete", args=[full.slug])
    assert client.get(url).url == f"{reverse('mfa_reauthenticate')}?next={url.replace('/', '%2F')}"
    assert client.post(url, {"title": full.title}).status_code == 302
    assert not StudyDeletion.objects.exists(), "a stale session deletes nothing"
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    response = client.post(f"{reverse('mfa_reauthenticate')}?next={url}", {"code": code, "next": url})
    assert response.url == url
    page = client.get(url)
    assert page.status_code == 200
    assert page.context["goes"]
    assert client.post(url, {"title": "Something else"}).status_code == 200
    assert not StudyDeletion.objects.exists()
    assert client.post(url, {"title": f" {full.title} "}).url == reverse("deleted_studies")
    for name in ("board", "teams", "collecting", "study_settings", "study_delete"):
        response = client.get(reverse(name, args=[full.slug]))
        assert response.status_code == 404
        assert "teams/being_deleted.html" in [template.name for template in response.templates]
    assert client.get(reverse("studies")).status_code == 200
    assert client.get(reverse("deleted_studies")).context["at_work"]
    studies.carry_out()
    page = client.get(reverse("deleted_studies"))
    assert not page.context["at_work"]
    assert MARKER not in page.content.decode()


def test_the_page_of_a_study_with_open_collections_has_no_button(client, study, roos):
    open_collection(builders.make_team(study, "Late"))
    client.post(reverse("account_login"), {"login": roos.email, "password": PASSWORD})
    page = client.get(reverse("study_delete", args=[study.slug]))
    assert page.context["refused"]
    assert 'name="title"' not in page.content.decode()
    client.post(reverse("study_delete", args=[study.slug]), {"title": study.title})
    assert not StudyDeletion.objects.exists()


@with_commits
def test_the_command_deletes_with_the_name_typed(full, monkeypatch):
    with pytest.raises(CommandError, match="not the name"):
        call_command("delete_study", full.slug, title="Another")
    assert Study.objects.exists()
    call_command("delete_study", full.slug, title=full.title)
    assert not Study.objects.exists()
    with pytest.raises(CommandError, match="no study"):
        call_command("delete_study", full.slug, title=full.title)
