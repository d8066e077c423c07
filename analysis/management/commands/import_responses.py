"""Import answers collected elsewhere: a wide CSV or XLSX, one row per respondent."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analysis.data.import_file import Answers, read_answers, read_map
from analysis.data.import_teams import ImportRefused
from analysis.data.imports import import_answers, seal
from analysis.forms.decisions_and_import import row_numbers
from analysis.management.group import group_named
from analysis.models import AnalysisRun
from analysis.plan.plans import default_plan, import_plan
from analysis.runs import execution
from surveys.models import QuestionnaireVersion, Survey
from surveys.questionnaires.publishing import definition_of
from teams.files.limits import BY_COMMAND, UnreadableTable
from teams.files.tables import read_table
from teams.models import Study

SHOWN = 200


class Command(BaseCommand):
    help = (
        "Imports answers from a wide CSV or XLSX (one row per respondent). Every bad cell is reported; nothing is "
        "imported unless all is good or the bad rows are named with --leave-out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--study", required=True, help="short name of the study")
        parser.add_argument("--team-column", required=True, help="header of the column that holds the team")
        parser.add_argument("--map", type=Path, help="CSV with the columns 'column', 'code' and optionally 'values'")
        parser.add_argument("--dry-run", action="store_true", help="check the file and write nothing")
        parser.add_argument(
            "--leave-out", default="", help="rows not to import, such as 4,17,30-32 (the header is row 1)"
        )
        parser.add_argument("--empty-team", default="", help="name of the team of rows without one")
        parser.add_argument(
            "--questionnaire", help="make the study if there is none, with this questionnaire's last version"
        )
        parser.add_argument("--group", help="research group of the study to make; not needed where there is one only")
        parser.add_argument(
            "--plan",
            choices=["import", "default"],
            default="import",
            help="of a study without a locked plan: 'import' screens nobody out and scores from one answer (default)",
        )
        parser.add_argument(
            "--analyse", action="store_true", help="analyse here and now instead of leaving it to the worker"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        survey = _survey(options["study"], options["questionnaire"], options["group"], options["dry_run"])
        try:
            leave_out = row_numbers(options["leave_out"])
        except ValueError as error:
            raise CommandError("--leave-out takes row numbers such as 4,17,30-32.") from error
        definition = definition_of(survey.version)
        try:
            table = read_table(options["file"].read_bytes(), options["file"].name, BY_COMMAND)
            column_map = (
                read_map(read_table(options["map"].read_bytes(), options["map"].name)) if options["map"] else None
            )
        except (OSError, UnreadableTable) as error:
            raise CommandError(str(error)) from error
        answers = read_answers(
            table,
            definition,
            survey.background,
            options["team_column"],
            column_map=column_map,
            leave_out=leave_out,
            empty_team=options["empty_team"],
        )
        self._report(answers)
        if not answers.good:
            raise CommandError("Nothing was imported.")
        if options["dry_run"]:
            self.stdout.write("The file is good. Nothing was imported: this was a dry run.")
            return
        make_plan = import_plan if options["plan"] == "import" else default_plan
        try:
            made = import_answers(survey, answers, None, plan=make_plan(definition, survey.study.k))
        except ImportRefused as error:
            raise CommandError(str(error)) from error
        seal(made)
        self.stdout.write(f"Imported {answers.n_rows} responses of {len(made)} teams; their collections are sealed.")
        if options["analyse"]:
            run = execution.request_run(survey)
            if not execution.execute(run.pk):
                raise CommandError(f"The analysis failed: {AnalysisRun.objects.get(pk=run.pk).error}")
            self.stdout.write(f"Analysed (run {run.pk}).")

    def _report(self, answers: Answers) -> None:
        for problem in answers.problems:
            self.stderr.write(problem)
        for bad in answers.bad_cells[:SHOWN]:
            self.stderr.write(f"row {bad.row}, column {bad.column}: {bad.reason}")
        if len(answers.bad_cells) > SHOWN:
            self.stderr.write(f"… and {len(answers.bad_cells) - SHOWN} more bad cells.")
        if answers.ignored_columns:
            self.stdout.write(f"Not imported, since no item has this name: {', '.join(answers.ignored_columns)}.")
        if answers.left_out:
            self.stdout.write(f"Left out, as asked: row {', '.join(map(str, answers.left_out))}.")
        for team, rows in sorted(answers.teams.items()):
            self.stdout.write(f"  {team}: {len(rows)} rows")


def _survey(slug: str, questionnaire: str | None, group_name: str | None, dry_run: bool) -> Survey:
    survey = Survey.objects.select_related("study", "version").filter(study__slug=slug).first()
    if survey is not None:
        return survey
    if not questionnaire:
        raise CommandError(f"There is no study '{slug}' with a questionnaire. --questionnaire CODE makes one.")
    known = Study.objects.filter(slug=slug).select_related("group").first()
    group = known.group if known else group_named(group_name)
    of_group = QuestionnaireVersion.objects.filter(questionnaire__group=group, questionnaire__code=questionnaire)
    version = of_group.order_by("-number").first()
    if version is None:
        raise CommandError(
            f"The group '{group}' has no questionnaire '{questionnaire}': import it with import_questionnaire."
        )
    study = known or Study(
        group=group,
        slug=slug,
        title=slug.replace("-", " ").capitalize(),
        starts_on=timezone.localdate(),
        ends_on=date(timezone.localdate().year, 12, 31),
        controller="—",
        privacy_contact="—",
        contact_name="—",
        contact_email="researcher@teamspiegel.example",
    )
    survey = Survey(study=study, version=version)
    if not dry_run:
        if study.pk is None:
            study.save()
        survey.save()
    return survey
