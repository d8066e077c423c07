"""What researchers decided after the data were seen, each with its reason."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from teams.models import Participation, Study


class Decision(models.Model):
    """A recorded decision about a scale or an item, taken after the factor models, never part of the plan."""

    class Kind(models.TextChoices):
        SET_ASIDE = "set_aside", _("set a scale aside")
        MERGE = "merge", _("merge a scale into another")
        DROP = "drop", _("drop an item")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    subject = models.CharField(max_length=20)  # code of the scale or item it is about
    target = models.CharField(max_length=20, blank=True)  # of a merge: the scale that takes the items
    reason = models.TextField(_("reason"))
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["decided_at", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_reason"),
            models.CheckConstraint(
                condition=(Q(kind="merge") & ~Q(target="")) | (~Q(kind="merge") & Q(target="")), name="merge_has_target"
            ),
            models.UniqueConstraint(
                "study", "kind", "subject", condition=Q(undone_at__isnull=True), name="decision_stands_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.target}".strip()


class OwnModel(models.Model):
    """A factor model that a researcher added after the plan was locked: fitted in every run, marked as exploratory."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="own_models")
    name = models.CharField(_("name"), max_length=30)
    syntax = models.TextField(_("model"))
    estimator = models.CharField(_("estimator"), max_length=20)
    reason = models.TextField(_("why this model"))
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                "study", Lower("name"), condition=Q(removed_at__isnull=True), name="own_model_name_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="own_model_has_reason"),
        ]

    def __str__(self) -> str:
        return self.name


class AccountingDecision(models.Model):
    """A researcher's word on a collection whose counts do not add up: it holds the team's publication until then."""

    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="accounting_decisions")
    reason = models.TextField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="accounting_decision_has_reason")]

    def __str__(self) -> str:
        return f"{self.participation}: {self.reason[:40]}"
