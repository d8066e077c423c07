"""The researcher's pages of a study of 5,000 teams and 200,000 personal links, on PostgreSQL: `make bench-board`.

Server time is the wall time of the request through all middleware, view and template, in one process beside the database;
the processor time of the web process stands beside it. On a machine that others use too, wall time tells of them: the load
average before the first request is printed.
"""

import json
import os
import statistics
import sys
import time
from pathlib import Path

from bench.figures import at_most, measured
from bench.production import measured_inside

TEAMS, PER_TEAM, LIMIT = 5_000, 80, 300.0
ROUNDS = 9


def main() -> int:
    if len(sys.argv) > 1:
        return measure(sys.argv[1])
    return measured_inside("bench.board", "board")


def measure(out: str) -> int:
    """Inside the setting: make the study, ask for every page, write the figures."""
    import django

    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from bench.large_study import make
    from teams.models import User

    started = time.perf_counter()
    made = make(TEAMS, PER_TEAM)
    assert (made.n_teams, made.n_invitees) == (TEAMS, TEAMS // 2 * PER_TEAM)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    figures = [
        measured("teams", made.n_teams, ""),
        measured("invitees", made.n_invitees, ""),
        measured("study made", time.perf_counter() - started, "s"),
        measured("load average before, of this machine", os.getloadavg()[0], ""),
    ]
    client = Client()
    client.force_login(User.objects.get(email="researcher@large.example"))
    slug = made.slug
    pages = {
        "board": reverse("board", args=[slug]),
        **{f"teams{words}": reverse("teams", args=[slug]) + query for words, query in TEAMS_QUERIES.items()},
        **{f"collecting{words}": reverse("collecting", args=[slug]) + query for words, query in COLLECTING.items()},
        **{f"meetings, {show}": reverse("meetings", args=[slug]) + f"?show={show}" for show in ("todo", "coming")},
        **{
            f"response by {group}": reverse("accounts", args=[slug]) + f"?by={group}"
            for group in ("institution", "academy", "sector", "mode", "team", "wave")
        },
        "one team's collecting": reverse("collecting_team", args=[slug, made.team]),
        "one team's history": reverse("team_history", args=[slug, made.team]),
        "one team's meeting": reverse("meeting", args=[slug, made.team]),
        "studies": reverse("studies"),
    }
    for name, path in pages.items():
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path)
            captured = list(queries.captured_queries)
        assert response.status_code == 200, (path, response.status_code)
        wall, cpu = zip(*(timed(client, path) for _round in range(ROUNDS)), strict=True)
        figures.append(at_most(name, statistics.median(wall), LIMIT, "ms"))
        figures.append(measured("  of which processor time", statistics.median(cpu), "ms"))
        figures.append(measured("  queries", len(captured), ""))
        if os.environ.get("SLOW_QUERIES") and figures[-3].value > LIMIT / 3:
            for query in sorted(captured, key=lambda query: -float(query["time"]))[:4]:
                print(name, query["time"], query["sql"][:600], file=sys.stderr)
    Path(out).write_text(json.dumps([figure.__dict__ for figure in figures]))
    return 0


TEAMS_QUERIES = {
    "": "",
    ", last page": "?page=9999",
    ", searched": "?q=Team+4",
    ", declined": "?state=declined",
}
COLLECTING = {"": "", ", last page": "?page=9999"}


def timed(client: object, path: str) -> tuple[float, float]:
    """Wall and processor time of one request, in milliseconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    client.get(path)  # type: ignore[attr-defined]
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


if __name__ == "__main__":
    sys.exit(main())
