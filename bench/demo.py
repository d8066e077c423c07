"""How long the demo takes to load, and its analysis within that: `make bench-demo`."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import at_most, report
from scripts.run import environment, manage
from scripts.setup import ROOT

RUNS = """
import json, django; django.setup()
from analysis.models import AnalysisRun
runs = AnalysisRun.objects.filter(state="done").order_by("pk")
print(json.dumps([(run.survey.study.slug, (run.finished_at - run.started_at).total_seconds()) for run in runs]))
"""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as name:
        env = environment("127.0.0.1", 8000, Path(name))
        manage(env, "migrate", "--verbosity=0")
        started = time.perf_counter()
        manage(env, "demo")
        first = time.perf_counter() - started
        started = time.perf_counter()
        manage(env, "demo")
        again = time.perf_counter() - started
        process = subprocess.run(
            [sys.executable, "-c", RUNS], cwd=ROOT, env=env, capture_output=True, text=True, check=True
        )
    runs = json.loads(process.stdout)
    return report(
        "demo",
        [
            at_most("demo loaded", first, 20, "s"),
            at_most("demo found loaded", again, 5, "s"),
            *(at_most(f"analysis run {n} ({study})", seconds, 15, "s") for n, (study, seconds) in enumerate(runs, 1)),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
