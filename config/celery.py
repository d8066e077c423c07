"""Celery: finds the tasks of the apps. The broker is only a wake-up; see docs/adr."""

import logging
import logging.config
import os
import time
from typing import Any

from celery import Celery
from celery.signals import before_task_publish, setup_logging, task_prerun, task_revoked, worker_init

from config import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

logger = logging.getLogger(__name__)
MIGRATIONS_EVERY = 2  # seconds
APART = 5  # seconds that clocks may differ without a word

broker.use()
app = Celery("teamspiegel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_everywhere(loglevel: int | str | None = None, **_given: Any) -> None:
    """Celery's own handlers would write what config/logs.py cuts. Worker and beat log as the web server does."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
    if loglevel:
        logging.getLogger().setLevel(loglevel)


# ------------------------------------------------------------------------------------------------ a worker's start
@worker_init.connect
def wait_for_migrations(**_given: Any) -> None:
    """A worker that is newer than the database would fail at everything it takes up: it waits until somebody migrates."""
    from django.db import connection

    waits = False
    while missing := _missing():
        if not waits:
            logger.warning("Waiting until the database is migrated: %s is not there yet", missing)
        waits = True
        connection.close()
        time.sleep(MIGRATIONS_EVERY)
    connection.close()


def _missing() -> str:
    """The first migration that the database does not have, or why it cannot say."""
    from django.db import Error, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        return f"a database ({type(error).__name__})"
    return str(plan[0][0]) if plan else ""


# ------------------------------------------------------------------------------------------------ clocks
@before_task_publish.connect
def note_when_sent(headers: dict[str, Any], **_given: Any) -> None:
    headers["sent_at"] = time.time()


@task_prerun.connect
def compare_clocks(task: Any, **_given: Any) -> None:
    """A wake-up from the future: the clock of who sent it goes before ours."""
    sent_at = getattr(task.request, "sent_at", None) or (task.request.headers or {}).get("sent_at")
    if sent_at is not None and sent_at - time.time() > APART:
        logger.warning(
            "Clocks are apart: a wake-up of %s came %.0f seconds before it was sent", task.name, sent_at - time.time()
        )


@task_revoked.connect
def say_that_it_expired(request: Any, expired: bool = False, **_given: Any) -> None:
    if expired:
        logger.warning(
            "A wake-up of %s expired unheard: workers are too busy, or the clocks of beat and worker are apart",
            request.task,
        )
