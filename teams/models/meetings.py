"""Planned team meetings: the date a leader and a researcher agree on, who was told, and the calendars they look into.

Planning is about who meets when, so it stands here; the code of the room and the facilitator's link are surveys.Meeting.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PlannedMeeting(models.Model):
    """The meeting of a team in a study: being agreed on, fixed, or called off. Its ``uid`` is that of the calendar event."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("being agreed on")
        CONFIRMED = "confirmed", _("fixed")
        CANCELLED = "cancelled", _("called off")

    participation = models.OneToOneField("teams.Participation", on_delete=models.CASCADE, related_name="planned")
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sequence = models.PositiveIntegerField(default=0)  # of the calendar event: rises with every change
    state = models.CharField(max_length=9, choices=State.choices, default=State.PROPOSED)
    starts_at = models.DateTimeField(_("begins"), null=True, blank=True)
    minutes = models.PositiveSmallIntegerField(_("length in minutes"), default=45)
    room = models.CharField(_("room"), max_length=120, blank=True)
    researcher = models.ForeignKey(
        "teams.User",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("researcher who comes"),
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(starts_at__isnull=False), name="confirmed_has_a_start"
            )
        ]
        indexes = [models.Index(fields=["starts_at"], condition=Q(state="confirmed"), name="meeting_by_day")]

    def __str__(self) -> str:
        return f"{self.participation}: {self.state}"

    @property
    def ends_at(self) -> datetime | None:
        return self.starts_at + timedelta(minutes=self.minutes) if self.starts_at else None


class ProposedDate(models.Model):
    """A date that one side proposes and the other may take."""

    meeting = models.ForeignKey(PlannedMeeting, on_delete=models.CASCADE, related_name="dates")
    starts_at = models.DateTimeField()
    by_leader = models.BooleanField()

    class Meta:
        ordering = ["starts_at"]
        constraints = [models.UniqueConstraint("meeting", "starts_at", name="date_proposed_once")]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"


class OfferedSlot(models.Model):
    """A time that a researcher offers to every team of a study; the first leader who takes it has it."""

    study = models.ForeignKey("teams.Study", on_delete=models.CASCADE, related_name="slots")
    researcher = models.ForeignKey("teams.User", on_delete=models.CASCADE, related_name="slots")
    starts_at = models.DateTimeField(_("begins"))
    minutes = models.PositiveSmallIntegerField(_("length in minutes"), default=45)
    taken_by = models.OneToOneField(
        "teams.Participation", on_delete=models.SET_NULL, null=True, blank=True, related_name="slot"
    )

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [models.UniqueConstraint("study", "researcher", "starts_at", name="slot_offered_once")]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"


class Attendee(models.Model):
    """Somebody whose calendar holds the meeting. Who is replaced leaves, and gets the cancellation."""

    class Part(models.TextChoices):
        LEADER = "leader", _("team leader")
        CONTACT = "contact", _("contact person")
        RESEARCHER = "researcher", _("researcher")

    meeting = models.ForeignKey(PlannedMeeting, on_delete=models.CASCADE, related_name="attendees")
    part = models.CharField(max_length=10, choices=Part.choices)
    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField()
    left = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint("meeting", "part", condition=Q(left=False), name="attendee_once_per_part")
        ]

    def __str__(self) -> str:
        return self.email


class CalendarFeed(models.Model):
    """A researcher's secret calendar address: its link is signed over the nonce, so a new one ends the old."""

    user = models.OneToOneField("teams.User", on_delete=models.CASCADE, related_name="calendar_feed")
    nonce = models.CharField(max_length=32)

    def __str__(self) -> str:
        return str(self.user)
