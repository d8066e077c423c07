"""PostgreSQL restarts, as at every update of the server: no connection that was open before costs somebody a page."""

from threading import Barrier

import environ
import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from config import settings as configured
from scripts.postgres import Server, server
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.postgres_only
AT_ONCE = 4


def pooled(database: Server, **changes: object) -> ConnectionHandler:
    """Connections as the web server has them, to a server that the test may restart."""
    options = configured.DATABASE_OPTIONS["django.db.backends.postgresql"]
    checks = configured.DATABASES["default"]["CONN_HEALTH_CHECKS"]
    there = {**environ.Env.db_url_config(database.url), "OPTIONS": options, "CONN_HEALTH_CHECKS": checks, **changes}
    return ConnectionHandler({"default": {}, "restarted": there})


def ask(connections: ConnectionHandler) -> list[object]:
    """As many requests at once, each with a connection of its own; what each got."""
    met = Barrier(AT_ONCE)

    def request() -> int:
        connection = connections["restarted"]
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                met.wait(20)  # none gives its connection back before all have one
                return int(cursor.fetchone()[0])
        except Exception:
            met.abort()
            raise
        finally:
            connection.close()

    return in_threads(*[request] * AT_ONCE)


@pytest.mark.parametrize("stop", ["stop", "kill"])
def test_after_a_restart_every_request_is_answered(stop):
    with server() as database:
        connections = pooled(database)
        try:
            assert ask(connections) == [1] * AT_ONCE
            getattr(database, stop)()
            database.start()
            assert ask(connections) == [1] * AT_ONCE
        finally:
            connections["restarted"].close_pool()


def test_without_the_check_they_would_fail():
    """What the setting is for; and that the test above can fail."""
    with server() as database:
        connections = pooled(database, CONN_HEALTH_CHECKS=False)
        try:
            assert ask(connections) == [1] * AT_ONCE
            database.stop()
            database.start()
            assert any(isinstance(answer, OperationalError) for answer in ask(connections))
        finally:
            connections["restarted"].close_pool()
