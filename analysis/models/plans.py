"""The analysis plan: the rules fixed before the data are seen."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from teams.models import Study


class AnalysisPlan(models.Model):
    """The rules fixed before the data are seen. Locked when the survey opens; a later one is an amendment."""

    class Known(models.TextChoices):
        """What was known of the study's answers when a plan was locked."""

        NOTHING = "nothing", _("before the first answer")
        ANSWERS = "answers", _("while answers were coming in, before there was any result")
        RESULTS = "results", _("when there were results already")
        ELSEWHERE = "elsewhere", _("when the answers, collected elsewhere, were there already")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="plans")
    number = models.PositiveIntegerField(default=1)
    content: "models.JSONField[dict[str, Any]]" = models.JSONField()
    content_hash = models.CharField(max_length=64)
    locked_at = models.DateTimeField(null=True, blank=True)
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    amendment_reason = models.CharField(max_length=500, blank=True)
    known = models.CharField(max_length=9, choices=Known.choices, default=Known.NOTHING)

    class Meta:
        ordering = ["study", "-number"]
        constraints = [
            models.UniqueConstraint("study", "number", name="plan_number_once"),
            models.CheckConstraint(condition=Q(number=1) | ~Q(amendment_reason=""), name="amendment_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.study}: {self.number}"
