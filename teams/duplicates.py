"""Duplicates: what looks like the same institution, academy, team or person, and merging the two.

Suggestions compare names without accents, case, punctuation and words such as “academie”; within one institution or academy,
where two names of a few letters' difference are compared too. The standard library does that well enough for lists of
names, so no library for it.

A merge moves everything that belongs to the other one, in every study, and then removes it: it cannot be undone. It is
refused where both took part in the same study, since two accounts of one study cannot become one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from typing import TypeVar

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams import corrections, history
from teams.models import Academy, Institution, Invitation, Participation, Role, Study, Team, User

FILLER = {
    "de",
    "het",
    "een",
    "van",
    "voor",
    "en",
    "of",
    "the",
    "a",
    "for",
    "and",
    "academie",
    "academy",
    "hogeschool",
    "universiteit",
    "university",
    "school",
    "opleiding",
    "faculteit",
    "faculty",
    "instituut",
    "institute",
    "afdeling",
    "department",
    "team",
}
NEAR = 0.88  # share of equal letters from which two names are taken for one with a slip
PERSON = "person"
KINDS: dict[str, type[Institution] | type[Academy] | type[Team]] = {
    "institution": Institution,
    "academy": Academy,
    "team": Team,
}
KIND_WORDS = {
    "institution": gettext_lazy("Institution"),
    "academy": gettext_lazy("Academy"),
    "team": gettext_lazy("Team"),
    PERSON: gettext_lazy("Team leader"),
}
Thing = Institution | Academy | Team
AnyThing = TypeVar("AnyThing", Institution, Academy, Team)


class Refused(Exception):
    """Why two cannot be merged, in a sentence."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two that look like one; for a person, two teams whose leaders have one name and two addresses."""

    kind: str
    first: Thing
    second: Thing


