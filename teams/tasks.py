"""Thin Celery tasks: they wake what the database says is due."""

from celery import shared_task
from django.conf import settings

from teams import bounces, mail, reminders


@shared_task(name=mail.TASK)
def send_due_mail() -> None:
    mail.send_due()


@shared_task(name="teams.read_bounces")
def read_bounces() -> None:
    if settings.BOUNCES_URL:
        bounces.read_mailbox(settings.BOUNCES_URL)


@shared_task(name="teams.send_due_reminders")
def send_due_reminders() -> None:
    reminders.send_due_reminders()
