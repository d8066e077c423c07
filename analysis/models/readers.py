"""What readers of reports have: links that open a report, PDFs made once, and what a team wants to reach."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models import Academy, Leased, Participation, Study


class ReportLink(models.Model):
    """A link that opens a report without an account, until its last day or until it is revoked: teams/links.py.

    With a team: its report and talk, given by its leader. With an academy: the director's. With neither: the report on
    the whole study.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="report_links")
    participation = models.ForeignKey(
        Participation, on_delete=models.CASCADE, null=True, blank=True, related_name="report_links"
    )
    academy = models.ForeignKey(Academy, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    nonce = models.CharField(max_length=32)
    expires_on = models.DateField()  # the last day it opens
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(participation__isnull=True) | Q(academy__isnull=True), name="report_link_of_one_reader"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participation or self.academy or self.study}: {self.expires_on}"

    @property
    def is_open(self) -> bool:
        return self.revoked_at is None and self.expires_on >= timezone.localdate()


class ReportFile(Leased):
    """The PDF of a published report in one language. The row is the queue: claimed by its lease, made by a worker."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    publication = models.ForeignKey("analysis.Publication", on_delete=models.CASCADE, related_name="files")
    reader = models.CharField(max_length=40)  # team:… (a participation), academy:… or study
    language = models.CharField(max_length=2)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    ready_at = models.DateTimeField(null=True, blank=True)
    content = models.BinaryField(null=True)
    # what the reports followed from when it was made (publication/standing.py): given out only while that stands
    basis = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["publication"], condition=Q(state="waiting"), name="report_file_due")]
        constraints = [
            models.UniqueConstraint("publication", "reader", "language", name="report_file_once"),
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(content__isnull=False), name="ready_file_has_content"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader} ({self.language}): {self.state}"


class TeamGoal(models.Model):
    """What a team wants to reach on one subject, and its next steps: for the team and its leader, never researchers."""

    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="goals")
    scale = models.CharField(max_length=20)
    target = models.DecimalField(
        max_digits=3, decimal_places=1, null=True, blank=True, validators=[MinValueValidator(1)]
    )
    next_steps = models.TextField(blank=True)
    # field → hash of the key of the page that wrote it last: what a page wrote before is its own, and no other's change
    pages = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("participation", "scale", name="goal_once_per_scale"),
            models.CheckConstraint(condition=Q(target__isnull=True) | Q(target__gte=1), name="goal_on_the_scale"),
        ]

    def __str__(self) -> str:
        return f"{self.participation}: {self.scale}"
