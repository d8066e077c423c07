"""Rows of single responses that left the database: the register of releases."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from teams.models import Study


class RowRelease(models.Model):
    """Rows of single responses that went to a researcher: which columns, what for. The register of disclosure.md, rule 9.

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
