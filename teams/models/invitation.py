"""Questions to directors and leaders: who was asked, and who said yes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from teams.models.participation import Participation, Study
from teams.models.people import Academy


class Invitation(models.Model):
    """A question to a director (about an academy) or to a leader (about a participation), by a link for one purpose."""

    class State(models.TextChoices):
        LISTED = "listed", _("not invited yet")
        SENT = "sent", _("invited")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Reason(models.TextChoices):
        REORGANISATION = "reorganisation", _("a reorganisation is under way")
        WORKLOAD = "workload", _("the workload is too high")
        OTHER_RESEARCH = "other_research", _("we already take part in other research")
        NOT_RELEVANT = "not_relevant", _("the subject does not suit us at the moment")
        OTHER = "other", _("another reason")
        LEFT_OUT = (
            "left_out",
            _("left out by the director"),
        )  # never offered in a form: teams/inviting/invitations.py sets it

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="invitations")
    academy = models.ForeignKey(Academy, on_delete=models.PROTECT, null=True, blank=True, related_name="invitations")
    participation = models.OneToOneField(
        Participation, on_delete=models.CASCADE, null=True, blank=True, related_name="invitation"
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.LISTED)
    nonce = models.CharField(max_length=32, blank=True)  # the link's token is signed over it: teams/links.py
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices, blank=True)
    reason_text = models.CharField(_("explanation"), max_length=500, blank=True)
    undertaking = models.BooleanField(default=False)  # no use in appraisal, no attempt to recognise anyone
    sent_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateField(
        _("not before"), null=True, blank=True
    )  # a director's condition for asking the leaders
    link_until = models.DateField(null=True, blank=True)  # last day of the link; none: as long as its nonce
    n_reminders = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(academy__isnull=False, participation__isnull=True)
                | Q(academy__isnull=True, participation__isnull=False),
                name="invitation_of_one_tier",
            ),
            models.UniqueConstraint("study", "academy", name="academy_invited_once"),
            models.CheckConstraint(condition=~Q(state="declined") | ~Q(reason=""), name="declined_has_reason"),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(undertaking=True), name="accepted_has_undertaking"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.academy or self.participation}: {self.state}"


class LinkCode(models.Model):
    """A code that was mailed to the person of an invitation, for an act that the link alone must not do.

    The code itself stands nowhere: it follows from the nonce and the site's secret key (teams/inviting/link_codes.py).
    """

    invitation = models.OneToOneField(Invitation, on_delete=models.CASCADE, related_name="code")
    nonce = models.CharField(max_length=32)
    asked_at = models.DateTimeField()
    n_tries = models.PositiveSmallIntegerField(default=0)
    n_asked = models.PositiveSmallIntegerField(default=1)  # on the day of asked_at

    def __str__(self) -> str:
        return f"{self.invitation}: {self.asked_at:%Y-%m-%d}"
