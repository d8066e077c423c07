"""Candidates for a case study: a criterion from outside, and notes of interviews."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from teams.models import Participation, Study


class Criterion(models.Model):
    """A figure per team from outside the study, such as what students reported: cases are chosen on it."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="criterion")
    name = models.CharField(_("name"), max_length=120)
    source = models.CharField(_("where it comes from"), max_length=300)
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    imported_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class CriterionValue(models.Model):
    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, related_name="values")
    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="+")
    value = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint("criterion", "participation", name="criterion_value_once")]

    def __str__(self) -> str:
        return str(self.value)


class CaseNote(models.Model):
    """What interviews in a team found about one phase (scale): the latest text stands."""

    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="case_notes")
    scale = models.CharField(max_length=20)
    text = models.TextField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    written_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint("participation", "scale", name="case_note_once")]

    def __str__(self) -> str:
        return f"{self.scale}: {self.text[:40]}"
