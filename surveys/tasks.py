"""Thin Celery tasks: they wake what the database says is due."""

from contextlib import suppress

from celery import shared_task

from surveys import limits, rounds, sealing
from surveys.collections import SEAL_TASK


@shared_task(name=SEAL_TASK)
def seal_due_collections() -> None:
    limits.forget_old()
    with suppress(sealing.SweepDelayed):  # the next wake-up tries again
        sealing.seal_due()


@shared_task(name=rounds.ROUNDS_TASK)
def send_due_rounds() -> None:
    rounds.send_due()
