"""One row per response: answers, never a person, never a time."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from surveys.models.collection import Collection


class Response(models.Model):
    """The answers of one respondent.

    ``key`` comes from the server: random for a meeting, a keyed hash for a personal link, random again after sealing.
    ``answers`` maps item codes to 1…m, or to "x" for "I cannot judge"; an unanswered item has no key. Background answers
    are in the same object under their own codes. There is no foreign key to an invitee and no timestamp.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("started")
        SUBMITTED = "submitted", _("submitted")

    CANNOT_JUDGE = "x"

    key = models.CharField(max_length=43, primary_key=True)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="responses")
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT)
    eligibility = models.CharField(max_length=20, blank=True)
    answers: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    # these three leave the row at sealing
    sequence = models.PositiveIntegerField(default=0)
    language = models.CharField(max_length=2, blank=True)
    by_link = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(key=""), name="response_has_key")]

    def __str__(self) -> str:
        return self.key[:6]
