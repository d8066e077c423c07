"""One row per response: answers, never a person, never a time. While its team is open in one table, once sealed in another."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from surveys.models.collection import Collection


class Response(models.Model):
    """The answers of one respondent, until their collection is sealed. What is here is open, so the table stays small.

    ``key`` says nothing outside this table: a keyed hash of the key that a device holds (keys/row_keys.py), which is random for a
    meeting and itself a keyed hash for a personal link; random for paper.
    ``answers`` maps item codes to 1…m, or to "x" for "I cannot judge"; an unanswered item has no key. Background answers
    are in the same object under their own codes. There is no foreign key to an invitee and no timestamp, and
    nothing says by which way an answer came: in a team that met, that would name the one who was absent.
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
    # these two have no column where sealed answers are
    sequence = models.PositiveIntegerField(default=0)
    language = models.CharField(max_length=2, blank=True)

    device_key = ""  # the key with which somebody asked for this response; never stored

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(key=""), name="response_has_key")]

    def __str__(self) -> str:
        return self.key[:6]


class SealedResponse(models.Model):
    """The answers of one respondent once their collection is sealed (surveys/collecting/sealing.py), in a table of their own.

    It only grows, a collection at a time, in random order and under fresh random keys, so that nothing of it has to be written
    anew when another collection is sealed (docs/adr/0016-sealed-answers-apart.md). Rows are never changed.
    """

    key = models.CharField(max_length=43, primary_key=True)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="sealed_responses")
    state = models.CharField(max_length=9, choices=Response.State.choices)
    eligibility = models.CharField(max_length=20, blank=True)
    answers: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(key=""), name="sealed_response_has_key")]

    def __str__(self) -> str:
        return self.key[:6]
