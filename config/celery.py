"""Celery: finds the tasks of the apps. The broker is only a wake-up; see docs/adr."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("teamspiegel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
