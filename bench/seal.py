"""Saves while collections are sealed, beside few and beside many sealed answers: `make bench-seal`.

PostgreSQL that writes to the disk. Savers save drafts of open collections, as many a second as some rooms do, in a process of
their own; meanwhile one collection after another is sealed. What counts is that neither the sealing nor the saves beside it become
slower by what was sealed before: the ratio decides, since what a save takes depends on the machine and on what else it does.

    python -m bench.seal 1000000 50000      as many sealed answers, and open ones
"""

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench.figures import Figure, at_most, measured, report
from scripts.postgres import DURABLE, server
from scripts.run import environment, manage
from scripts.setup import ROOT

SEALED, OPEN = 60_000, 5_000
FEW = 10  # the smaller study has so many times fewer sealed answers
PER_TEAM = 20
SEALINGS = 12
SAVERS, PAUSE = 4, 0.02
SLOWER = 1.6  # what a sealing may take beside ten times as many sealed answers


# ------------------------------------------------------------------------------------------------ in processes of their own
def setup() -> None:
    import django

    django.setup()


def make(n_sealed: int, n_open: int) -> None:
    """A study with so many answers of sealed teams and of open ones."""
    setup()
    import datetime

    from django.db import connection

    from surveys.models import Collection, Survey
    from surveys.questionnaires.publishing import definition_of, install_shipped
    from teams.models import Academy, Institution, Participation, ResearchGroup, Study, Team

    day = datetime.date(2026, 9, 1)
    group = ResearchGroup.objects.create(name="Bench")
    study = Study.objects.create(group=group, slug="seal", title="Seal", starts_on=day, ends_on=day.replace(year=2027))
    version = install_shipped(group)[0]
    survey = Survey.objects.create(study=study, version=version, background=[])
    academy = Academy.objects.create(
        institution=Institution.objects.create(group=group, name="School"), name="Academy", sector="health"
    )
    items = definition_of(version).item_codes
    n_teams = {"sealed": n_sealed // PER_TEAM, "open": n_open // PER_TEAM}
    names = [f"{state} {n}" for state, teams in n_teams.items() for n in range(teams)]
    teams = Team.objects.bulk_create((Team(academy=academy, name=name) for name in names), batch_size=5000)
    waves = Participation.objects.bulk_create(
        (Participation(study=study, team=team, state="accepted", mode="online", approached=30) for team in teams),
        batch_size=5000,
    )
    counts = {"n_started": PER_TEAM, "n_submitted": PER_TEAM, "n_present": PER_TEAM, "present_by": "researcher"}
    collections = Collection.objects.bulk_create(
        (
            Collection(
                survey=survey,
                participation=wave,
                mode="online",
                approached=30,
                state=name.split()[0],
                **(counts if name.startswith("sealed") else {}),
            )
            for wave, name in zip(waves, names, strict=True)
        ),
        batch_size=5000,
    )
    columns = "key, collection_id, state, eligibility, answers"
    tables = {
        "sealed": (f"surveys_sealedresponse ({columns})", ()),
        "open": (f"surveys_response ({columns}, sequence, language)", (1, "nl")),
    }
    with connection.cursor() as cursor:
        for state, (table, more) in tables.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for collection in collections:
                    if collection.state == state:
                        for n in range(PER_TEAM):
                            answers = json.dumps({item: (n + len(item)) % 4 + 1 for item in items})
                            copy.write_row((secrets.token_urlsafe(32), collection.pk, "draft", "yes", answers, *more))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def save() -> None:
    """Save until a line comes in; then say when each save began, and how long it took."""
    setup()
    from django.db import connection

    from surveys.answering import statements
    from surveys.models import Response

    # those of the last teams: the first are sealed
    keys = list(Response.objects.order_by("-collection_id").values_list("key", "answers")[: SAVERS * 200])
    times: list[tuple[float, float]] = []
    stop = threading.Event()

    def saver(own: list[tuple[str, Any]]) -> None:
        sequence = 1
        while True:
            for key, answers in own:
                if stop.is_set():
                    connection.close()
                    return
                began = time.monotonic()
                values = (json.dumps(answers), "yes", sequence + 1, "draft", "nl", key, sequence)
                if statements.changed(statements.WRITE, *values) != 1:
                    raise SystemExit("a save was lost")
                times.append((began, time.monotonic() - began))
                time.sleep(PAUSE)
            sequence += 1

    threads = [threading.Thread(target=saver, args=(keys[n::SAVERS],)) for n in range(SAVERS)]
    for thread in threads:
        thread.start()
    print("saving", flush=True)
    sys.stdin.readline()
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps(times))


