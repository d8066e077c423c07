"""What a study says in its mails, when they may go, and who is reminded how often. The outbox itself is in models.py."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class MailText(models.Model):
    """A study's own words for one kind of mail in one language; without a row the shipped text is sent."""

    study = models.ForeignKey("teams.Study", on_delete=models.CASCADE, related_name="mail_texts")
    kind = models.CharField(max_length=40)
    language = models.CharField(max_length=2)
    subject = models.CharField(_("subject"), max_length=150)
    body = models.TextField(_("text"), max_length=5000)

    class Meta:
        constraints = [models.UniqueConstraint("study", "kind", "language", name="mail_text_once")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.language})"


class MailHours(models.Model):
    """The days and hours in which mails of a study go out, where they differ from the site's."""

    study = models.OneToOneField("teams.Study", on_delete=models.CASCADE, related_name="mail_hours")
    days = models.CharField(max_length=7)  # digits, 1 for Monday to 7 for Sunday
    begin = models.TimeField(_("from"))
    end = models.TimeField(_("until"))

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("begin")), name="mail_hours_end_after_begin"),
            models.CheckConstraint(condition=~Q(days=""), name="mail_hours_have_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.days} {self.begin:%H:%M}-{self.end:%H:%M}"


class ReminderSchedule(models.Model):
    """Whether, when and how often people of one tier who have not answered are reminded without anybody pressing a button."""

    class Tier(models.TextChoices):
        DIRECTOR = "director", _("Directors")
        LEADER = "leader", _("Team leaders")

    study = models.ForeignKey("teams.Study", on_delete=models.CASCADE, related_name="reminder_schedules")
    tier = models.CharField(max_length=8, choices=Tier.choices)
    active = models.BooleanField(default=False)
    after_days = models.PositiveSmallIntegerField(
        _("days between two mails"), default=7, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    times = models.PositiveSmallIntegerField(
        _("reminders at most"), default=2, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    until = models.DateField(_("not after"), null=True, blank=True)

    class Meta:
        ordering = ["tier"]  # directors first, as it happens
        constraints = [
            models.UniqueConstraint("study", "tier", name="reminder_schedule_once"),
            models.CheckConstraint(
                condition=Q(after_days__gte=1, times__gte=1, times__lte=5), name="reminder_schedule_in_bounds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier}: {self.times} × {self.after_days}"


class SendingMinute(models.Model):
    """How many mails the whole site handed over in the current minute: one row, changed by conditional updates."""

    minute = models.DateTimeField()
    n = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.minute:%H:%M}: {self.n}"
