"""Thin Celery tasks: they wake what the database says is due."""

from celery import shared_task

from teams import mail


@shared_task(name=mail.TASK)
def send_due_mail() -> None:
    mail.send_due()
