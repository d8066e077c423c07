"""Delete a study with everything that is kept of it, on the server."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.erasure import consequences, studies
from teams.models import Study, StudyDeletion


class Command(BaseCommand):
    help = "Delete a study for good. Says first what goes and what stays, and asks for its name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the short name of the study, as in its address")
        parser.add_argument("--title", help="the study's name, in place of typing it")

    def handle(self, *args: Any, slug: str, title: str | None = None, **options: Any) -> None:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            raise CommandError(f"There is no study with the short name '{slug}'.")
        if not StudyDeletion.objects.filter(study=study).exists():
            self._ask(study, title)
            try:
                studies.begin(study)
            except studies.NotNow as error:
                raise CommandError(str(error)) from error
        if not studies.carry_out(self._progress):
            raise CommandError(
                "The deletion has begun. A worker is at it, or the database is busy: it goes on by itself."
            )
        self.stdout.write("The study is deleted, and its rows have left the disk.")

    def _ask(self, study: Study, title: str | None) -> None:
        for heading, lines in (
            ("Look out:", consequences.warnings(study)),
            ("This goes:", consequences.goes(study)),
            ("This stays:", consequences.stays(study)),
        ):
            if lines:
                self.stdout.write("\n".join([heading, *(f"  - {line}" for line in lines)]))
        typed = title if title is not None else input(f"Type the name of the study ({study.title}): ")
        if typed.strip() != study.title:
            raise CommandError("This is not the name of the study. Nothing was deleted.")

    def _progress(self, deletion: StudyDeletion) -> None:
        self.stdout.write(f"{deletion.n_gone} of {deletion.n_rows} rows", ending="\r")
