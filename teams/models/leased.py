"""Rows that are queues: who has one, until when, how often it was tried, and when it is tried again. See teams/base/leases.py."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from teams.models.participation import Study


class Leased(models.Model):
    """Four columns of every queue. What waits, what is done and what was given up are the table's own states."""

    lease_until = models.DateTimeField(null=True, blank=True)
    n_claims = models.PositiveIntegerField(default=0)  # a claim is known by its number: it rises and never falls
    attempts = models.PositiveSmallIntegerField(default=0)  # that failed or broke off, and the one under way
    due_at = models.DateTimeField(null=True, blank=True)  # not before; empty: at once

    class Meta:
        abstract = True


class Job(Leased):
    """One thing to do that has no row of its own, such as a team to seal or a returned mail to read.

    A row is there only while somebody is at it, or as long as it does not succeed: what is done leaves none.
    """

    kind = models.CharField(max_length=40)  # a chore: see teams/base/leases.py
    key = models.CharField(max_length=64)  # which of its things: a primary key, or a hash
    study = models.ForeignKey(Study, on_delete=models.CASCADE, null=True, blank=True, related_name="jobs")
    error = models.CharField(max_length=80, blank=True)  # the kind of error, never its words: they may hold anything
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["study"], condition=~Q(error=""), name="job_in_trouble")]
        constraints = [models.UniqueConstraint("kind", "key", name="job_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.error}"
