"""What is asked: a questionnaire of scales and items, and its frozen versions.

Texts are data: JSON objects ``{"nl": …, "en": …}``. A frozen version holds the whole questionnaire as one JSON document,
so that what was answered never changes under the answer; ``surveys.questionnaires.Definition`` reads it.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


def in_language(texts: Mapping[str, str], language: str | None = None) -> str:
    """The text in the reader's language, else in any that there is."""
    return texts.get(language or get_language() or "nl") or next((t for t in texts.values() if t), "")


class Questionnaire(models.Model):
    code = models.SlugField(_("short name"), unique=True)
    title = models.JSONField(_("title"), default=dict)
    # introduction, options, eligibility and background questions: everything that is not a scale or an item
    settings = models.JSONField(default=dict)

    def __str__(self) -> str:
        return in_language(self.title) or self.code


class Scale(models.Model):
    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.CASCADE, related_name="scales")
    code = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField()
    name = models.JSONField(default=dict)
    meaning = models.JSONField(default=dict)  # which phase of the learning cycle it measures, in plain words

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint("questionnaire", "code", name="scale_code_once")]

    def __str__(self) -> str:
        return self.code


class Item(models.Model):
    scale = models.ForeignKey(Scale, on_delete=models.CASCADE, related_name="items")
    code = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField()
    text = models.JSONField(default=dict)
    reverse_keyed = models.BooleanField(default=False)

    class Meta:
        ordering = ["scale__position", "position"]
        constraints = [models.UniqueConstraint("scale", "code", name="item_code_once")]

    def __str__(self) -> str:
        return self.code


class QuestionnaireVersion(models.Model):
    """A frozen questionnaire. Never changed after it was made."""

    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content: "models.JSONField[dict[str, Any]]" = models.JSONField()
    content_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["questionnaire", "-number"]
        constraints = [
            models.UniqueConstraint("questionnaire", "number", name="version_number_once"),
            models.UniqueConstraint("questionnaire", "content_hash", name="version_content_once"),
        ]

    def __str__(self) -> str:
        return f"{self.questionnaire} ({self.number})"
