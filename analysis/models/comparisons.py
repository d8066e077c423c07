"""Rows of comparisons: a team in two waves, and the composition of the population that respondents are held against."""

from django.conf import settings
from django.db import models

from analysis.models.results import Result, once
from teams.models import Study


class WaveDifference(Result):
    """A team's mean on a final scale in the previous wave and in this one, over the questions that both asked alike."""

    scale = models.CharField(max_length=20)
    n_before = models.PositiveIntegerField()
    n = models.PositiveIntegerField()
    before = models.FloatField(null=True)
    mean = models.FloatField(null=True)
    difference = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)

    class Meta:
        constraints = once("wave_difference", "scale")

    def __str__(self) -> str:
        return f"{self.scale}: {self.difference}"


class KnownComposition(models.Model):
    """How many people of the population gave each answer to a background question, as far as a source outside knows."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="known_compositions")
    question = models.CharField(max_length=40)
    # of a question about a number: the lowest number of every band but the first
    limits: "models.JSONField[list[float]]" = models.JSONField(default=list, blank=True)
    counts: "models.JSONField[list[int]]" = models.JSONField()  # per answer or band, in the order of the questionnaire
    source = models.CharField(max_length=300)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint("study", "question", name="known_composition_once")]

    def __str__(self) -> str:
        return f"{self.study}: {self.question}"
