"""A run over 1,000,000 responses of 20,000 teams, and the pages that read it: `make bench-analysis`.

PostgreSQL as in production; the answers are the simulated demo study's, drawn team by team, so that gaps, scales and likeness
within teams are real. Each size is analysed by a process of its own, whose peak of memory is that of the run. 10,000 and 100,000
responses stand beside it: the cost has to grow with the number of responses, not faster. That is asked of processor seconds, the
worker's and the database's: how long it takes depends on what else the machine does. Other sizes by
`BENCH_SIZES=1000000,2000000 make bench-analysis`.
"""

import os

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

import datetime  # noqa: E402
import itertools  # noqa: E402
import json  # noqa: E402
import resource  # noqa: E402
import secrets  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

from bench.figures import Figure, at_most, compiled, measured, report  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
PER_TEAM = int(os.environ.get("BENCH_PER_TEAM", "50"))  # bench/publish.py has smaller teams
SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "10000,100000,1000000").split(","))
#: For a million responses. Seconds are the processor's, the worker's and the database's: the run takes no longer on a machine of its own.
MOST_SECONDS, MOST_GIGABYTES, MOST_MILLISECONDS = 60, 1.3, 300
MILLION = 1_000_000
N_ITEMS = 36
#: By how much a run of ten times as many responses may cost more processor than ten times as much.
LINEAR = 1.25
PAGES = (
    ("plan", ""),
    ("runs", ""),
    ("results", ""),
    ("results", "?scales=theoretical"),
    ("result_teams", ""),
    ("result_groups", ""),
    ("nonresponse", ""),
    ("nonresponse", "?by=academy"),
    ("items", ""),
    ("screening", ""),
    ("models", ""),
    ("decisions", ""),
    ("cases", ""),
    ("write_up", ""),
)


def setup() -> None:
    import django

    django.setup()


