"""Beat by itself: `celery -A config.beat beat` knows the settings and no app. It sends names of tasks at their times.

The worker's program (celery.py) imports every app, of which beat would use nothing: 20 MB and a second or two.
"""

from celery import Celery

app = Celery("teamspiegel", fixups=[], set_as_current=False)
app.config_from_object("django.conf:settings", namespace="CELERY")
