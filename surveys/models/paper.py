"""Paper forms while they are typed. Every row is gone once its collection is sealed."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from surveys.models.collection import Collection


class PaperForm(models.Model):
    """One form on paper: typed, typed again, compared, and written as a response. No person, no time. No page shows it.

    ``number`` is written on the form by whoever types it, after the pile was mixed: it finds the form again for the second
    time and tells nothing about who filled it in. Each of ``first``, ``second`` and ``agreed`` is
    ``{"answers": {…}, "eligibility": …}`` as `surveys.answering.answers` checks them, or empty.
    """

    class State(models.TextChoices):
        FIRST = "first", _("being typed")
        ONCE = "once", _("typed once")
        SECOND = "second", _("being typed again")
        DIFFERENT = "different", _("the two times differ")
        READY = "ready", _("typed twice, the same")
        WRITTEN = "written", _("entered")

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="paper_forms")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.FIRST)
    first: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    second: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    agreed: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    by_link = models.BooleanField(default=False)  # typed in part by who holds the meeting's link
    response_key = models.CharField(max_length=43, blank=True)  # of the response it became, until sealing

    class Meta:
        ordering = ["collection", "number"]
        constraints = [
            models.UniqueConstraint("collection", "number", name="paper_number_once"),
            models.CheckConstraint(
                condition=Q(state="written", response_key__gt="") | (~Q(state="written") & Q(response_key="")),
                name="paper_written_has_response",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.collection}: {self.number}"