# ------------------------------------------------------------------------------------------------ looking
def key(name: str) -> str:
    """A name as it is compared: letters and digits of the words that tell, in alphabetical order."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain)
    return " ".join(sorted([word for word in words if word not in FILLER] or words))


def alike(one: str, other: str) -> bool:
    """Whether two compared names are equal but for a slip of the pen; numbers must be equal."""
    if one == other:
        return True
    if abs(len(one) - len(other)) > 3 or one[:2] != other[:2] or re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False
    return min(len(one), len(other)) > 4 and SequenceMatcher(None, one, other).ratio() >= NEAR


def suggestions(studies: Iterable[Study]) -> list[Suggestion]:
    """What looks double among the institutions, academies, teams and leaders of these studies; three queries."""
    in_studies = list(studies)
    academies = list(Academy.objects.filter(invitations__study__in=in_studies).select_related("institution").distinct())
    teams = list(
        Team.objects.filter(participations__study__in=in_studies).select_related("academy__institution").distinct()
    )
    institutions = list({academy.institution_id: academy.institution for academy in academies}.values())
    found = [Suggestion("institution", *pair) for pair in _pairs(institutions, lambda one: "")]
    found += [Suggestion("academy", *pair) for pair in _pairs(academies, lambda one: str(one.institution_id))]
    found += [Suggestion("team", *pair) for pair in _pairs(teams, lambda one: f"{one.academy_id} {one.form}")]
    leaders: dict[tuple[int, str], dict[str, Team]] = defaultdict(dict)
    for team in teams:
        leaders[team.academy.institution_id, key(team.leader_name)].setdefault(team.leader_email.lower(), team)
    for by_address in leaders.values():
        found += [Suggestion(PERSON, *pair) for pair in combinations(by_address.values(), 2)]
    return found


def _pairs(things: Iterable[AnyThing], block: Callable[[AnyThing], str]) -> Iterator[tuple[AnyThing, AnyThing]]:
    """Pairs of one block whose names are alike."""
    blocks: dict[str, list[tuple[str, AnyThing]]] = defaultdict(list)
    for thing in things:
        blocks[block(thing)].append((key(thing.name), thing))
    for named in blocks.values():
        for (one, first), (other, second) in combinations(named, 2):
            if alike(one, other):
                yield first, second


# ------------------------------------------------------------------------------------------------ what would move
def moves(kind: str, other: Thing) -> list[str]:
    """What a merge takes over from the other one, in words."""
    if kind == PERSON:
        assert isinstance(other, Team)
        return [str(team) for team in _led_by(other.leader_email)]
    if isinstance(other, Institution):
        return [str(academy) for academy in other.academies.all()]
    if isinstance(other, Academy):
        invited = other.invitations.select_related("study")
        return [
            *(str(team) for team in other.teams.all()),
            *(f"{one.study}: {one.get_state_display()}" for one in invited),
        ]
    taken_part = other.participations.select_related("study")
    return [f"{one.study}: {one.get_state_display()}" for one in taken_part]


# ------------------------------------------------------------------------------------------------ merging
@transaction.atomic
def merge(kind: str, keep: Thing, other: Thing, studies: Iterable[Study], by: User) -> None:
    """Move everything of ``other`` to ``keep`` and remove it; recorded in every study that it was in.

    Args:
        studies: those in which the person works; nothing of another study is touched.

    Raises:
        Refused: where both took part in the same study, a name would be there twice, or a study is somebody else's.
    """
    mine = {study.pk for study in studies}
    if keep.pk == other.pk:
        raise Refused(_("These are one and the same."))
    affected = _studies_of(kind, other)
    if not affected <= mine or not _studies_of(kind, keep) <= mine:
        raise Refused(_("One of them is in a study in which you do not work. Ask an administrator to merge them."))
    detail = f"{KIND_WORDS[kind]}: {_named(kind, other)} → {_named(kind, keep)}"
    if kind == PERSON:
        assert isinstance(keep, Team)
        assert isinstance(other, Team)
        for team in _led_by(other.leader_email):
            corrections.correct_leader(team, keep.leader_name, keep.leader_email, by=by)
    else:
        _settle(keep, other)
        _take_over(keep, other)
    for study in Study.objects.filter(pk__in=affected):
        history.record(study, "merged", by=by, detail=detail)


def _settle(keep: Thing, other: Thing) -> None:
    """See that nothing would be there twice afterwards: what was only listed gives way to what was invited."""
    if isinstance(keep, Institution) and isinstance(other, Institution):
        _same_names(keep.academies.values_list("name"), other.academies.values_list("name"))
    elif isinstance(keep, Academy) and isinstance(other, Academy):
        _same_names(keep.teams.values_list("name", "form"), other.teams.values_list("name", "form"))
        waiting = Invitation.State.LISTED
        _one_of_two(
            {one.study_id: one for one in keep.invitations.select_related("study")},
            {one.study_id: one for one in other.invitations.select_related("study")},
            waiting,
        )
    elif isinstance(keep, Team) and isinstance(other, Team):
        _one_of_two(
            {one.study_id: one for one in keep.participations.select_related("study")},
            {one.study_id: one for one in other.participations.select_related("study")},
            Participation.State.LISTED,
        )


def _same_names(of_keep: Iterable[tuple[str, ...]], of_other: Iterable[tuple[str, ...]]) -> None:
    known = {tuple(part.lower() for part in one) for one in of_keep}
    for one in of_other:
        if tuple(part.lower() for part in one) in known:
            raise Refused(_("Both have “%(name)s”: merge these two first.") % {"name": one[0]})


def _one_of_two(
    of_keep: Mapping[int, Invitation | Participation], of_other: Mapping[int, Invitation | Participation], listed: str
) -> None:
    """In a study in which both are, one that nobody was asked about goes; two that were asked cannot become one."""
    for study, second in of_other.items():
        first = of_keep.get(study)
        if first is None:
            continue
        if second.state == listed:
            second.delete()
        elif first.state == listed:
            first.delete()
        else:
            raise Refused(
                _("Both were invited to the study “%(study)s”: two that took part in one study cannot become one.")
                % {"study": first.study}
            )


def _take_over(keep: Thing, other: Thing) -> None:
    """Point every row that names ``other`` at ``keep``, whichever app it belongs to, and remove ``other``."""
    try:
        with transaction.atomic():
            for relation in type(other)._meta.related_objects:
                rows = relation.related_model._base_manager.filter(**{relation.field.name: other.pk})
                if relation.related_model is Role:
                    rows.delete()  # who leads the kept team leads it
                else:
                    rows.update(**{relation.field.name: keep.pk})
            other.delete()
    except (IntegrityError, models.ProtectedError) as error:  # somebody added to one of them meanwhile
        raise Refused(_("They cannot be merged: something is there twice.")) from error
    if isinstance(keep, Team) and keep.roles.exists():
        corrections.give_team_to(keep)


def _studies_of(kind: str, thing: Thing) -> set[int]:
    if kind == PERSON and isinstance(thing, Team):
        teams = _led_by(thing.leader_email)
    elif isinstance(thing, Team):
        teams = Team.objects.filter(pk=thing.pk)
    elif isinstance(thing, Academy):
        invited = set(thing.invitations.values_list("study_id", flat=True))
        return invited | set(Participation.objects.filter(team__academy=thing).values_list("study_id", flat=True))
    else:
        return set(Invitation.objects.filter(academy__institution=thing.pk).values_list("study_id", flat=True))
    return set(Participation.objects.filter(team__in=teams).values_list("study_id", flat=True))


def _led_by(email: str) -> models.QuerySet[Team]:
    return Team.objects.filter(leader_email__iexact=email)


def _named(kind: str, thing: Thing) -> str:
    if kind == PERSON and isinstance(thing, Team):
        return f"{thing.leader_name} <{thing.leader_email}>"
    return str(thing)
