"""What a team saw of itself in its own meeting, before anything of the study was published."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from teams.models import Leased, Study


class EarlyPicture(Leased):
    """The early picture of one unit: the wish for it, and what was shown. The row is the queue; a unit has one picture.

    It counts as a publication of one unit: who stood behind each figure is kept as of a `PublishedGroup`, and later publications
    show this unit as the picture did (docs/disclosure.md). It holds figures and keys, in no language and without a name.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        WORKING = "working", _("being made")
        SHOWN = "shown", _("shown")
        WITHHELD = "withheld", _("not shown")
        FAILED = "failed", _("failed")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="early_pictures")
    unit = models.CharField(max_length=60)  # key of a team, or of several together
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField(auto_now_add=True)
    made_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=80, blank=True)  # of a failure: the kind of error
    members: models.JSONField[list[str]] = models.JSONField(default=list)  # keys of the sealed responses
    # per item and scale that was shown: the places in ``members`` of those who are not behind the figure
    missing: models.JSONField[dict[str, list[int]]] = models.JSONField(default=dict)
    # per team the exact figures of which the picture was made: n, who of the members is of it, the answers per question
    figures: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    # what is shown of the unit, and what was said with it of the study (reports/shown.py); empty when all its teams withdrew
    content: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    setting: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint("study", "unit", name="one_early_picture_per_unit"),
            models.CheckConstraint(
                condition=~Q(state="shown") | Q(made_at__isnull=False), name="picture_shown_has_a_moment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit}: {self.state}"
