"""When beat wakes for what, and which worker does it: the same on every machine."""

from typing import Any

# Seconds after which a wake-up is of no use. More than the clocks of two machines are apart: whoever is woken twice finds nothing.
WAKE_UP_LASTS = 180
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # beat only wakes: what is due stands in the database. What a page or another task wakes itself, beat wakes again after half a minute:
    # that is for a wake-up that was lost, and idling costs
    "mail": {"task": "teams.send_due_mail", "schedule": 10.0},
    "bounces": {"task": "teams.read_bounces", "schedule": 300.0},
    "reminders": {"task": "teams.send_due_reminders", "schedule": 600.0},
    "collections": {"task": "surveys.seal_due_collections", "schedule": 15.0},
    "opening": {"task": "surveys.open_missing", "schedule": 30.0},
    "keys": {"task": "surveys.look_at_keys", "schedule": 60.0},
    "sweep": {"task": "teams.sweep_due", "schedule": 60.0},
    "returned": {"task": "surveys.move_returned", "schedule": 600.0},
    "rounds": {"task": "surveys.send_due_rounds", "schedule": 30.0},
    "pictures": {"task": "analysis.make_pictures", "schedule": 30.0},
    "withdrawals": {"task": "analysis.carry_out_withdrawals", "schedule": 30.0},
    "deletions": {"task": "analysis.delete_studies", "schedule": 30.0},
    "sessions": {"task": "teams.forget_sessions", "schedule": 3600.0},
    "retention": {"task": "teams.tell_retention", "schedule": 3600.0},
    "look_backs": {"task": "analysis.mail_looks_back", "schedule": 600.0},
    "runs": {"task": "analysis.start_due_runs", "schedule": 10.0},
    "files": {"task": "analysis.wake_for_prepared_files", "schedule": 30.0},
    "publishing": {"task": "analysis.wake_for_publishing", "schedule": 30.0},
    "reports": {"task": "analysis.wake_for_report_files", "schedule": 30.0},
    "outdated": {"task": "analysis.make_report_files_anew", "schedule": 60.0},
}
for _wake_up in CELERY_BEAT_SCHEDULE.values():
    _wake_up["options"] = {"expires": WAKE_UP_LASTS}
# Two queues, so that neither mail nor the sealing of a team waits for an analysis. Each has a worker of its own (docs/deployment.md).
CELERY_TASK_DEFAULT_QUEUE = "answers"
CELERY_TASK_ROUTES = {
    name: {"queue": "work"}
    for name in (
        "analysis.execute_run",
        "analysis.help_with_run",
        "analysis.publish",
        "analysis.make_report_files",
        "analysis.make_report_files_anew",
        "analysis.prepare_file",
        "analysis.delete_studies",
    )
}
