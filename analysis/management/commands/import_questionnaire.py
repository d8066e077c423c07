"""Import a questionnaire from a YAML file: scales, items, options, languages."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis.management.group import group_named
from surveys.questionnaires.publishing import QuestionnaireError, definition_of, import_questionnaire


class Command(BaseCommand):
    help = "Imports a questionnaire (YAML) and freezes it as a version that a study can choose."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--group", help="research group that gets it; not needed where there is one only")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = options["file"].read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from error
        try:
            questionnaire, version = import_questionnaire(text, group_named(options["group"]))
        except QuestionnaireError as error:
            raise CommandError(f"Nothing was imported:\n{error}") from error
        definition = definition_of(version)
        self.stdout.write(
            f"Questionnaire '{questionnaire.code}', version {version.number}: "
            f"{len(definition.scales)} scales, {len(definition.items)} items, answers 1 to {definition.n_points}."
        )
