"""A worker killed in the middle: no half results, and the run is taken up again. A real process, a real kill."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from analysis import runs
from analysis.models import AnalysisRun, ItemResult, ScaleResult
from surveys.models import Survey
from tests.analysis import builders

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import json, os, signal, sys
from config import settings_test
settings_test.DATABASES["default"]["NAME"] = json.loads(sys.argv[1])
import django
django.setup()
from analysis import runs
from analysis import results
from analysis.computing import Computation

write = results.write

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "computing":
    Computation.compute_reliability = die
else:  # half of the rows are written, in a transaction that will never be committed
    results.write = lambda run, part: die() if part.table == "agreementresult" else write(run, part)
runs.execute(int(sys.argv[3]))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["computing", "storing"])
def test_a_killed_worker_leaves_no_half_results_and_the_run_is_taken_up_again(moment):
    study = builders.make_study()
    builders.three_teams(study)
    run = runs.request_run(Survey.objects.get(study=study))
    database = json.dumps(str(connection.settings_dict["NAME"]))
    worker = subprocess.run(
        [sys.executable, "-c", WORKER, database, moment, str(run.pk)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings_test"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert worker.returncode == -9, worker.stderr
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("running", 1)
    assert run.step_name == ("reliability theoretical" if moment == "computing" else "storing")
    assert not ScaleResult.objects.exists()
    assert not ItemResult.objects.exists()
    assert runs.start_due_runs() == []  # its lease has not run out: it might be alive
    AnalysisRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert runs.start_due_runs() == [run.pk]
    assert runs.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("done", 2)
    # what the dead worker had staged was not computed again
    n_claims = run.steps.filter(shared=False).count()
    assert n_claims
    assert ScaleResult.objects.filter(run=run).count() == 2 * 3 * 4
    assert ItemResult.objects.filter(run=run).count() == 9 * 4
