"""A researcher's file of 5,000 teams, all new: looked at and applied, on a PostgreSQL that writes to the disk: `make bench-import`.

What of it grows with the rows is seen from a tenth of them. On a machine that others use too, wall time tells of them.
"""

import json
import os
import sys
import time
from pathlib import Path

from bench.figures import Counting, at_most, measured
from bench.production import measured_inside
from scripts.postgres import DURABLE

ROWS, LIMIT, QUERIES = int(os.environ.get("ROWS", "5000")), 8.0, 0.5


def main() -> int:
    if len(sys.argv) > 1:
        return measure(sys.argv[1])
    return measured_inside("bench.import", "import", DURABLE)


def measure(out: str) -> int:
    """Inside the setting: apply the files, write the figures."""
    import django

    django.setup()
    from bench.large_study import make_unopened
    from teams.contacts import cells, contacts
    from teams.files.tables import Table
    from teams.models import User

    figures = [measured("load average before, of this machine", os.getloadavg()[0], "")]
    for n_rows in (ROWS // 10, ROWS):
        study = make_unopened(f"of-{n_rows}", 1)
        by = User.objects.get(email=f"researcher@of-{n_rows}.example")
        table = Table(cells.EXAMPLE[0], [row(n) for n in range(n_rows)])
        with Counting() as queries:
            wall, cpu = time.perf_counter(), time.process_time()
            done = contacts.apply(study, table, by)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert done.count(contacts.RowState.NEW) == n_rows
        figures += [
            at_most(f"{n_rows} rows: applied in", wall, LIMIT, "s"),
            measured("  of which processor time", cpu, "s"),
            at_most("  queries per row", queries.n / n_rows, QUERIES, ""),
        ]
    Path(out).write_text(json.dumps([figure.__dict__ for figure in figures]))
    return 0


def row(n: int) -> list[str]:
    """Twenty teams to an academy, five academies to a school."""
    academy, host = n // 20, f"school{n // 100}.example"
    director = [f"Director {academy}", f"director{academy}@{host}"]
    return [
        f"School {n // 100}",
        f"Academy {academy}",
        "health",
        *director,
        f"Team {n}",
        "",
        f"Leader {n}",
        f"leader{n}@{host}",
    ]


if __name__ == "__main__":
    sys.exit(main())
