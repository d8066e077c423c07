"""Print what the last run of a study wrote: a contract for scripts, never served over HTTP."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis.models import AnalysisRun
from analysis.results.reading import RESEARCHER, results_of
from teams.models import Study


class Command(BaseCommand):
    help = "Prints the results of a study's last run. 'teams' holds what each team's leader may see."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name of the study; the demo's is 'demo'")
        parser.add_argument("--json", action="store_true", help="one JSON object (the default: indented for people)")
        parser.add_argument(
            "--as", dest="reader", choices=["leader", RESEARCHER], default="leader", help="whose eyes 'teams' is for"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study '{options['study']}'.")
        run = AnalysisRun.objects.last_done(study.pk)
        if run is None:
            raise CommandError(f"Study '{options['study']}' has no finished analysis yet.")
        results = results_of(run, options["reader"])
        self.stdout.write(json.dumps(results, ensure_ascii=False, indent=None if options["json"] else 2))