# ------------------------------------------------------------------------------------------------ in processes of their own
def make(n: int) -> None:
    """A sealed study of ``n`` responses: ``bench`` and the number."""
    setup()
    import numpy as np
    import pandas as pd
    from django.db import connection

    from analysis.plan.plans import default_plan, lock_plan
    from surveys.models import Collection, Survey
    from surveys.questionnaires.publishing import definition_of, install_shipped
    from teams.models import Academy, Institution, Participation, ResearchGroup, Study, Team, User
    from teams.people.employment import declare

    day = datetime.date(2026, 9, 1)
    group = ResearchGroup.objects.get_or_create(name="Bench")[0]
    version = install_shipped(group)[0]
    study = Study.objects.create(
        group=group, slug=f"bench-{n}", title=f"{n}", starts_on=day, ends_on=day.replace(year=2027)
    )
    background = definition_of(version).background
    survey = Survey.objects.create(study=study, version=version, background=[question.code for question in background])
    content = default_plan(definition_of(version), study.k)
    content["factor_models"]["estimators"] = ["MLR"]  # errors robust to teachers sharing a team
    plan = lock_plan(study, None, content)
    Survey.objects.filter(pk=survey.pk).update(plan_hash=plan.content_hash, n_seals=1)
    sectors = ["education", "economics", "health", "engineering"]
    institution = Institution.objects.create(group=group, name=f"University {n}")
    n_teams = n // PER_TEAM
    academies = Academy.objects.bulk_create(
        Academy(institution=institution, name=f"Academy {number}", sector=sectors[number % len(sectors)])
        for number in range(max(1, n_teams // 40))
    )
    teams = Team.objects.bulk_create(
        Team(
            academy=academies[number % len(academies)],
            name=f"Team {number:05}",
            form="part_time" if number % 5 == 0 else "full_time",
        )
        for number in range(n_teams)
    )
    modes = ["online", "contact", "researcher"]
    participations = Participation.objects.bulk_create(
        Participation(study=study, team=team, state="accepted", mode=modes[number % 3], approached=PER_TEAM + 20)
        for number, team in enumerate(teams)
    )
    collections = Collection.objects.bulk_create(
        Collection(
            survey=survey, participation=participation, state="sealed", mode=participation.mode, approached=participation.approached,
            n_started=PER_TEAM, n_submitted=PER_TEAM,
            **({"n_links": participation.approached, "n_confirmed": participation.approached} if participation.mode == "online"
               else {"n_present": PER_TEAM, "present_by": "researcher"}),
        )
        for participation in participations
    )  # fmt: skip
    source = pd.read_csv(ROOT / "tests" / "oracles" / "demo.csv")
    items = [item.code for item in definition_of(version).items]
    generator = np.random.default_rng(n)
    by_team = [group[items].to_numpy(dtype=np.float64) for _, group in source.groupby(source.columns[0])]
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY surveys_sealedresponse (key, collection_id, state, eligibility, answers) FROM STDIN") as copy,
    ):
        for collection in collections:
            rows = by_team[generator.integers(len(by_team))]
            for row in rows[generator.integers(0, len(rows), PER_TEAM)]:
                noise = generator.random(len(row))
                answers = {
                    item: "x" if chance < 0.01 else int(value)
                    for item, value, chance in zip(items, row, noise, strict=True)
                    if value == value and chance < 0.99
                }
                answers |= {
                    question.code: question.choices[int(chance * len(question.choices))].code
                    for question, chance in zip(background, noise, strict=False)
                }
                copy.write_row((secrets.token_urlsafe(32), collection.pk, "submitted", "yes", json.dumps(answers)))
    if not User.objects.filter(email="bench@example.org").exists():
        User.objects.create_superuser("bench@example.org", secrets.token_urlsafe(12))
    user = User.objects.get(email="bench@example.org")
    user.roles.create(kind="researcher", study=study)
    declare(user, study, [])  # works in no academy of the study, so that pages with rows of answers open
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def analyse(n: int) -> None:
    """Run it, as the worker does, and print seconds per step and the peak of memory as JSON."""
    setup()
    from analysis.models import Decision
    from analysis.runs import execution
    from surveys.models import Survey

    survey = Survey.objects.select_related("study").get(study__slug=f"bench-{n}")
    if not Decision.objects.filter(study=survey.study).exists():
        Decision.objects.create(
            study=survey.study, kind="merge", subject="IS", target="ER", reason="As in the article."
        )
    run = execution.request_run(survey)
    start, cpu = time.perf_counter(), time.process_time()
    if not execution.execute(run.pk):
        run.refresh_from_db()
        raise SystemExit(f"the run did not finish: {run.error}")
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    steps = {step.name: step.seconds for step in run.steps.defer("staged")}
    run.refresh_from_db()
    models = {row.name: row.converged for row in run.factormodels.defer("content")}
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu": cpu,
                # kilobytes on Linux
                "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
                "steps": steps,
                "models": models,
                "analysed": run.counts["analysed"],
                "rows": sum(getattr(run, name).count() for name in ("scaleresults", "itemresults", "agreementresults")),
            }
        )
    )


def pages(n: int) -> None:
    """Open the researcher's pages and print milliseconds and queries per page as JSON: the median of five."""
    setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from analysis.models import AnalysisRun
    from analysis.models.results import FactorModelResult
    from teams.models import User

    client = Client(headers={"host": "127.0.0.1"})
    user = User.objects.get(email="bench@example.org")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    slug = f"bench-{n}"
    run = AnalysisRun.objects.filter(survey__study__slug=slug, state="done").latest("pk")
    model = FactorModelResult.objects.filter(run=run).latest("pk")
    addresses = {name + query: reverse(name, args=[slug]) + query for name, query in PAGES}
    addresses["run"] = reverse("run", args=[slug, run.pk])
    addresses["factor_model"] = reverse("factor_model", args=[slug, model.pk])
    timed = {}
    for name, address in addresses.items():
        taken = []
        for _ in range(6):
            start = time.perf_counter()
            with CaptureQueriesContext(connection) as queries:
                answer = client.get(address)
            taken.append(1000 * (time.perf_counter() - start))
            if answer.status_code != 200:
                raise SystemExit(f"{address}: {answer.status_code}")
        # the first request of a process loads templates and starts the chart converter
        timed[name] = {"ms": sorted(taken[1:])[2], "queries": len(queries)}
    print(json.dumps(timed))


