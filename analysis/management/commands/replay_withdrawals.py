"""After a database backup was restored: withdraw again the teams that withdrew since that backup was made."""

from typing import Any

from django.core.management.base import BaseCommand

from analysis import withdrawals


class Command(BaseCommand):
    help = "Delete, or stop using, answers of teams that withdrew after this backup was made. Run after replay_seals."

    def handle(self, *args: Any, **options: Any) -> None:
        n_dealt_with = withdrawals.replay()
        self.stdout.write(f"{n_dealt_with} collection(s) of withdrawn teams dealt with again.")
