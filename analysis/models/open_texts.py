"""What researchers decided about open answers: whether they may be shown, and in which words."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from surveys.models import SealedResponse, Survey


class TextReview(models.Model):
    """One open answer, looked at after sealing. It goes when the response goes.

    ``text`` is what may be shown and exported: as it was written, or with parts taken out; blank when it may not be.
    """

    class Verdict(models.TextChoices):
        CLEARED = "cleared", _("may be shown as it was written")
        REDACTED = "redacted", _("may be shown with parts taken out")
        WITHHELD = "withheld", _("is not shown")

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="text_reviews")
    response = models.ForeignKey(SealedResponse, on_delete=models.CASCADE, related_name="text_reviews")
    question = models.CharField(max_length=20)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    text = models.TextField(blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint("response", "question", name="text_reviewed_once"),
            models.CheckConstraint(
                condition=~models.Q(verdict="withheld") | models.Q(text=""), name="withheld_text_is_not_kept"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.question}: {self.verdict}"