def seal() -> None:
    """Seal some collections one after another. When each began and ended."""
    setup()
    from surveys.collecting import sealing
    from surveys.models import Collection

    times = []
    for collection in Collection.objects.filter(state=Collection.State.OPEN).order_by("pk")[:SEALINGS]:
        Collection.objects.filter(pk=collection.pk).update(state="closed", closes_for_good_at="2026-01-01T00:00Z")
        began = time.monotonic()
        sealing.seal(Collection.objects.get(pk=collection.pk))
        times.append((began, time.monotonic()))
        time.sleep(0.3)
    print(json.dumps(times))


# ------------------------------------------------------------------------------------------------ what is measured
def _process(env: dict[str, str], *job: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.seal", *map(str, job)]
    return subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _told(process: subprocess.Popen[str], line: str = "") -> Any:
    out, _err = process.communicate(line)
    if process.returncode:
        raise SystemExit(f"a process of the benchmark ended with {process.returncode}")
    return json.loads(out.strip().splitlines()[-1]) if out.strip() else None


def play(n_sealed: int, n_open: int) -> tuple[list[float], list[float]]:
    """Seconds of each sealing; and of the saves that met one, in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as folder, server(DURABLE) as database:
        env = {
            **environment("127.0.0.1", 8000, Path(folder)),
            "DATABASE_URL": database.url,
            "CELERY_BROKER_URL": "memory://",
            "LOG_LEVEL": "ERROR",
        }
        manage(env, "migrate", "--verbosity=0", "--skip-checks")
        _told(_process(env, "make", n_sealed, n_open))
        saving = _process(env, "save")
        assert saving.stdout is not None
        saving.stdout.readline()
        time.sleep(2)  # until plans are prepared
        sealings = _told(_process(env, "seal"))
        saves = _told(saving, "\n")
    first, last = sealings[0][0], sealings[-1][1]
    met = [1000 * took for began, took in saves if first <= began <= last]
    return [ended - began for began, ended in sealings], met


def main(n_sealed: int = SEALED, n_open: int = OPEN) -> int:
    figures: list[Figure] = [measured("load average before, of this machine", os.getloadavg()[0], "")]
    quickest: dict[int, float] = {}  # the others tell of what else the machine does
    for n in (n_sealed // FEW, n_sealed):
        seals, saves = play(n, n_open)
        quickest[n] = min(seals)
        cuts = statistics.quantiles(saves, n=100)
        name = f"beside {n:,} sealed and {n_open:,} open answers"
        figures += [
            measured(f"{name}: a sealing, the quickest", quickest[n], "s"),
            measured(f"{name}: a sealing, middle", statistics.median(seals), "s"),
            measured(f"{name}: a save meanwhile, p50 of {len(saves):,}", cuts[49], "ms"),
            measured(f"{name}: p95", cuts[94], "ms"),
            measured(f"{name}: p99", cuts[98], "ms"),
            measured(f"{name}: the longest", max(saves), "ms"),
        ]
    ratio = quickest[n_sealed] / quickest[n_sealed // FEW]
    figures.append(at_most(f"a sealing beside {FEW} times as many sealed answers takes", ratio, SLOWER, "times"))
    return report("seal", figures)


if __name__ == "__main__":
    job, *rest = sys.argv[1:] or ["main"]
    if job == "make":
        make(*map(int, rest))
    elif job == "save":
        save()
    elif job == "seal":
        seal()
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
