"""What was deleted and still stands on the disk."""

from django.db import models


class Leftover(models.Model):
    """A table of which rows were deleted or overwritten, and when their bytes leave the disk: the queue of base/sweeping.py.

    It names no row: neither who deleted something, nor what. Without a table: everything but files.
    """

    table = models.CharField(max_length=63, blank=True)
    due_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.table}: {self.due_at:%Y-%m-%d %H:%M}"
