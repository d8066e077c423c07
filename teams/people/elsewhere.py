"""Institutions, academies and teams that are in another study of the research group too, in which somebody does not work.

They stay the same rows, so that a second measurement is of the same team, and each wave has its own leader. But a director
is one in all studies, and so are names: they are seen and changed only by who works in all of them. To list such an
academy, one must know its director's address; its details stay as they are. In a study is also what was never invited: a
team whose answers were imported.
"""

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from teams.access import studies_of
from teams.models import Academy, Institution, Study, Team, User


class Elsewhere(Exception):
    """Why nothing is listed or changed, in a sentence."""


def studies_with(thing: Institution | Academy | Team) -> QuerySet[Study]:
    """Every study that an institution, academy or team is in: on its list, or with a team that takes part."""
    if isinstance(thing, Team):
        named = Q(participations__team=thing)
    elif isinstance(thing, Academy):
        named = Q(invitations__academy=thing) | Q(participations__team__academy=thing)
    else:
        named = Q(invitations__academy__institution=thing) | Q(participations__team__academy__institution=thing)
    return Study.objects.filter(pk__in=Study.objects.filter(named).values("pk"))


def elsewhere(thing: Institution | Academy | Team, by: User | None) -> bool:
    """Whether it is in a study in which this person does not work; never for the program itself."""
    if by is None or by.is_superuser:
        return False
    return studies_with(thing).exclude(pk__in=studies_of(by).values("pk")).exists()


def known_elsewhere(study: Study, by: User | None) -> set[int]:
    """The academies in those studies of the group in which this person does not work."""
    if by is None or by.is_superuser:
        return set()
    others = Study.objects.filter(group=study.group_id).exclude(pk__in=studies_of(by).values("pk")).values("pk")
    named = Q(invitations__study__in=others) | Q(teams__participations__study__in=others)
    return set(Academy.objects.filter(named).values_list("pk", flat=True))


def unknown_director() -> str:
    """Why an academy is not listed: there it has another director's address."""
    return _(
        "This academy is in another study of your research group, with a different address for its director. You do "
        "not work in that study, so nothing of it is shown or changed here. Ask its researchers, or an "
        "administrator, to add you to it."
    )


def stays() -> str:
    """Why details are not changed."""
    return _(
        "Nothing was changed: these details also belong to another study of your research group, in which you do not "
        "work. Somebody who works in both studies, or an administrator, can change them."
    )
