"""Celery tasks: an id in, one call. The broker only wakes; what is due stands in the database (runs.py)."""

from celery import shared_task

from analysis import runs, withdrawals


@shared_task(name="analysis.start_due_runs")
def start_due_runs() -> None:
    runs.start_due_runs()


@shared_task(name="analysis.execute_run")
def execute_run(run_id: int) -> None:
    runs.execute(run_id)


@shared_task(name="analysis.carry_out_withdrawals")
def carry_out_withdrawals() -> None:
    withdrawals.carry_out()
