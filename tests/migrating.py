"""For tests of migrations with rows: the tables as they were are made once for all tests of a module.

Going back takes ten seconds, most of which Django needs to imagine what the tables were.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

Targets = list[tuple[str, str]]


def leaves() -> Targets:
    """All migrations that there are."""
    return MigrationExecutor(connection).loader.graph.leaf_nodes()


def tables(targets: Targets) -> Apps:
    """Migrate there, and give the tables as they are then."""
    MigrationExecutor(connection).migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@contextmanager
def tables_of(targets: Targets, blocker: Any) -> Iterator[None]:
    """For a fixture of a module: the tables as they were; at the end all migrations are there again."""
    with blocker.unblock():
        tables(targets)
        try:
            yield
        finally:
            tables(leaves())


@contextmanager
def rows_in(targets: Targets) -> Iterator[Apps]:
    """For a fixture of a test: the tables as they were, empty again and back where they were after it."""
    yield MigrationExecutor(connection).loader.project_state(targets).apps
    call_command("flush", interactive=False, inhibit_post_migrate=True, verbosity=0)
    tables(targets)
