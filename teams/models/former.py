"""Who was a leader, director or contact person before: they are told that somebody else is."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from teams.models.participation import Participation, Study
from teams.models.people import Academy, User


class FormerContact(models.Model):
    """Somebody in whose place another address stands now. The mail that says so is made from this row; without it none goes."""

    class Part(models.TextChoices):
        LEADER = "leader", _("team leader")
        DIRECTOR = "director", _("director")
        CONTACT = "contact", _("contact person")

    class Changer(models.TextChoices):
        RESEARCHER = "researcher", _("researcher")
        LEADER = "leader", _("team leader")
        DIRECTOR = "director", _("director")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="former_contacts")
    participation = models.ForeignKey(
        Participation, on_delete=models.CASCADE, null=True, blank=True, related_name="former_contacts"
    )
    academy = models.ForeignKey(Academy, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    part = models.CharField(max_length=8, choices=Part.choices)
    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField()
    of_team = models.CharField(
        max_length=160, blank=True
    )  # of a team that was merged into this one: what it was called
    changer = models.CharField(max_length=10, choices=Changer.choices)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(part="director", academy__isnull=False, participation__isnull=True)
                | Q(part__in=["leader", "contact"], academy__isnull=True, participation__isnull=False),
                name="former_contact_of_one_tier",
            )
        ]

    def __str__(self) -> str:
        return f"{self.part}: {self.email}"