# ------------------------------------------------------------------------------------------------ the benchmark
def _process(env: dict[str, str], job: str, n: int) -> str:
    command = [sys.executable, "-m", "bench.analysis", job, str(n)]
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


def main(sizes: tuple[int, ...] = SIZES) -> int:
    from bench.production import cpu_seconds
    from scripts.postgres import DURABLE, server
    from scripts.run import collect_static, environment, manage

    figures: list[Figure] = []
    cpu, queries = {}, {}
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as folder, server(DURABLE) as database:
        env = {
            **environment("127.0.0.1", 8000, Path(folder)),
            "DATABASE_URL": database.url,
            "CELERY_BROKER_URL": "memory://",
            "LOG_LEVEL": "ERROR",
            **compiled(folder),
        }
        collect_static(Path(folder), env)
        manage(env, "migrate", "--verbosity=0", "--skip-checks")
        for n in sizes:
            _process(env, "make", n)
            before = cpu_seconds(database.pid)
            run = json.loads(_process(env, "analyse", n))
            of_database = cpu_seconds(database.pid) - before
            if not all(run["models"].values()):
                raise SystemExit(f"a factor model did not converge: {run['models']}")
            if not 0.9 * n < run["analysed"] <= n or run["rows"] < N_ITEMS * n // PER_TEAM:
                raise SystemExit(f"{run['analysed']} of {n} responses were analysed, and gave {run['rows']} rows")
            cpu[n] = run["cpu"] + of_database
            name = f"{n:,} responses, {n // PER_TEAM:,} teams"
            last = n == max(sizes)
            figures.append(measured(f"{name}: the run", run["seconds"], "s"))
            figures.append(measured(f"{name}: load average after, of this machine", os.getloadavg()[0], ""))
            figures.append(
                at_most(f"{name}: processor", cpu[n], MOST_SECONDS, "s")
                if n == MILLION
                else measured(f"{name}: processor", cpu[n], "s")
            )
            figures.append(measured(f"{name}: processor, the worker", run["cpu"], "s"))
            figures.append(measured(f"{name}: processor, the database", of_database, "s"))
            figures.append(measured(f"{name}: result rows", run["rows"], "rows"))
            most = MOST_GIGABYTES * max(n, MILLION) / MILLION
            figures.append(at_most(f"{name}: peak of memory", run["gigabytes"], most, "GB"))
            for step, taken in run["steps"].items():
                if last and taken >= 1:
                    figures.append(measured(f"{name}: {step}", taken, "s"))
            opened = json.loads(_process(env, "pages", n))
            queries[n] = {page: of_page["queries"] for page, of_page in opened.items()}
            if last:
                figures += [
                    at_most(f"{name}: page {page}", of_page["ms"], MOST_MILLISECONDS, "ms")
                    for page, of_page in opened.items()
                ]
    for less, more in itertools.pairwise(sizes):
        times = cpu[more] / cpu[less]
        figures.append(at_most(f"{more:,} cost as much as {less:,} times", times, LINEAR * more / less, "times"))
    few, many = queries[min(sizes)], queries[max(sizes)]
    different = sum(few[page] != many[page] for page in few)
    figures.append(at_most("pages with more queries for more teams", different, 0, "pages"))
    return report("analysis", figures)


if __name__ == "__main__":
    jobs = {"make": make, "analyse": analyse, "pages": pages}
    if len(sys.argv) == 3 and sys.argv[1] in jobs:
        jobs[sys.argv[1]](int(sys.argv[2]))
    else:
        sys.exit(main())
