"""Thin Celery tasks: they wake what the database says is due."""

from celery import shared_task

from surveys import sealing
from surveys.collections import SEAL_TASK


@shared_task(name=SEAL_TASK)
def seal_due_collections() -> None:
    sealing.seal_due()
