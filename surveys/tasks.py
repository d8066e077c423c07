"""Thin Celery tasks: they wake what the database says is due."""

from contextlib import suppress

from celery import shared_task

from surveys import sealing
from surveys.collections import SEAL_TASK


@shared_task(name=SEAL_TASK)
def seal_due_collections() -> None:
    with suppress(sealing.SweepDelayed):  # the next wake-up tries again
        sealing.seal_due()
