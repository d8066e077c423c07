"""What publishing costs, by the number of teams: `make bench-publish`.

A study of 1,000 and one of 5,000 teams, each of 14 people with 36 items and 6 scales, sealed and analysed as in bench/analysis.py; each is
published by a process of its own, whose peak of memory is that of publishing. Then each is published once more, after a run by
other rules of screening, held against what was shown before. The cost has to grow with the number of teams, not faster. At last the pages
of the reports are read, whose cost must not grow at all: how often each asks the database, how long it takes to have its report
(its own work), and how long the page takes as a whole.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.figures import Figure, at_least, at_most, compiled, measured, report

ROOT = Path(__file__).resolve().parent.parent
SIZES = {1_000: 5.0, 5_000: 30.0}  # teams, and how many seconds publishing may take
PER_TEAM = 14
MEASURES = 36 + 5  # items and scales, two of the six being one by the decision of bench/analysis.py
MOST_GIGABYTES = 1.0
MOST_QUERIES, MOST_MILLISECONDS = 6, 20.0  # of one page of a report
READS = 15
LINEAR = 1.25  # by how much five times as many teams may cost more than five times as much


def publish(n_teams: int) -> None:
    """Publish the last run; print seconds, processor seconds, peak of memory and what was published as JSON."""
    from bench.analysis import setup

    setup()
    from analysis.models import AnalysisRun, PublishedGroup
    from analysis.publication import publishing

    run = AnalysisRun.objects.last_done(_study(n_teams))
    assert run is not None
    start, cpu = time.perf_counter(), time.process_time()
    publication = publishing.publish(run, None)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    groups = PublishedGroup.objects.filter(publication=publication)
    first = groups.first()
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu": cpu,
                "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,  # kilobytes on Linux
                "units": groups.count(),
                "measures": len(first.missing) if first else 0,
            }
        )
    )


def again(n_teams: int) -> None:
    """A later run of the same answers, so that there is something to publish beside what was shown."""
    from bench.analysis import setup

    setup()
    from analysis.choices.decisions import decide
    from analysis.models import AnalysisRun
    from analysis.runs.execution import execute
    from teams.models import Study

    study = Study.objects.get(pk=_study(n_teams))
    decide(study, "set_aside", "IV", "", "Does not hold together.", None)
    if not execute(AnalysisRun.objects.filter(survey__study=study, state=AnalysisRun.State.QUEUED).latest("pk").pk):
        raise SystemExit("the second run did not finish")


def read(n_teams: int) -> None:
    """Read each kind of report; print queries, milliseconds of own work and of the whole page per kind as JSON."""
    from bench.analysis import setup

    setup()
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from analysis.models.readers import ReportLink
    from analysis.publication import files, links, served
    from analysis.publication.links import share_with_team
    from teams.models import Participation, Study

    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["testserver"], False
    study = Study.objects.get(pk=_study(n_teams))
    teams = Participation.objects.filter(study=study).select_related("study", "team__academy__institution")
    team = teams.order_by("pk")[n_teams // 2]
    academy = team.team.academy
    of_team = share_with_team(team, 14, None)
    of_academy, of_study = (
        ReportLink.objects.create(study=study, nonce="a" * 32, expires_on=of_team.expires_on, **of)
        for of in ({"academy": academy}, {})
    )
    asked = {
        "team": (of_team, "shared_report", lambda: served.of_team(team)),
        "talk": (of_team, "shared_talk", lambda: served.of_team(team)),
        "director": (of_academy, "shared_report", lambda: served.of_academy(study, academy)),
        "study": (of_study, "shared_report", lambda: served.of_study(study)),
    }

    def middle(do: Callable[[], object]) -> float:
        times = []
        for _read in range(READS):
            start = time.perf_counter()
            do()
            times.append(1000 * (time.perf_counter() - start))
        return sorted(times)[READS // 2]

    taken = {}
    for kind, (link, name, now) in asked.items():
        client = Client()
        client.get(links.path_of(link))
        page = reverse(name, args=[link.pk]) + ("?n=1" if kind == "talk" else "")

        def own(now: Callable[[], served.Now | None] = now) -> None:
            served_now = now()
            assert served_now is not None
            served_now.report("nl")
            files.is_ready(served_now, "nl")

        def whole(client: Client = client, page: str = page) -> None:
            assert client.get(page).status_code == 200, page

        whole()
        with CaptureQueriesContext(connection) as queries:
            whole()
        taken[kind] = {"queries": len(queries), "own": middle(own), "page": middle(whole)}
    print(json.dumps(taken))


def _study(n_teams: int) -> int:
    from teams.models import Study

    return Study.objects.get(slug=f"bench-{n_teams * PER_TEAM}").pk


def main() -> int:
    from scripts.postgres import DURABLE, server
    from scripts.run import collect_static, environment, manage

    figures: list[Figure] = []
    cpu: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as folder, server(DURABLE) as database:
        env = {
            **environment("127.0.0.1", 8000, Path(folder)),
            "DATABASE_URL": database.url,
            "CELERY_BROKER_URL": "memory://",
            "LOG_LEVEL": "ERROR",
            "BENCH_PER_TEAM": str(PER_TEAM),
            **compiled(folder),
        }
        collect_static(Path(folder), env)
        manage(env, "migrate", "--verbosity=0", "--skip-checks")

        def job(module: str, name: str, n: int) -> str:
            command = [sys.executable, "-m", module, name, str(n)]
            done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True)
            return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "{}"

        for n_teams, seconds in SIZES.items():
            job("bench.analysis", "make", n_teams * PER_TEAM)
            job("bench.analysis", "analyse", n_teams * PER_TEAM)
            for what in ("first", "beside the first"):
                published = json.loads(job("bench.publish", "publish", n_teams))
                if what == "first" and published["measures"] != MEASURES:
                    raise SystemExit(f"{published['measures']} measures were published, not {MEASURES}")
                name = f"{n_teams:,} teams × {published['measures']} measures, {what}"
                cpu[what, n_teams] = published["cpu"]
                figures += [
                    at_most(f"{name}: publishing", published["seconds"], seconds, "s"),
                    measured(f"{name}: processor", published["cpu"], "s"),
                    at_most(f"{name}: peak of memory", published["gigabytes"], MOST_GIGABYTES, "GB"),
                    at_least(f"{name}: units published", published["units"], n_teams, "units"),
                ]
                if what == "first":
                    job("bench.publish", "again", n_teams)
            for kind, cost in json.loads(job("bench.publish", "read", n_teams)).items():
                name = f"{n_teams:,} teams, {kind}"
                figures += [
                    at_most(f"{name}: queries of its page", cost["queries"], MOST_QUERIES, ""),
                    at_most(f"{name}: its own work", cost["own"], MOST_MILLISECONDS, "ms"),
                    measured(f"{name}: the page as a whole", cost["page"], "ms"),
                ]
    for less, more in itertools.pairwise(SIZES):
        for what in ("first", "beside the first"):
            times = cpu[what, more] / cpu[what, less]
            figures.append(
                at_most(f"{what}: {more:,} cost as much as {less:,} times", times, LINEAR * more / less, "times")
            )
    return report("publish", figures)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    jobs = {"publish": publish, "again": again, "read": read}
    if len(sys.argv) == 3 and sys.argv[1] in jobs:
        jobs[sys.argv[1]](int(sys.argv[2]))
    else:
        sys.exit(main())
