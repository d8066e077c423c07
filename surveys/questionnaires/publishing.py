"""Questionnaires of a research group: publish a frozen version, import and export as YAML, install the two that ship.

The working draft is changed by `surveys.questionnaires.drafts`; what differs between two versions says `surveys.questionnaires.version_changes`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from surveys.history import Happened
from surveys.models import Questionnaire, QuestionnaireVersion, Survey
from surveys.questionnaires.checking import checked
from surveys.questionnaires.definition import (
    Choice,
    Definition,
    ItemDef,
    Question,
    QuestionnaireError,
    ScaleDef,
    content_hash,
)
from teams.history import record
from teams.models import ResearchGroup, Study, User

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
    "put_draft",
    "read_yaml",
]

DATA = Path(__file__).parent.parent / "data"
SHIPPED = ("collective-learning", "demo-2008-like")
MAX_CHARACTERS = 1_000_000
DEEPEST = 20  # levels of a YAML document

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


def publish_version(questionnaire: Questionnaire, note: str = "", by: User | None = None) -> QuestionnaireVersion:
    """Freeze the questionnaire's draft as it was read. The same content again gives the version that there is.

    :raises QuestionnaireError: when it is not complete
    """
    content = checked(questionnaire.draft)
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
                    number=last.number + 1 if last else 1,
                    content=content,
                    content_hash=digest,
                    note=note.strip()[:500],
                    created_by=by,
                )
        except IntegrityError:
            continue


def import_questionnaire(text: str, group: ResearchGroup) -> tuple[Questionnaire, QuestionnaireVersion]:
    """The questionnaire of a group that a YAML document describes, and its frozen version.

    A document with the code of an existing questionnaire of the group replaces its draft; its versions stay.

    :raises QuestionnaireError: with every problem; then nothing was changed
    """
    content = read_yaml(text)
    with transaction.atomic():
        questionnaire = put_draft(content, group)
        return questionnaire, publish_version(questionnaire)


def put_draft(content: dict[str, Any], group: ResearchGroup) -> Questionnaire:
    """A checked document as the working draft of the group's questionnaire with its code, made where there is none.

    The draft that stood there can be brought back by `surveys.questionnaires.drafts.undo`.
    """
    code, title = content["code"], content["title"]
    questionnaire, created = Questionnaire.objects.get_or_create(
        group=group, code=code, defaults={"title": title, "draft": content, "edit": 1}
    )
    while not created and questionnaire.draft != content:
        written = {"title": title, "draft": content, "edit": questionnaire.edit + 1, "before": questionnaire.draft}
        created = bool(Questionnaire.objects.filter(pk=questionnaire.pk, edit=questionnaire.edit).update(**written))
        questionnaire.refresh_from_db()
    return questionnaire


def read_yaml(text: str) -> dict[str, Any]:
    """The content that a YAML document describes. :raises QuestionnaireError: with every problem"""
    return checked(_parsed(text))


def export(content: Mapping[str, Any]) -> str:
    """The content of a version as a YAML document that `import_questionnaire` reads."""
    order = ["code", "languages", "title", "note", "intro", "consent", "thanks", "options", "cannot_judge"]
    order += ["eligibility", "scales", "background"]
    shown = {name: content[name] for name in order if content.get(name)}
    return yaml.safe_dump(shown, allow_unicode=True, sort_keys=False, width=110)


def install_shipped(group: ResearchGroup) -> list[QuestionnaireVersion]:
    """Give a group the questionnaires that come with the product; those that it has already stay as they are."""
    return [import_questionnaire(shipped(name), group)[1] for name in SHIPPED]


def shipped(name: str) -> str:
    """One of the questionnaires that come with the product, as YAML."""
    return (DATA / f"{name}.yaml").read_text(encoding="utf-8")


def newest_versions(group: int) -> list[QuestionnaireVersion]:
    """The newest frozen version of every questionnaire of a group (its primary key), by title."""
    versions: dict[int, QuestionnaireVersion] = {}
    known = QuestionnaireVersion.objects.filter(questionnaire__group=group)
    for version in known.select_related("questionnaire").order_by("-number"):
        versions.setdefault(version.questionnaire_id, version)
    return sorted(versions.values(), key=lambda version: str(version.questionnaire))


def why_not_invite(study: Study) -> str:
    """Mails to directors and leaders describe what is asked: none goes out while nothing is chosen."""
    if Survey.objects.filter(study=study).exists():
        return ""
    return _(
        "First choose the questionnaire, on the overview: the emails describe what is asked. Read their texts too."
    )


def choose(study: Study, version: QuestionnaireVersion, background: list[str], by: User | None = None) -> bool:
    """Choose what a study asks, as long as it is not open. Whether it could be chosen.

    :raises ValueError: for a questionnaire of another research group
    """
    if version.questionnaire.group_id != study.group_id:
        raise ValueError("The questionnaire is another research group's.")
    chosen = {"version": version, "background": background}
    with transaction.atomic():
        if not Survey.objects.filter(study=study, opened_at__isnull=True).update(**chosen):
            # none yet, or open: the constraint of one survey per study tells which, also of two who choose at once
            _survey, created = Survey.objects.get_or_create(study=study, defaults=chosen)
            if not created:
                return False
        record(study, Happened.QUESTIONNAIRE_CHOSEN, by=by, detail=str(version))
    return True


class _Loader(yaml.SafeLoader):
    """Safe; without aliases, since a small file with aliases of aliases can fill the memory; and no deeper than a
    questionnaire is. Texts, numbers, true, false and nothing are read as such, and everything else as the text it is:
    a date that there is not, or a tag that does not fit its value, would be an error without a place."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise QuestionnaireError([_("References (*name) are not read; write the text out.")])
        if getattr(event, "tag", None) not in (None, "!"):
            raise QuestionnaireError([_("Tags (!name) are not read; write the value without one.")])
        self.depth += 1
        if self.depth > DEEPEST:
            raise QuestionnaireError([_("This is not a questionnaire: its parts are nested too deeply.")])
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_KINDS = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:null")
_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if tag in _KINDS]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


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
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, QuestionnaireError):
            raise
        raise QuestionnaireError([_("This is not a YAML file.")]) from error
