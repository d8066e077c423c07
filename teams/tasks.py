"""Thin Celery tasks: they wake what the database says is due."""

from celery import shared_task
from django.conf import settings

from teams import bounces, mail


@shared_task(name=mail.TASK)
def send_due_mail() -> None:
    mail.send_due()


@shared_task(name="teams.read_bounces")
def read_bounces() -> None:
    if settings.BOUNCES_URL:
        bounces.read_mailbox(settings.BOUNCES_URL)
