"""Templates: a questionnaire that its research group offers to all groups, or that comes with the product.

Other groups see its title and its group, and copy its newest frozen version. The copy is their own: a draft and a first
version. They never see or change the original, its drafts, its earlier versions or who worked on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from surveys.models import Questionnaire
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import SHIPPED, publish_version, read_yaml, shipped
from teams.models import ResearchGroup, User
from teams.studies.setting_up import hold


class NotOffered(Exception):
    """Its group took the template back, or it never was one."""


@dataclass(frozen=True, slots=True)
class Template:
    """What a group sees of a template before it copies it."""

    key: str
    title: str
    of: str


def offer(questionnaire: Questionnaire) -> bool:
    """Offer it to all groups; nothing changes for one without a frozen version. Whether it is a template now."""
    return bool(Questionnaire.objects.filter(pk=questionnaire.pk, versions__isnull=False).update(offered=True))


def take_back(questionnaire: Questionnaire) -> None:
    """No group can copy it any more; copies that were made stay."""
    Questionnaire.objects.filter(pk=questionnaire.pk).update(offered=False)


def templates(groups: QuerySet[ResearchGroup]) -> list[Template]:
    """What members of these groups may copy, by title: not what the only group of somebody offers itself."""
    rows = Questionnaire.objects.filter(offered=True).select_related("group").defer("draft", "before")
    own_groups = list(groups[:2])
    if len(own_groups) == 1:
        rows = rows.exclude(group=own_groups[0])
    offered = [Template(str(row.pk), _title(_newest(row)), row.group.name) for row in rows]
    return sorted([*offered, *shipped_templates()], key=lambda template: template.title.lower())


def shipped_templates() -> list[Template]:
    """Those that come with the product."""
    return [Template(name, _title(read_yaml(shipped(name))), _("comes with Teamspiegel")) for name in SHIPPED]


def copy(key: str, group: ResearchGroup, by: User) -> Questionnaire:
    """Copy the template into a group. A short name that the group has already gets a number.

    Raises:
        NotOffered: if it is no template (any more).
    """
    content = _content(key)
    code, n = content["code"], 1
    while True:
        content = {**content, "code": code if n == 1 else f"{code[:45]}-{n}"}
        try:
            with transaction.atomic():
                made = Questionnaire.objects.create(
                    group=group, code=content["code"], title=content["title"], draft=content, edit=1
                )
                publish_version(made, by=by)
                return made
        except IntegrityError:  # the constraint on the short name decided
            n += 1


@transaction.atomic
def begin_with(key: str, group: ResearchGroup, by: User) -> Questionnaire | None:
    """Copy the template into a group that has no questionnaire yet; None, with nothing changed, where it has one.

    Raises:
        NotOffered: if it is no template (any more).
    """
    hold(group.pk)  # pressed twice, or by two: one copy
    if Questionnaire.objects.filter(group=group).exists():
        return None
    return copy(key, group, by)


def _content(key: str) -> dict[str, Any]:
    if key in SHIPPED:
        return read_yaml(shipped(key))
    row = Questionnaire.objects.filter(pk=int(key), offered=True).first() if _is_number(key) else None
    if row is None:
        raise NotOffered
    return _newest(row)


def _is_number(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) < 18


def _newest(row: Questionnaire) -> dict[str, Any]:
    """The newest frozen content; the title of the draft is its group's own business."""
    content: dict[str, Any] = row.versions.order_by("-number").values_list("content", flat=True)[0]
    return content


def _title(content: dict[str, Any]) -> str:
    return in_language(content["title"]) or content["code"]
