"""What a program takes into memory when it starts: libraries that compute, draw and write come where they are used."""

import os
import subprocess
import sys

import pytest

from scripts.setup import ROOT

#: They take up to 100 MB each, and up to half a second to import.
HEAVY = (
    "altair",
    "fontTools",
    "lxml",
    "markdown_it",
    "narwhals",
    "numpy",
    "openpyxl",
    "pandas",
    "pikepdf",
    "PIL",
    "pptx",
    "pyreadstat",
    "python_calamine",
    "scipy",
    "segno",
    "typst",
    "vl_convert",
    "xlsxwriter",
)
SETUP = "import sys, django; django.setup()\n"
ADDRESSES = "import config.wsgi, config.urls; from django.urls import get_resolver; get_resolver()._populate()\n"
TASKS = (
    "from config.celery import app; app.loader.import_default_modules(); assert 'analysis.execute_run' in app.tasks\n"
)
BEAT = (
    "from config.beat import app; from celery.apps.beat import Beat\n"
    "beat = Beat(app=app, schedule='/dev/null', quiet=True, redirect_stdouts=False); beat.setup_logging(); beat.init_loader()\n"
    "assert 'mail' in app.conf.beat_schedule, app.conf.beat_schedule\n"
    "assert app.amqp.router.route({}, 'analysis.execute_run')['queue'].name == 'work'\n"
)
#: What beat has no use for: it sends names of tasks at their times.
APPS = ("teams", "surveys", "analysis", "allauth", "django.contrib")


def loaded_by(program: str) -> list[str]:
    """The modules that a program has when it was run in a process of its own."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "TEAMSPIEGEL_ENV": "demo"}
    code = program + "import sys; print(' '.join(sorted(sys.modules)))"
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )
    return process.stdout.split()


@pytest.mark.parametrize("program", [SETUP + ADDRESSES, SETUP + TASKS], ids=["web", "worker"])
def test_a_program_starts_without_the_libraries_that_compute(program: str) -> None:
    loaded = loaded_by(program)
    assert "analysis.urls" in loaded or "analysis.tasks" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_beat_starts_without_the_apps() -> None:
    loaded = loaded_by(BEAT)
    assert [name for name in HEAVY if name in loaded] == []
    assert [name for name in loaded if name.startswith(APPS)] == []


def test_beat_wakes_through_the_broker_of_the_workers() -> None:
    """Both programs have one broker, one schedule and the same names of queues."""
    from config.beat import app as beat
    from config.celery import app as worker

    for name in (
        "broker_url",
        "broker_transport_options",
        "beat_schedule",
        "task_routes",
        "task_default_queue",
        "timezone",
    ):
        assert beat.conf[name] == worker.conf[name], name
