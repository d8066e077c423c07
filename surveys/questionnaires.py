"""Questionnaires: publish a frozen version, import and export as YAML, install the two that ship."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import yaml
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from surveys.definition import (
    Choice,
    Definition,
    ItemDef,
    Question,
    QuestionnaireError,
    ScaleDef,
    checked,
    content_hash,
)
from surveys.models import Item, Questionnaire, QuestionnaireVersion, Scale, Survey
from teams.history import record
from teams.models import Study, User

__all__ = [
    "Choice",
    "Definition",
    "ItemDef",
    "Question",
    "QuestionnaireError",
    "ScaleDef",
    "choose",
    "definition_of",
    "export",
    "import_questionnaire",
    "install_shipped",
    "newest_versions",
    "publish_version",
]

DATA = Path(__file__).parent / "data"
SHIPPED = ("collective-learning", "demo-2008-like")
MAX_CHARACTERS = 1_000_000
SETTINGS = ("languages", "note", "intro", "consent", "thanks", "options", "cannot_judge", "eligibility", "background")

_definitions: OrderedDict[str, Definition] = OrderedDict()
_MAX_DEFINITIONS = 64


def definition_of(version: QuestionnaireVersion) -> Definition:
    """The definition of a frozen version, remembered by its hash: a version never changes.

    With ``content`` deferred, the content is fetched only when this process has not seen the version before.
    """
    definition = _definitions.get(version.content_hash)
    if definition is None:
        definition = _definitions[version.content_hash] = Definition.read(version.content)
        if len(_definitions) > _MAX_DEFINITIONS:
            _definitions.popitem(last=False)
    return definition


def publish_version(questionnaire: Questionnaire) -> QuestionnaireVersion:
    """Freeze the questionnaire as it is now. The same content again gives the version that there is.

    :raises QuestionnaireError: when it is not complete
    """
    content = checked(_content(questionnaire))
    digest = content_hash(content)
    # Two who publish at once take the same number: the constraint lets one through, the other looks again.
    while True:
        existing = questionnaire.versions.filter(content_hash=digest).first()
        if existing is not None:
            return existing
        last = questionnaire.versions.order_by("-number").first()
        try:
            with transaction.atomic():
                return questionnaire.versions.create(
                    number=last.number + 1 if last else 1, content=content, content_hash=digest
                )
        except IntegrityError:
            continue


def import_questionnaire(text: str) -> tuple[Questionnaire, QuestionnaireVersion]:
    """The questionnaire that a YAML document describes, and its frozen version.

    A document with the code of an existing questionnaire replaces its scales and texts; its earlier versions stay.

    :raises QuestionnaireError: with every problem; then nothing was changed
    """
    content = checked(_parsed(text))
    with transaction.atomic():
        questionnaire, _created = Questionnaire.objects.update_or_create(
            code=content["code"],
            defaults={"title": content["title"], "settings": {name: content[name] for name in SETTINGS}},
        )
        questionnaire.scales.all().delete()
        scales = Scale.objects.bulk_create(
            Scale(
                questionnaire=questionnaire,
                code=scale["code"],
                position=n,
                name=scale["name"],
                meaning=scale["meaning"],
            )
            for n, scale in enumerate(content["scales"], 1)
        )
        Item.objects.bulk_create(
            Item(
                scale=row,
                code=item["code"],
                position=n,
                text=item["text"],
                reverse_keyed=item["reverse_keyed"],
            )
            for row, scale in zip(scales, content["scales"], strict=True)
            for n, item in enumerate(scale["items"], 1)
        )
        return questionnaire, publish_version(questionnaire)


def export(version: QuestionnaireVersion) -> str:
    """The version as a YAML document that `import_questionnaire` reads."""
    order = ["code", "languages", "title", "note", "intro", "consent", "thanks", "options", "cannot_judge"]
    order += ["eligibility", "scales", "background"]
    content = {name: version.content[name] for name in order if version.content.get(name)}
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)


def install_shipped() -> list[QuestionnaireVersion]:
    """Install the questionnaires that come with the product; those that are there already stay as they are."""
    return [import_questionnaire((DATA / f"{name}.yaml").read_text(encoding="utf-8"))[1] for name in SHIPPED]


def newest_versions() -> list[QuestionnaireVersion]:
    """The newest frozen version of every questionnaire, by title."""
    versions: dict[int, QuestionnaireVersion] = {}
    for version in QuestionnaireVersion.objects.select_related("questionnaire").order_by("-number"):
        versions.setdefault(version.questionnaire_id, version)
    return sorted(versions.values(), key=lambda version: str(version.questionnaire))


def choose(study: Study, version: QuestionnaireVersion, background: list[str], by: User | None = None) -> bool:
    """Choose what a study asks, as long as it is not open. Whether it could be chosen."""
    chosen = {"version": version, "background": background}
    with transaction.atomic():
        if not Survey.objects.filter(study=study, opened_at__isnull=True).update(**chosen):
            # none yet, or open: the constraint of one survey per study tells which, also of two who choose at once
            _survey, created = Survey.objects.get_or_create(study=study, defaults=chosen)
            if not created:
                return False
        record(study, "questionnaire_chosen", by=by, detail=str(version))
    return True


def _content(questionnaire: Questionnaire) -> dict[str, Any]:
    return {
        "code": questionnaire.code,
        "title": questionnaire.title,
        **questionnaire.settings,
        "scales": [
            {
                "code": scale.code,
                "name": scale.name,
                "meaning": scale.meaning,
                "items": [
                    {"code": item.code, "text": item.text, "reverse_keyed": item.reverse_keyed}
                    for item in scale.items.all()
                ],
            }
            for scale in questionnaire.scales.prefetch_related("items")
        ],
    }


class _Loader(yaml.SafeLoader):
    """Safe, and without aliases: a small file with aliases of aliases can fill the memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise QuestionnaireError([_("References (*name) are not read; write the text out.")])
        return super().compose_node(parent, index)


def _parsed(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise QuestionnaireError([_("The file is larger than a questionnaire can be.")])
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (
            _("Line %(line)d, column %(column)d") % {"line": mark.line + 1, "column": mark.column + 1} if mark else ""
        )
        raise QuestionnaireError([f"{place}: {error.problem}" if place else str(error.problem)]) from error
    except yaml.YAMLError as error:
        raise QuestionnaireError([_("This is not a YAML file.")]) from error
