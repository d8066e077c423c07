"""Files with single responses of 10,000, 100,000 and 1,000,000 responses: `make bench-exports`.

PostgreSQL as in production, the answers of bench/analysis.py with two background questions. Every file is made by a process of its
own, as a worker makes it: its CPU seconds (the clock depends on what else the machine does) and its peak of memory. Then the web
process: judging a release, the page, and the download; what it holds in memory must not grow with the file.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.analysis import ROOT, SIZES, make, setup
from bench.figures import Figure, at_most, measured, report

FORMS = ("counts", "csv", "sav", "r", "mplus")
MOST_GIGABYTES, MOST_GROWTH, MOST_SECONDS, MOST_MILLISECONDS = 1.0, 20, 60, 300
BACKGROUND = {"years_in_team": ("under_1", "from_1_to_3", "from_4_to_10", "over_10"), "counsellor": ("yes", "no")}


def peak() -> float:
    """The peak of memory of this process in bytes (Linux tells kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def begin(n: int) -> None:
    """A sealed study with background answers, and a finished analysis without rows: the scripts are of the same answers."""
    make(n)
    from django.db import connection

    from analysis.data import dataset
    from analysis.models import AnalysisRun
    from analysis.plan.plans import locked_plan
    from surveys.models import Survey

    survey = Survey.objects.select_related("study").get(study__slug=f"bench-{n}")
    Survey.objects.filter(pk=survey.pk).update(background=list(BACKGROUND))
    with connection.cursor() as cursor:
        for code, choices in BACKGROUND.items():
            cursor.execute(
                "UPDATE surveys_sealedresponse SET answers = answers || jsonb_build_object(%s::text, (%s::text[])"
                "[1 + (ascii(right(key, 1)) + collection_id) %% %s]) WHERE collection_id IN"
                " (SELECT id FROM surveys_collection WHERE survey_id = %s)",
                [code, list(choices), len(choices), survey.pk],
            )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL ANALYZE surveys_sealedresponse")
    plan = locked_plan(survey.study)
    assert plan is not None
    fingerprint = dataset.load(survey).fingerprint
    AnalysisRun.objects.create(survey=survey, plan=plan, state="done", n_seals=1, fingerprint=fingerprint)


def prepare(n: int, form: str) -> None:
    """Have the counts or a file made, as the page asks for it and a worker does it."""
    setup()
    from analysis.exports import prepared, releases
    from analysis.models import AnalysisRun
    from analysis.models.releases import PreparedFile
    from surveys.models import Survey

    prepared.AT_ONCE = 0  # small ones too, for comparison
    survey = Survey.objects.select_related("version", "study").get(study__slug=f"bench-{n}")
    if form == "counts":
        try:
            prepared.counts_of(survey)
        except prepared.NotCounted:
            file = PreparedFile.objects.get(survey=survey, release=None)
    else:
        release = survey.study.row_releases.first() or releases.register(
            survey, with_team=True, background=[], purpose="A benchmark", user=None
        )
        run = AnalysisRun.objects.get(survey=survey)
        prepared.ask(release, survey, run, form, "nl")
        file = PreparedFile.objects.get(release=release, form=form)
    before = time.process_time()
    start = time.perf_counter()
    if not prepared.prepare(file.pk):
        raise SystemExit(f"{form} of {n} was not made")
    seconds = time.perf_counter() - start
    file.refresh_from_db()
    figures = {"seconds": seconds, "cpu": time.process_time() - before, "gigabytes": peak() / 1e9}
    print(json.dumps({**figures, "megabytes": file.size / 1e6}))


def web(n: int) -> None:
    """What a web process does: a release judged by the counts, the page, and a download taken piece by piece."""
    setup()
    from django.test import Client
    from django.urls import reverse

    from analysis.exports import prepared
    from teams.models import Study, User

    prepared.AT_ONCE = 0
    client = Client(headers={"host": "127.0.0.1"})
    user = User.objects.get(email="bench@example.org")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    slug = f"bench-{n}"
    release = Study.objects.get(slug=slug).row_releases.get()
    page = reverse("exports", args=[slug])
    file = reverse("release_file", args=[slug, release.pk, "csv"])
    client.get(page)  # the first request of a process loads templates
    start = time.perf_counter()
    client.get(page)
    looked, cpu = time.perf_counter(), time.process_time()
    judged = client.post(page, {"purpose": "A look", "background": list(BACKGROUND), "check": "1"})
    if judged.status_code != 200 or not any(words in judged.content for words in (b"alert-success", b"alert-danger")):
        raise SystemExit("the release was not judged")
    judging, before, asked = time.process_time() - cpu, peak(), time.perf_counter()
    answer = client.get(file)
    first = time.perf_counter()
    size = sum(map(len, answer.streaming_content))
    done = time.perf_counter()
    if size != int(answer["Content-Length"]):
        raise SystemExit("the file is not whole")
    figures = {"page": 1000 * (looked - start), "judged": 1000 * judging, "first": 1000 * (first - asked)}
    print(json.dumps({**figures, "download": done - first, "grown": (peak() - before) / 1e6, "peak": peak() / 1e6}))


def _process(env: dict[str, str], *job: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.exports", *job]
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {}


def main(sizes: tuple[int, ...] = SIZES) -> int:
    from scripts.postgres import DURABLE, server
    from scripts.run import collect_static, environment, manage

    figures: list[Figure] = []
    cpu: dict[tuple[int, str], float] = {}
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as folder, server(DURABLE) as database:
        env = {
            **environment("127.0.0.1", 8000, Path(folder)),
            "DATABASE_URL": database.url,
            "CELERY_BROKER_URL": "memory://",
            "LOG_LEVEL": "ERROR",
        }
        collect_static(Path(folder), env)
        manage(env, "migrate", "--verbosity=0", "--skip-checks")
        for n in sizes:
            _process(env, "begin", str(n))
            name, last = f"{n:,} responses", n == max(sizes)
            for form in FORMS:
                made = _process(env, "prepare", str(n), form)
                cpu[n, form] = made["cpu"]
                figures.append(at_most(f"{name}: {form}, CPU", made["cpu"], MOST_SECONDS, "s"))
                figures.append(measured(f"{name}: {form}, until it is there", made["seconds"], "s"))
                figures.append(at_most(f"{name}: {form}, peak of memory", made["gigabytes"], MOST_GIGABYTES, "GB"))
                figures.append(measured(f"{name}: {form}, size", made["megabytes"], "MB"))
            opened = _process(env, "web", str(n))
            figures.append(at_most(f"{name}: page", opened["page"], MOST_MILLISECONDS, "ms"))
            figures.append(measured(f"{name}: a release judged and refused, CPU", opened["judged"], "ms"))
            figures.append(measured(f"{name}: download begins after", opened["first"], "ms"))
            figures.append(measured(f"{name}: download, no network", opened["download"], "s"))
            figures.append(measured(f"{name}: web process", opened["peak"], "MB"))
            figures.append(at_most(f"{name}: grows by the download", opened["grown"], MOST_GROWTH, "MB"))
            if last and len(sizes) > 1:
                less = sorted(sizes)[-2]
                for form in FORMS:
                    times = cpu[n, form] / cpu[less, form]
                    figures.append(measured(f"{form}: {n:,} cost as much as {less:,}", times, "times"))
    return report("exports", figures)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if len(sys.argv) >= 3:
        job, n, *rest = sys.argv[1:]
        {"begin": begin, "prepare": prepare, "web": web}[job](int(n), *rest)
    else:
        sys.exit(main())
