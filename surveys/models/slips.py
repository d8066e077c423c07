"""Slips for a meeting: each lets one person begin, once. Every row is gone when it was used, and at sealing."""

from django.db import models

from surveys.models.collection import Collection


class Slip(models.Model):
    """A printed code that nobody used yet. No person, no time, no response.

    Only a keyed hash of the code is here (surveys/paper/slips.py). Using a slip deletes its row, in a transaction of its own:
    neither a row nor the number of a transaction stands beside the response that was begun with it.
    """

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="slips")
    code_hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint("collection", "code_hash", name="slip_once_per_collection")]

    def __str__(self) -> str:
        return f"{self.collection}"
