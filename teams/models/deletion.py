"""The register of deleted studies. A study with a line here is being deleted; the line stays when the study is gone."""

from __future__ import annotations

from typing import Any

from django.db import models

from teams.models.participation import Study
from teams.models.people import User


class StudyDeletion(models.Model):
    """One deleted study, without a name: its number, when, and how much there was. Not done: it is to be carried out.

    ``study`` is empty once the study is gone, ``done_at`` is set once its rows have left the disk too.
    """

    study = models.OneToOneField(Study, on_delete=models.SET_NULL, null=True, related_name="deletion")
    number = models.BigIntegerField()  # primary key that the study had
    wave = models.PositiveSmallIntegerField()
    ended_on = models.DateField()
    promised_until = models.DateField()  # what retention said when it was deleted
    n_teams = models.PositiveIntegerField()
    n_responses = models.PositiveIntegerField()
    begun_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)
    # no text: the reference empties when this person is removed
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    n_rows = models.PositiveIntegerField()
    n_gone = models.PositiveIntegerField(default=0)
    # teams, academies, institutions and accounts that go after the study, if nothing else uses them: primary keys
    after: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True) | models.Q(study__isnull=True),
                name="deletion_done_without_study",
            )
        ]

    def __str__(self) -> str:
        return f"study {self.number}"

    @property
    def percent(self) -> int:
        """How much of the rows is gone; 100 only when it is done."""
        if self.done_at is not None:
            return 100
        return min(99, 100 * self.n_gone // max(self.n_rows, 1))
