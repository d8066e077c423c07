"""Mails of sign-in on their way: codes and links that somebody waits for at their screen."""

from __future__ import annotations

from django.db import models


class SignInMail(models.Model):
    """What the outbox needs to write one, sealed under the server's key (teams/base/sealed.py). Gone within a day."""

    sealed = models.TextField()
    asked_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d}"
