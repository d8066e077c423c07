"""After a database backup was restored: delete again what was deleted since that backup was made."""

from typing import Any

from django.core.management.base import BaseCommand

from analysis.erasure import people, studies


class Command(BaseCommand):
    help = (
        "Delete studies and remove people that were deleted after this backup was made. Run after replay_withdrawals."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{studies.replay()} deleted study/studies deleted again.")
        self.stdout.write(f"{people.replay()} removed person(s) removed again.")
