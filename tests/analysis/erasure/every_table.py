"""A study with a row in every table that can hold one, read from the models: a new table is filled, or a test says so."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone

from analysis.erasure.tables_of_study import tables
from surveys.models import PaperForm
from teams.models import Study, User
from tests.analysis import builders

# rows that a constraint wants otherwise than the first choice or an empty value
SPECIAL: dict[str, dict[str, Any]] = {
    "AnalysisPlan": {"number": 7, "amendment_reason": "A reason"},
    "AnalysisRun": {"state": "failed"},
    "Decision": {"kind": "set_aside", "target": ""},
    "FormerContact": {"academy": None},
    "Invitation": {"academy": None},
    "MailHours": {"begin": datetime.time(8), "end": datetime.time(18), "days": "12345"},
    "PaperForm": {"state": PaperForm.State.FIRST, "response_key": ""},
    "PreparedFile": {"state": "waiting"},
    "ReportFile": {"state": "waiting", "content": b"a report"},
    "ReportLink": {"academy": None},
    "Role": {"kind": "researcher", "participation": None},
    "TextReview": {"verdict": "redacted"},
}


def fill(study: Study, user: User) -> None:
    """Give every table of a study at least one row of it."""
    known: dict[type[models.Model], models.Model] = {Study: study, User: user}
    for table in reversed(tables()):
        found = next((row for lookup in table.lookups if (row := table.of(study, lookup).first())), None)
        known[table.model] = found or table.model._base_manager.create(**_values(table.model, known))


def _values(model: type[models.Model], known: dict[type[models.Model], models.Model]) -> dict[str, Any]:
    special = SPECIAL.get(model.__name__, {})
    values: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.name in special:
            values[field.name] = special[field.name]
        elif isinstance(field, models.ForeignKey):
            related = known.get(field.related_model)  # type: ignore[arg-type]
            if related is None and not field.null:
                related = field.related_model._base_manager.first()  # type: ignore[union-attr]
            values[field.name] = related
        elif field.has_default() or isinstance(field, models.AutoField) or getattr(field, "auto_now_add", False):
            continue
        elif not field.null or isinstance(field, models.BinaryField):
            values[field.name] = _value(field)
    return values


def _value(field: models.Field[Any, Any]) -> Any:
    if field.choices:
        return next(value for value, _label in field.flatchoices)
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.DateField):
        return timezone.localdate()
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.BooleanField):
        return False
    if isinstance(field, models.IntegerField | models.FloatField):
        return 1
    if isinstance(field, models.EmailField):
        return "somebody@noord.example"
    if isinstance(field, models.JSONField):
        return {}
    if isinstance(field, models.BinaryField):
        return b"bytes"
    return f"text {uuid.uuid4().hex}"[: field.max_length]


def text_columns() -> Iterator[tuple[type[models.Model], models.Field[Any, Any]]]:
    """Every column of every table that holds text or bytes."""
    kinds = (models.CharField, models.TextField, models.JSONField, models.BinaryField, models.FileField)
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            if isinstance(field, kinds):
                yield model, field


def found_in_database(marker: str) -> list[str]:
    """The columns of all tables in which a text stands, whatever its case."""
    columns = []
    for model, field in text_columns():
        for value in model._base_manager.values_list(field.name, flat=True):
            text = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
            if marker.lower() in text.lower():
                columns.append(f"{model.__name__}.{field.name}")
                break
    return columns


def mark(study: Study, marker: str) -> list[str]:
    """Write a marker into every free text column of the study's rows. Returns where it could be written."""
    written = []
    for table in tables():
        for field in table.model._meta.concrete_fields:
            if not isinstance(field, models.CharField | models.TextField) or field.choices or field.unique:
                continue
            if isinstance(field, models.CharField) and (field.max_length or 0) < 40:
                continue
            if field.primary_key or field.name in ("response_key", "token_hash"):
                continue
            value = f"{marker}@noord.example" if isinstance(field, models.EmailField) else marker
            for lookup in table.lookups:
                first = table.of(study, lookup).first()
                if first is not None:
                    table.model._base_manager.filter(pk=first.pk).update(**{field.name: value})
                    written.append(f"{table.model.__name__}.{field.name}")
                    break
    return written


def published_study(slug: str = "small") -> Study:
    """A study of three sealed teams."""
    study = builders.make_study(slug)
    for number, name in enumerate(("Alfa", "Beta", "Gamma")):
        builders.seal(builders.make_team(study, name), [builders.answers(1 + number)] * 7)
    study.refresh_from_db()
    return study
