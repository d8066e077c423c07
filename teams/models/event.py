"""What happened in a study."""

from __future__ import annotations

from django.db import models

from teams.models.participation import Participation, Study
from teams.models.people import Academy, User


class Event(models.Model):
    """What happened to an academy, a team or a study, by whom: the history a researcher reads. Never about teachers."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="events")
    participation = models.ForeignKey(
        Participation, on_delete=models.CASCADE, null=True, blank=True, related_name="events"
    )
    academy = models.ForeignKey(Academy, on_delete=models.CASCADE, null=True, blank=True, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    by_link = models.BooleanField(default=False)  # done through a mailed link, so by whoever held it
    kind = models.CharField(max_length=40)
    detail = models.CharField(max_length=500, blank=True)
    of_team = models.CharField(
        max_length=160, blank=True
    )  # what the team was called that was merged into this one since

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d}"
