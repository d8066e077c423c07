"""After a database backup was restored: seal again what was sealed since that backup was made."""

from typing import Any

from django.core.management.base import BaseCommand

from surveys.collecting import sealing


class Command(BaseCommand):
    help = "Seal again what the list of sealed collections names and this database holds unsealed. Run after a restore."

    def handle(self, *args: Any, **options: Any) -> None:
        n_sealed = sealing.replay()
        self.stdout.write(f"{n_sealed} collection(s) sealed again.")
