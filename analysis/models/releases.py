"""Rows of single responses that leave the database: the register of releases, and large files on their way."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from surveys.models import Survey
from teams.models import Leased, Study


class RowRelease(models.Model):
    """Rows of single responses that went to a researcher: which columns, what for. The register of docs/data-protection.md, What readers see.

    Answers are a join key: whoever holds two files holds the union of their columns. What was released is never forgotten.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="row_releases")
    purpose = models.CharField(max_length=500)
    with_team = models.BooleanField(default=True)
    background: "models.JSONField[list[str]]" = models.JSONField(default=list)
    union: "models.JSONField[list[str]]" = models.JSONField(
        default=list
    )  # of the columns of all releases up to this one
    participations: "models.JSONField[list[int]]" = models.JSONField(default=list)  # whose rows are in it
    fingerprint = models.CharField(max_length=64)  # of the data set
    n_rows = models.PositiveIntegerField()
    smallest_cell = models.PositiveIntegerField()  # rows that share all columns of the union: the fewest
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=~Q(purpose=""), name="row_release_has_purpose")]

    def __str__(self) -> str:
        return f"{self.study}: {self.purpose[:40]}"


class ResultRelease(models.Model):
    """A results file that holds the figures of teams with fewer than k people too: who took them, and what for."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="result_releases")
    purpose = models.CharField(max_length=500)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=~Q(purpose=""), name="result_release_has_purpose")]

    def __str__(self) -> str:
        return f"{self.study}: {self.purpose[:40]}"


class PreparedFile(Leased):
    """What a worker made of a large study for its researchers: a file of a release, or the counts that releases are judged by.

    The row is the queue: claimed by its lease. It holds rows of responses, so it goes a day after it was made, and at once
    when a team withdraws.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="prepared_files")
    release = models.ForeignKey(RowRelease, on_delete=models.CASCADE, null=True, related_name="files")  # none: counts
    run = models.ForeignKey("analysis.AnalysisRun", on_delete=models.CASCADE, null=True, related_name="+")
    form = models.CharField(max_length=6)
    language = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    step = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=20, blank=True)  # of a failure: a code, put into words by the page
    asked_at = models.DateTimeField(auto_now_add=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    size = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [
            # of two who ask at once the second meets this and waits for the first one's
            models.UniqueConstraint("release", "form", "language", name="prepared_file_once"),
            models.UniqueConstraint("survey", condition=Q(release__isnull=True), name="prepared_counts_once"),
            models.CheckConstraint(condition=~Q(state="ready") | Q(ready_at__isnull=False), name="prepared_has_time"),
        ]

    def __str__(self) -> str:
        return f"{self.form} {self.language}: {self.state}"


class PreparedPart(models.Model):
    """A piece of a prepared file: nobody holds all of it in memory, neither who writes nor who sends."""

    file = models.ForeignKey(PreparedFile, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["file", "number"]
        constraints = [models.UniqueConstraint("file", "number", name="prepared_part_once")]

    def __str__(self) -> str:
        return f"{self.file}: {self.number}"
