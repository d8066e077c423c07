"""The arrows of the house: config → analysis → surveys → teams.

import-linter reads imports; a foreign key that names an upper app as a string would get past it.
"""

import pytest
from django.apps import apps
from django.db.models import Field, Model

ORDER = ["teams", "surveys", "analysis", "config"]  # each may point to itself and to those before it
OURS = [model for app in ORDER for model in apps.get_app_config(app).get_models(include_auto_created=True)]


def points_to(model: type[Model]) -> set[str]:
    """The apps that the fields of a model point to. Reverse relations are the other model's business."""
    fields = [*model._meta.local_fields, *model._meta.local_many_to_many]
    return {field.related_model._meta.app_label for field in fields if isinstance(field, Field) and field.is_relation}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_no_key_points_up(model: type[Model]) -> None:
    allowed = ORDER[: ORDER.index(model._meta.app_label) + 1]
    up = {app for app in points_to(model) if app in ORDER and app not in allowed}
    assert not up, f"{model._meta.label} points to {', '.join(up)}"


def test_relations_are_found() -> None:
    """What the test above would see: a key that points down is seen as pointing somewhere."""
    assert points_to(apps.get_model("surveys.Survey")) == {"surveys", "teams"}
    assert points_to(apps.get_model("analysis.Unit")) == {"teams"}  # by a key and by many-to-many


def test_no_answers_or_invitees_in_an_audit_log() -> None:
    """Nothing may keep a history of them: no app that logs changes is installed, and neither has signal receivers."""
    from django.db.models import signals

    assert not {app for app in apps.app_configs if app in ("auditlog", "simple_history", "reversion", "admin")}
    for label in ("surveys.Response", "surveys.SealedResponse", "surveys.Invitee"):
        model = apps.get_model(label)
        for signal in (signals.post_save, signals.pre_save, signals.post_delete, signals.pre_delete):
            assert not signal.has_listeners(model), f"something listens to {label}"
