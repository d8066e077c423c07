"""How soon the reports of 40 teams are there after publishing, and what one PDF costs: `make bench-report`.

A study of 40 teams is collected, analysed and published; a worker as production has it (two processes) makes the PDFs.
"Ready" is when the last report in the readers' first language is there: 40 teams, their academies and the study.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import at_most, measured, report
from bench.production import cpu_seconds
from scripts.run import commands, environment, manage
from scripts.setup import ROOT

N_TEAMS, SIZE, SCALES = 40, 14, 6
N_REPORTS = N_TEAMS + N_TEAMS // 5 + 1  # of teams, of academies, of the study
PREPARE = """
import json, random, sys, django; django.setup()
import datetime
from analysis.models import AnalysisRun
from analysis.plan.plans import lock_plan
from analysis.runs.execution import execute, request_run
from surveys.collecting import collections
from surveys.collecting import sealing
from surveys.answering import submission
from surveys.models import Collection, Meeting, Survey
from surveys.questionnaires.publishing import definition_of, install_shipped
from teams.models import Academy, Institution, Invitation, Participation, ResearchGroup, Study, Team
draw, day = random.Random(7), datetime.date(2026, 9, 1)
group = ResearchGroup.objects.create(name="Bench")
version = install_shipped(group)[0]
items = definition_of(version).item_codes
study = Study.objects.create(group=group, slug="bench", simulated=True, title="Bench", starts_on=day, ends_on=day.replace(year=2027), grace_hours=0)
survey = Survey.objects.create(study=study, version=version, background=[])
school = Institution.objects.create(group=group, name="School")
n_teams, size = int(sys.argv[1]), int(sys.argv[2])
for n in range(n_teams):
    academy, new = Academy.objects.get_or_create(
        institution=school, name=f"Academy {n // 5}", defaults={"sector": ("health", "education")[n // 20 % 2]})
    team = Team.objects.create(academy=academy, name=f"Team {n}")
    Participation.objects.create(study=study, team=team, mode=Participation.Mode.RESEARCHER,
        state=Participation.State.ACCEPTED, approached=size + 3)
collections.open_survey(survey, lock_plan(study, None).content_hash)
for collection in Collection.objects.filter(survey=survey).select_related("survey__version", "survey__study", "participation"):
    collections.set_present(Meeting.objects.get(collection=collection), size)
    middle = draw.uniform(2, 3)
    rows = []
    for person in range(size):
        own = draw.gauss(middle, 0.4)
        rows.append({"eligibility": "yes",
            "answers": {item: min(4, max(1, round(draw.gauss(own, 0.6)))) for item in items}})
    submission.submit_many(collection, rows)
    collections.close_collection(collection)
sealing.seal_many(Collection.objects.filter(survey=survey).order_by("pk"))
run = request_run(survey)
assert execute(run.pk)
print(run.pk)
"""
PUBLISH = """
import json, sys, time, django; django.setup()
from analysis.models import AnalysisRun
from analysis.publication.publishing import publish
from analysis.models.readers import ReportFile
started = time.time()
publication = publish(AnalysisRun.objects.select_related("survey__study", "survey__version", "plan").get(pk=int(sys.argv[1])), None)
published = time.time()
seen = {}
while time.time() - published < 120:
    for language in ("nl", "en"):
        if language not in seen and not ReportFile.objects.filter(language=language).exclude(state="ready").exists():
            seen[language] = time.time() - published
    if len(seen) == 2:
        break
    time.sleep(0.05)
files = ReportFile.objects.filter(publication=publication)
print(json.dumps({"publish": published - started, "seen": seen, "n": files.filter(language="nl").count(),
    "bytes": max(len(f.content or b"") for f in files)}))
"""
ONE = """
import json, time, django; django.setup()
from analysis.office.slides import team_slides
from analysis.office.workbook import report_workbook
from analysis.publication.served import of_team
from analysis.reports.pdf import team_pdf
from teams.models import Participation
teams = list(Participation.objects.select_related("study", "team__academy__institution"))
team_pdf(of_team(teams[0]).report("en"))
wall, cpu = [], []
for team in teams:
    started, used = time.perf_counter(), time.process_time()
    team_pdf(of_team(team).report("nl"))
    wall.append(time.perf_counter() - started)
    cpu.append(time.process_time() - used)
files = {"slides": lambda now: team_slides(now.report("nl"), now.agreed), "workbook": lambda now: report_workbook(now.report("nl"))}
office = {}
for name, make in files.items():
    make(of_team(teams[0]))  # the libraries are read once
    office[name] = []
    for team in teams:
        now, used = of_team(team), time.process_time()
        make(now)
        office[name].append(time.process_time() - used)
print(json.dumps({"wall": sorted(wall), "cpu": sorted(cpu), **{name: sorted(used) for name, used in office.items()}}))
"""


def python(env: dict[str, str], code: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, env=env, capture_output=True, text=True
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise SystemExit(1)
    return done.stdout.strip().splitlines()[-1]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as name:
        var = Path(name)
        env = environment("127.0.0.1", 8000, var)
        manage(env, "migrate", "--verbosity=0")
        run = python(env, PREPARE, N_TEAMS, SIZE)
        worker = subprocess.Popen(
            commands("127.0.0.1", 8000, var)["work"], shell=True, cwd=ROOT, env=env, start_new_session=True
        )
        time.sleep(12)  # the worker has started long before anybody publishes
        load, started = os.getloadavg()[0], cpu_seconds(worker.pid)
        try:
            seen = json.loads(python(env, PUBLISH, run))
            of_worker = cpu_seconds(worker.pid) - started
        finally:
            os.killpg(
                worker.pid, signal.SIGKILL
            )  # its work is done, and a process of its pool may not hear a softer word
            worker.wait()
        single = json.loads(python(env, ONE))
    middle = N_TEAMS // 2
    if (seen["n"], len(single["wall"])) != (N_REPORTS, N_TEAMS):
        raise SystemExit(f"{seen['n']} reports and {len(single['wall'])} PDFs of teams: not {N_REPORTS} and {N_TEAMS}")
    return report(
        "report",
        [
            measured("load average before, of this machine", load, ""),
            measured("publishing itself, as the worker does it", seen["publish"], "s"),
            at_most(f"{seen['n']} reports ready after publishing (40 teams)", seen["seen"].get("nl", 999), 10, "s"),
            measured("the same in the second language too", seen["seen"].get("en", 999), "s"),
            measured("both languages, processor time of the worker's two processes", of_worker, "s"),
            at_most("one PDF, median of 40", 1000 * single["wall"][middle], 300, "ms"),
            at_most("one PDF, slowest of 40", 1000 * single["wall"][-1], 300, "ms"),
            measured("one PDF, processor time, median", 1000 * single["cpu"][middle], "ms"),
            at_most("slides of a talk, processor time, slowest of 40", 1000 * single["slides"][-1], 1000, "ms"),
            at_most("workbook, processor time, slowest of 40", 1000 * single["workbook"][-1], 1000, "ms"),
            measured("largest PDF", seen["bytes"] / 1024, "kB"),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
