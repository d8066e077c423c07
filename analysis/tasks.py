"""Celery tasks: an id in, one call. The broker only wakes; what is due stands in the database (runs/execution.py)."""

from celery import shared_task

from analysis import withdrawals
from analysis.erasure import studies
from analysis.exports import prepared
from analysis.looking_back import dates
from analysis.mirror import making
from analysis.publication import files, jobs
from analysis.runs import execution


@shared_task(name="analysis.start_due_runs")
def start_due_runs() -> None:
    execution.start_due_runs()


@shared_task(name="analysis.execute_run")
def execute_run(run_id: int) -> None:
    execution.execute(run_id)


@shared_task(name="analysis.help_with_run")
def help_with_run(run_id: int) -> None:
    execution.help_with(run_id)


@shared_task(name="analysis.carry_out_withdrawals")
def carry_out_withdrawals() -> None:
    withdrawals.carry_out()


@shared_task(name=jobs.TASK)
def publish(job_id: int) -> None:
    jobs.carry_out(job_id)


@shared_task(name="analysis.wake_for_publishing")
def wake_for_publishing() -> None:
    jobs.wake_for_due()


@shared_task(name="analysis.make_report_files")
def make_report_files(publication_id: int) -> None:
    files.make_files(publication_id)


@shared_task(name="analysis.wake_for_report_files")
def wake_for_report_files() -> None:
    files.wake_for_due()


@shared_task(name="analysis.make_report_files_anew")
def make_report_files_anew() -> None:
    files.make_anew()


@shared_task(name="analysis.prepare_file")
def prepare_file(file_id: int) -> None:
    prepared.prepare(file_id)


@shared_task(name="analysis.wake_for_prepared_files")
def wake_for_prepared_files() -> None:
    prepared.wake_for_due()


@shared_task(name=studies.TASK)
def delete_studies() -> None:
    studies.carry_out()


@shared_task(name="analysis.mail_looks_back")
def mail_looks_back() -> None:
    dates.mail_due()
    dates.forget_ended()


@shared_task(name=making.TASK)
def make_pictures() -> None:
    making.make_due()
