"""What is asked: a questionnaire as it is worked on, and its frozen versions.

Texts are data: JSON objects ``{language: text}``. The working draft and a frozen version hold the whole questionnaire as
one JSON document of the same form; only a draft may have gaps. What was answered never changes under the answer: a
version is never changed. ``surveys.questionnaires.definition.Definition`` reads it.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from teams.models import ResearchGroup
from teams.models.languages import current_language


def in_language(texts: Mapping[str, str], language: str | None = None) -> str:
    """The text in the reader's language, else in any that there is."""
    return texts.get(language or current_language()) or next((t for t in texts.values() if t), "")


class Questionnaire(models.Model):
    """A questionnaire of a research group. One that is ``offered`` is a template: other groups copy its newest version."""

    group = models.ForeignKey(ResearchGroup, on_delete=models.PROTECT, related_name="questionnaires")
    code = models.SlugField(_("short name"))
    offered = models.BooleanField(default=False)
    title = models.JSONField(_("title"), default=dict)  # as in the draft; lists read it without the draft
    draft: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    edit = models.PositiveIntegerField(default=0)  # of the draft: who saves another than the last one was too late
    before: "models.JSONField[dict[str, Any] | None]" = models.JSONField(
        null=True, blank=True
    )  # what undo brings back (surveys/questionnaires/drafts.py)

    class Meta:
        constraints = [models.UniqueConstraint("group", "code", name="questionnaire_once_per_group")]

    def __str__(self) -> str:
        return in_language(self.title) or self.code


class QuestionnaireVersion(models.Model):
    """A frozen questionnaire. Never changed after it was made."""

    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content: "models.JSONField[dict[str, Any]]" = models.JSONField()
    content_hash = models.CharField(max_length=64)
    note = models.CharField(max_length=500, blank=True)  # what changed and why, in the words of who published it
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["questionnaire", "-number"]
        constraints = [
            models.UniqueConstraint("questionnaire", "number", name="version_number_once"),
            models.UniqueConstraint("questionnaire", "content_hash", name="version_content_once"),
        ]

    def __str__(self) -> str:
        return f"{self.questionnaire} ({self.number})"
