"""Coming back to what a team agreed: the day it picked, who else wants the mail, and what became of each step.

The team's own words: for its readers, never for researchers or directors (they see a count: analysis/board.py).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from teams.models import Participation


class LookBack(models.Model):
    """The look-back of one team in one wave. Without a day it is mailed to nobody; what was written stays."""

    participation = models.OneToOneField(Participation, on_delete=models.CASCADE, related_name="look_back")
    on = models.DateField(null=True, blank=True)
    # the day on which the mails for this day went to the outbox: another day is mailed anew
    mailed_on = models.DateField(null=True, blank=True)
    # a leader who wants no reminders picked this one; who leads the team after them did not
    picked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        indexes = [models.Index(fields=["on"], condition=Q(mailed_on__isnull=True), name="look_back_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(mailed_on__isnull=True) | (Q(on__isnull=False) & Q(mailed_on__gte=models.F("on"))),
                name="look_back_mailed_on_its_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participation}: {self.on}"


class LookBackReader(models.Model):
    """Somebody of the team who asked for the mail too. Its link opens the page of the look-back, and nothing else.

    The row is deleted when the link has ended (looking_back/dates.py): the address is kept for nothing else.
    """

    look_back = models.ForeignKey(LookBack, on_delete=models.CASCADE, related_name="readers")
    email = models.EmailField(blank=True)
    nonce = models.CharField(max_length=32, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                "look_back", Lower("email"), condition=~Q(email=""), name="look_back_mailed_to_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.look_back}: {self.email}"


class LookBackStep(models.Model):
    """What became of one agreed step: where it stands, and a line."""

    class Status(models.TextChoices):
        DONE = "done", _("done")
        UNDER_WAY = "under_way", _("under way")
        DROPPED = "dropped", _("dropped")

    look_back = models.ForeignKey(LookBack, on_delete=models.CASCADE, related_name="steps")
    scale = models.CharField(max_length=20)
    step = models.TextField()  # in the words of the talk, also where they are others by now
    key = models.CharField(max_length=16)  # of subject and words as they were first written about
    status = models.CharField(max_length=9, choices=Status.choices, blank=True)
    line = models.CharField(max_length=300, blank=True)
    # of the key of the page that wrote each last: what a page wrote before is its own, and no other's change
    status_hash = models.CharField(max_length=64, blank=True)
    line_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint("look_back", "key", name="looked_back_once_per_step"),
            models.CheckConstraint(
                condition=Q(status__in=["", "done", "under_way", "dropped"]), name="look_back_status_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.look_back}: {self.step[:40]} ({self.status})"
