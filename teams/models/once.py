"""What was done by a form that was sent, so that a second press on a slow line does it no second time."""

from __future__ import annotations

from django.db import models


class DoneOnce(models.Model):
    """One act: by whom, where and with what is in the hash (teams/base/once.py). Gone within a day."""

    digest = models.CharField(max_length=64)
    outcome = models.TextField()  # what the second press is shown, sealed under the server's key
    done_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="done_once")]

    def __str__(self) -> str:
        return f"{self.done_at:%Y-%m-%d}"
