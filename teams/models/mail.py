"""The outbox, what a study says in its mails, when they may go, and who is reminded how often."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models.leased import Leased
from teams.models.participation import Study


class OutboxMessage(Leased):
    """A mail to send: which template about which object. Rendered at sending, its text is never stored."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not delivered")
        BOUNCED = "bounced", _("came back")
        DROPPED = "dropped", _("no longer needed")

    study = models.ForeignKey(
        Study, on_delete=models.CASCADE, null=True, blank=True, related_name="mails", db_index=False
    )
    kind = models.CharField(max_length=40)
    object_id = models.BigIntegerField()
    language = models.CharField(max_length=2, blank=True)  # none: that of whoever reads it
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    message_id = models.CharField(max_length=120, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)  # a hash of what a mail provider calls it in its reports
    handed_over = models.PositiveSmallIntegerField(default=0)  # how often without learning whether it was taken
    due_at = models.DateTimeField(default=timezone.now)
    sent_on = models.DateField(null=True, blank=True)  # no time finer than the day
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="queued"), name="outbox_due"),
            models.Index(fields=["study", "-id"], name="outbox_of_study"),
            # what did not arrive is counted on the board: 14 ms of 51 among 200,000 mails of a study
            models.Index(fields=["study", "-id"], condition=Q(state__in=["failed", "bounced"]), name="outbox_lost"),
            models.Index(fields=["kind", "object_id"], name="outbox_about"),
            models.Index(fields=["message_id"], condition=~Q(message_id=""), name="outbox_message"),
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="outbox_provider"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}: {self.state}"


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
        _("days between two emails"), default=7, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    times = models.PositiveSmallIntegerField(
        _("maximum number of reminders"), default=2, validators=[MinValueValidator(1), MaxValueValidator(5)]
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


class Refusal(models.Model):
    """An address that wants no reminders: from no study of any group, whoever else lists it. See teams/mail/refusals.py."""

    digest = models.CharField(max_length=64, unique=True)  # a keyed hash of the address

    def __str__(self) -> str:
        return self.digest[:8]


class Notice(models.Model):
    """Somebody with an account who is mailed about an event, such as a new researcher in their study."""

    event = models.ForeignKey("teams.Event", on_delete=models.CASCADE, related_name="notices")
    user = models.ForeignKey("teams.User", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("event", "user", name="noticed_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.event}"
