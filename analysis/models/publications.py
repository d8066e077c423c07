"""What was given to readers: combined teams, publications, and who stood behind each figure."""

from typing import Any

from django.conf import settings
from django.db import models

from analysis.models.runs import AnalysisRun
from teams.models import Academy, Participation, Study


class Unit(models.Model):
    """A recorded combination of sibling teams, made before publication so that together they reach k: docs/data-protection.md."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="units")
    academy = models.ForeignKey(Academy, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    participations = models.ManyToManyField(Participation, related_name="units")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Publication(models.Model):
    """A run whose reports are given to the readers. A later one replaces it, if disclosure/ allows the difference."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="publications")
    run = models.OneToOneField(AnalysisRun, on_delete=models.PROTECT, related_name="publication")
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)
    # per scale its items and the SD and df behind the intervals: later publications keep them (disclosure/)
    spreads: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.study}: {self.published_at:%Y-%m-%d}"


class PublishedGroup(models.Model):
    """The analysed respondents of a published unit: what every later version is held against, as it was shown then."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="groups")
    group = models.CharField(max_length=60)
    members: "models.JSONField[list[str]]" = models.JSONField(default=list)  # keys of the sealed responses
    # per item and scale that was shown: the places in ``members`` of those who are not behind the figure
    missing: "models.JSONField[dict[str, list[int]]]" = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint("publication", "group", name="published_group_once")]

    def __str__(self) -> str:
        return self.group
