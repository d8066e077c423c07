"""Thin Celery tasks: they wake what the database says is due."""

from contextlib import suppress

from celery import shared_task

from surveys.answering import limits
from surveys.collecting import collections, new_keys, returned, sealing
from surveys.collecting.collections import SEAL_TASK
from surveys.linking import rounds
from teams.base.sweeping import SweepDelayed


@shared_task(name=SEAL_TASK)
def seal_due_collections() -> None:
    with suppress(SweepDelayed):  # the next wake-up tries again
        sealing.seal_due()
    limits.forget_old()


@shared_task(name="surveys.open_missing")
def open_missing() -> None:
    collections.open_missing()


@shared_task(name="surveys.look_at_keys")
def look_at_keys() -> None:
    new_keys.look()


@shared_task(name=rounds.ROUNDS_TASK)
def send_due_rounds() -> None:
    rounds.send_due()


@shared_task(name=returned.STEPS_TASK)
def move_returned() -> None:
    returned.move_steps()
