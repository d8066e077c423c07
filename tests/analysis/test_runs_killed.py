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

from analysis.models import AnalysisRun
from analysis.models.results import ItemResult, ScaleResult
from analysis.runs import execution
from surveys.models import Survey
from tests.analysis import builders

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import json, os, signal, sys
from config import settings_test
settings_test.DATABASES["default"]["NAME"] = json.loads(sys.argv[1])
import django
django.setup()
from analysis.runs import execution as runs
from analysis.runs import store as results
from analysis.runs.steps import Computation

write = results.write

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "computing":
    Computation.compute_reliability = die
elif sys.argv[2] == "restart":  # the database ends every connection, as when it is restarted, and is there again at once
    reliability = Computation.compute_reliability

    def cut(self, *args):
        import psycopg
        from django.db import connection
        own = connection.connection.info.backend_pid
        with psycopg.connect(**{k: v for k, v in connection.get_connection_params().items()
                                if k in ("dbname", "user", "password", "host", "port")}, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [own])
        return reliability(self, *args)

    Computation.compute_reliability = cut
else:  # half of the rows are written, in a transaction that will never be committed
    results.write = lambda run, part: die() if part.table == "agreementresult" else write(run, part)
print("stored" if runs.execute(int(sys.argv[3])) else "left")
"""


def work(moment, run):
    """A worker process of its own."""
    database = json.dumps(str(connection.settings_dict["NAME"]))
    return subprocess.run(
        [sys.executable, "-c", WORKER, database, moment, str(run.pk)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings_test"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["computing", "storing"])
def test_a_killed_worker_leaves_no_half_results_and_the_run_is_taken_up_again(moment):
    study = builders.make_study()
    builders.three_teams(study)
    run = execution.request_run(Survey.objects.get(study=study))
    worker = work(moment, run)
    assert worker.returncode == -9, worker.stderr
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("running", 1)
    assert run.step_name == ("reliability theoretical" if moment == "computing" else "storing")
    assert not ScaleResult.objects.exists()
    assert not ItemResult.objects.exists()
    assert execution.start_due_runs() == []  # its lease has not run out: it might be alive
    AnalysisRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert execution.start_due_runs() == [run.pk]
    assert execution.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("done", 2)
    assert ScaleResult.objects.filter(run=run).count() == 2 * 3 * 4
    assert ItemResult.objects.filter(run=run).count() == 9 * 4
    if moment == "storing":  # all was staged: nothing was computed again
        assert {seconds is not None for seconds in run.steps.values_list("seconds", flat=True)} == {True}


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_database_that_restarts_leaves_the_run_to_be_taken_up_again():
    study = builders.make_study()
    builders.three_teams(study)
    run = execution.request_run(Survey.objects.get(study=study))
    worker = work("restart", run)
    assert worker.stdout.strip() == "left", worker.stderr
    run.refresh_from_db()
    assert (run.state, run.attempts, run.error) == ("running", 1, "")  # no failure: it is not the run's fault
    n_done = run.steps.filter(state="done").count()
    assert n_done > 0
    AnalysisRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert execution.start_due_runs() == [run.pk]
    assert execution.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("done", 2)


@pytest.mark.django_db
def test_a_broker_that_was_emptied_delays_and_loses_nothing(monkeypatch):
    study = builders.make_study()
    builders.three_teams(study)
    sent = []
    monkeypatch.setattr(execution, "_wake", lambda run_id, task=execution.TASK: sent.append(run_id))
    run = execution.request_run(Survey.objects.get(study=study))
    assert sent == []  # its wake-up never arrives: the broker was emptied
    assert execution.start_due_runs() == [run.pk]
    assert sent == [run.pk]  # beat wakes a worker by what stands in the database
    assert execution.execute(run.pk)
    assert execution.start_due_runs() == []
