"""A study of 5,000 teams is opened by its researcher, on a PostgreSQL that writes to the disk: `make bench-open`.

Wall time is of the request, as the researcher waits for it; the processor time of the web process stands beside it. How much of
it grows with the teams is seen from a tenth of them. On a machine that others use too, wall time tells of them.
"""

import json
import os
import sys
import time
from pathlib import Path

from bench.figures import Counting, at_most, measured
from bench.production import measured_inside
from scripts.postgres import DURABLE

TEAMS, LIMIT, QUERIES = int(os.environ.get("TEAMS", "5000")), 5.0, 0.5


def main() -> int:
    if len(sys.argv) > 1:
        return measure(sys.argv[1])
    return measured_inside("bench.open", "open", DURABLE)


def measure(out: str) -> int:
    """Inside the setting: make the studies, open them, write the figures."""
    import django

    django.setup()
    from django.test import Client
    from django.urls import reverse

    from bench.large_study import make_unopened
    from surveys.models import Collection
    from teams.models import User

    figures = [measured("load average before, of this machine", os.getloadavg()[0], "")]
    for n_teams in (TEAMS // 10, TEAMS):
        study = make_unopened(f"of-{n_teams}", n_teams)
        client = Client()
        client.force_login(User.objects.get(email=f"researcher@of-{n_teams}.example"))
        client.get(reverse("plan", args=[study.slug]))  # as a program that has served a page
        with Counting() as queries:
            wall, cpu = time.perf_counter(), time.process_time()
            chosen = {"nulls": ["uniform"], "own_null": "0.1 0.2 0.4 0.3"}  # as the form has them to begin with
            response = client.post(reverse("survey_open", args=[study.slug]), chosen)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        opened = Collection.objects.filter(survey__study=study).count()
        assert response.status_code == 302
        assert opened == n_teams
        figures += [
            at_most(f"{n_teams} teams: opened in", wall, LIMIT, "s"),
            measured("  of which processor time", cpu, "s"),
            at_most("  queries per team", queries.n / n_teams, QUERIES, ""),
        ]
    Path(out).write_text(json.dumps([figure.__dict__ for figure in figures]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
