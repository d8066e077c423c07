"""Somebody of an academy who confirms to whom personal links went."""

from django.db import models

from teams.models import Academy, Study


class AddressCheck(models.Model):
    """Who was asked to compare an academy's addresses with a list that no team leader made, and by which link."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="address_checks")
    academy = models.ForeignKey(Academy, on_delete=models.CASCADE, related_name="address_checks")
    name = models.CharField(max_length=120)
    email = models.EmailField()
    nonce = models.CharField(max_length=32)  # the link is signed over it; a new one revokes
    link_until = models.DateField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("study", "academy", name="address_check_once_per_academy")]

    def __str__(self) -> str:
        return f"{self.academy} ({self.study})"
