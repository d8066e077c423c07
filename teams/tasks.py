"""Thin Celery tasks: they wake what the database says is due."""

from contextlib import suppress

from celery import shared_task
from django.conf import settings

from teams.accounts import sign_in_mails
from teams.base import once, sweeping
from teams.inviting import reminders
from teams.mail import bounces, outbox
from teams.studies import retention


@shared_task(name=outbox.TASK)
def send_due_mail() -> None:
    outbox.send_due()


@shared_task(name="teams.read_bounces")
def read_bounces() -> None:
    if settings.BOUNCES_URL:
        bounces.MAILBOX.each([settings.BOUNCES_URL], bounces.read_mailbox, key=lambda _url: "")


@shared_task(name="teams.send_due_reminders")
def send_due_reminders() -> None:
    reminders.send_due_reminders()


@shared_task(name=sweeping.TASK)
def sweep_due() -> None:
    sweeping.mark_the_night()
    with suppress(sweeping.SweepDelayed):  # the next wake-up tries again
        sweeping.sweep_due()


@shared_task(name="teams.tell_retention")
def tell_retention() -> None:
    retention.tell()


@shared_task(name="teams.forget_sessions")
def forget_sessions() -> None:
    retention.forget_sessions()
    retention.forget_troubles()
    sign_in_mails.forget()
    once.forget()
