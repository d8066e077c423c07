"""Wake-ups: two queues, clocks that are apart, and a worker that is newer than the database."""

import logging
import time
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config import celery
from scripts.run import commands
from scripts.setup import ROOT

LONG = {"analysis.execute_run", "analysis.help_with_run", "analysis.make_report_files", "analysis.prepare_file"}


def test_what_somebody_waits_for_and_what_takes_long_are_two_queues_with_a_worker_each():
    celery.app.loader.import_default_modules()
    celery.app.autodiscover_tasks(force=True)
    ours = {name for name in celery.app.tasks if not name.startswith("celery.")}
    assert {"teams.send_due_mail", "surveys.seal_due_collections"} | LONG <= ours
    assert set(settings.CELERY_TASK_ROUTES) <= ours
    queue_of = {name: celery.app.amqp.router.route({}, name)["queue"].name for name in ours}
    assert {name for name, queue in queue_of.items() if queue == "work"} >= LONG
    assert queue_of["teams.send_due_mail"] == queue_of["surveys.seal_due_collections"] == "answers"
    programs = " ".join(commands("127.0.0.1", 8000, ROOT).values())
    for queue in set(queue_of.values()):
        assert f"--queues {queue} " in programs
        assert f"--queues {queue} " in (ROOT / "docs" / "deployment.md").read_text()


def test_no_wake_up_is_discarded_for_clocks_that_are_a_minute_apart():
    """Beat writes when a wake-up expires by its own clock; the worker compares with its own."""
    assert settings.WAKE_UP_LASTS > 120
    assert {entry["options"]["expires"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} == {settings.WAKE_UP_LASTS}


@pytest.mark.parametrize(("ahead", "said"), [(60, 1), (2, 0), (-60, 0)])
def test_a_wake_up_from_the_future_is_said(caplog, ahead, said):
    headers: dict[str, object] = {}
    celery.note_when_sent(headers)
    headers["sent_at"] += ahead
    request = SimpleNamespace(headers=headers)
    with caplog.at_level(logging.WARNING):
        celery.compare_clocks(SimpleNamespace(name="teams.send_due_mail", request=request))
    assert len([line for line in caplog.messages if "Clocks are apart" in line]) == said


def test_a_wake_up_that_expired_unheard_is_said(caplog):
    celery.say_that_it_expired(SimpleNamespace(task="teams.send_due_mail"), expired=True)
    celery.say_that_it_expired(SimpleNamespace(task="teams.send_due_mail"), expired=False)
    (line,) = caplog.messages
    assert "teams.send_due_mail expired unheard" in line


@pytest.mark.django_db
def test_a_worker_waits_while_a_migration_is_missing(monkeypatch, caplog):
    recorder = MigrationRecorder(connection)
    app, name = "teams", sorted(name for app, name in recorder.applied_migrations() if app == "teams")[-1]
    recorder.record_unapplied(app, name)
    slept = []

    def migrate_at_last(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            recorder.record_applied(app, name)

    monkeypatch.setattr(time, "sleep", migrate_at_last)
    monkeypatch.setattr(connection, "close", lambda: None)
    celery.wait_for_migrations()
    assert slept == [celery.MIGRATIONS_EVERY] * 3
    assert len([line for line in caplog.messages if "Waiting until the database is migrated" in line]) == 1
