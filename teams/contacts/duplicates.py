"""Duplicates: what looks like the same institution, academy, team or person, and merging the two.

Suggestions compare names without accents, case, punctuation and words such as “academie”; within one institution or academy,
where two names of a few letters' difference are compared too. The standard library does that well enough for lists of
names, so no library for it.

A merge moves everything that belongs to the other one, in every study, and then removes it: it cannot be undone. It is
refused where both took part in the same study, since two accounts of one study cannot become one: the page of the pair leads to
where two teams of a study become one before its answers come in (surveys/reshaping/merging.py). And nothing of one research
group is looked at beside, or merged into, what is another's.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from typing import TypeVar

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams import history
from teams.inviting import corrections
from teams.models import Academy, Employment, Institution, Invitation, MailDomain, Participation, Study, Team, User
from teams.people.contact_person import SamePerson
from teams.people.elsewhere import studies_with
from teams.text.directions import isolated

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
MOST_PAIRS, MOST_COMPARED, MOST_FOUND = 1_000_000, 5_000, 1_000  # of one list: some seconds at the most
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
# Rows of which the kept one may have the same already, by which column that is seen
ONCE: dict[type[models.Model], str] = {MailDomain: "domain", Employment: "user"}
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


def alike(name: str, other: str) -> bool:
    """Whether two compared names are equal but for a slip of the pen; numbers must be equal."""
    if name == other:
        return True
    if (
        abs(len(name) - len(other)) > 3
        or name[:2] != other[:2]
        or re.findall(r"\d+", name) != re.findall(r"\d+", other)
    ):
        return False
    return min(len(name), len(other)) > 4 and SequenceMatcher(None, name, other).ratio() >= NEAR


def near_pairs(names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The places of compared names that are alike, in pairs; the same pairs as `alike` finds, up to the bounds.

    A list of a thousand names has half a million pairs, and to compare two long names letter by letter costs a millisecond. So
    only those are compared that can be alike, and no more than ``MOST_COMPARED`` in ``MOST_PAIRS``.
    """
    n_pairs = n_compared = n_found = 0
    blocks: dict[tuple[str, ...], list[tuple[int, str, int]]] = defaultdict(list)
    for number, name in enumerate(names):
        letters = sum(1 << place for place in {ord(letter) % 128 for letter in name})
        blocks[name[:2], *re.findall(r"\d+", name)].append((number, name, letters))
    for block in blocks.values():
        for (first_number, first, letters), (second_number, second, letters_too) in combinations(block, 2):
            if (n_pairs := n_pairs + 1) > MOST_PAIRS or n_found >= MOST_FOUND:
                return
            if first != second:
                # letters that stand in one of the two only; a little more, for what a product of fractions loses
                most = (1 - NEAR) * (len(first) + len(second)) + 1e-6
                if abs(len(first) - len(second)) > 3 or (letters ^ letters_too).bit_count() > most:
                    continue
                if (n_compared := n_compared + 1) > MOST_COMPARED:
                    return
            if alike(first, second):
                n_found += 1
                yield first_number, second_number


def suggestions(studies: Iterable[Study]) -> list[Suggestion]:
    """What looks double among the institutions, academies, teams and leaders of these studies; four queries."""
    in_studies = list(studies)
    academies = list(Academy.objects.filter(invitations__study__in=in_studies).select_related("institution").distinct())
    teams = list(
        Team.objects.filter(participations__study__in=in_studies).select_related("academy__institution").distinct()
    )
    institutions = list({academy.institution_id: academy.institution for academy in academies}.values())
    suggested = [Suggestion("institution", *pair) for pair in _pairs(institutions, lambda institution: "")]
    suggested += [
        Suggestion("academy", *pair) for pair in _pairs(academies, lambda academy: str(academy.institution_id))
    ]
    suggested += [Suggestion("team", *pair) for pair in _pairs(teams, lambda team: f"{team.academy_id} {team.form}")]
    as_led_in(teams, in_studies)
    leaders: dict[tuple[int, str], dict[str, Team]] = defaultdict(dict)
    for team in teams:
        leaders[team.academy.institution_id, key(team.leader_name)].setdefault(team.leader_email.lower(), team)
    for by_address in leaders.values():
        suggested += [Suggestion(PERSON, *pair) for pair in combinations(by_address.values(), 2)]
    return suggested


def as_led_in(teams: Iterable[Team], studies: Iterable[Study]) -> None:
    """Give teams, in memory, the leader of their newest wave in these studies: people of others' studies are not shown."""
    of = {team.pk: team for team in teams}
    waves = Participation.objects.filter(study__in=list(studies)).order_by("study__starts_on", "pk")
    for pk, name, email in waves.values_list("team", "leader_name", "leader_email"):
        if pk in of:
            of[pk].leader_name, of[pk].leader_email = name, email


def _pairs(things: Iterable[AnyThing], block: Callable[[AnyThing], str]) -> Iterator[tuple[AnyThing, AnyThing]]:
    """Pairs of one block whose names are alike."""
    blocks: dict[str, list[AnyThing]] = defaultdict(list)
    for thing in things:
        blocks[block(thing)].append(thing)
    for named in blocks.values():
        for first, second in near_pairs([key(thing.name) for thing in named]):
            yield named[first], named[second]


# ------------------------------------------------------------------------------------------------ what would move
def moves(kind: str, other: Thing, studies: Iterable[Study]) -> list[str]:
    """What a merge takes over from the other one, in words; of these studies only."""
    own_studies = [study.pk for study in studies]
    if kind == PERSON:
        assert isinstance(other, Team)
        led = _led_by(other).filter(study__in=own_studies)
        return [str(wave) for wave in led.select_related("team", "study")]
    if isinstance(other, Institution):
        return [str(academy) for academy in other.academies.filter(invitations__study__in=own_studies).distinct()]
    if isinstance(other, Academy):
        invited = other.invitations.filter(study__in=own_studies).select_related("study")
        return [
            *(str(team) for team in other.teams.filter(participations__study__in=own_studies).distinct()),
            *(f"{participation.study}: {participation.get_state_display()}" for participation in invited),
        ]
    taken_part = other.participations.filter(study__in=own_studies).select_related("study")
    return [f"{participation.study}: {participation.get_state_display()}" for participation in taken_part]


def together(keep: Thing, other: Thing, studies: Iterable[Study]) -> list[tuple[Participation, Participation]]:
    """In which of these studies both teams are, newest first: there they become one with what hangs on them (surveys/reshaping/merging.py)."""
    if not isinstance(keep, Team) or not isinstance(other, Team) or keep.academy_id != other.academy_id:
        return []
    of_other = {wave.study_id: wave for wave in other.participations.filter(study__in=[study.pk for study in studies])}
    both = keep.participations.filter(study__in=of_other).select_related("study").order_by("-study__starts_on", "pk")
    return [(wave, of_other[wave.study_id]) for wave in both]


# ------------------------------------------------------------------------------------------------ merging
@transaction.atomic
def merge(kind: str, keep: Thing, other: Thing, studies: Iterable[Study], by: User) -> None:
    """Move everything of ``other`` to ``keep`` and remove it; recorded in every study that it was in.

    Args:
        studies: those in which the person works, of one research group; nothing of another study is touched.

    Raises:
        Refused: where both took part in the same study, a name would be there twice, or a study is somebody else's.
    """
    own_studies = {study.pk for study in studies}
    if _group_of(keep) != _group_of(other):
        raise Refused(_("These belong to two research groups, and stay with them."))
    if keep.pk == other.pk:
        raise Refused(_("These are one and the same: choose two different ones."))
    affected = _studies_of(kind, other)
    if not affected <= own_studies or not _studies_of(kind, keep) <= own_studies:
        raise Refused(_("One of them is in a study in which you do not work. Ask an administrator to merge them."))
    detail = f"{KIND_WORDS[kind]}: {_named(kind, other)} → {_named(kind, keep)}"
    if kind == PERSON:
        assert isinstance(keep, Team)
        assert isinstance(other, Team)
        try:
            for wave in _led_by(other):
                corrections.correct_leader(wave, keep.leader_name, keep.leader_email, by=by)
        except SamePerson as error:
            raise Refused(str(error)) from error
    else:
        _settle(keep, other)
        if isinstance(keep, Academy) and isinstance(other, Academy):
            _one_director(keep, other, by)
        _take_over(keep, other)
    for study in Study.objects.filter(pk__in=affected):
        history.record(study, history.Happened.MERGED, by=by, detail=detail)


def _one_director(keep: Academy, other: Academy, by: User) -> None:
    """The director of ``keep`` is that of both: the other one is told, and no link of theirs opens what is now of both."""
    try:
        corrections.correct_director(other, keep.director_name, keep.director_email, by=by)
    except SamePerson as error:
        raise Refused(str(error)) from error


def _settle(keep: Thing, other: Thing) -> None:
    """See that nothing would be there twice afterwards: what was only listed gives way to what was invited."""
    if isinstance(keep, Institution) and isinstance(other, Institution):
        _same_names(keep.academies.values_list("name"), other.academies.values_list("name"))
    elif isinstance(keep, Academy) and isinstance(other, Academy):
        _same_names(keep.teams.values_list("name", "form"), other.teams.values_list("name", "form"))
        waiting = Invitation.State.LISTED
        _one_of_two(
            {invitation.study_id: invitation for invitation in keep.invitations.select_related("study")},
            {invitation.study_id: invitation for invitation in other.invitations.select_related("study")},
            waiting,
        )
    elif isinstance(keep, Team) and isinstance(other, Team):
        _one_of_two(
            {participation.study_id: participation for participation in keep.participations.select_related("study")},
            {participation.study_id: participation for participation in other.participations.select_related("study")},
            Participation.State.LISTED,
        )


def _same_names(of_keep: Iterable[tuple[str, ...]], of_other: Iterable[tuple[str, ...]]) -> None:
    known = {tuple(part.lower() for part in names) for names in of_keep}
    for names in of_other:
        if tuple(part.lower() for part in names) in known:
            raise Refused(_("Both have “%(name)s”: merge these two first.") % {"name": names[0]})


def _one_of_two(
    of_keep: Mapping[int, Invitation | Participation], of_other: Mapping[int, Invitation | Participation], listed: str
) -> None:
    """In a study in which both are, one that nobody was asked about goes; two that were asked cannot become one."""
    for study, second in of_other.items():
        first = of_keep.get(study)
        if first is None:
            continue
        if second.state == listed:
            gone, stays = second, first
        elif first.state == listed:
            gone, stays = first, second
        else:
            raise Refused(_why_two(first) % {"study": isolated(first.study)})
        if isinstance(gone, Participation) and isinstance(stays, Participation):
            if gone is second:
                gone.events.filter(of_team="").update(of_team=gone.team.name)
            gone.events.update(participation=stays)
        gone.delete()  # nobody was asked about it, so there is nobody to tell


def _why_two(first: Invitation | Participation) -> str:
    if isinstance(first, Participation):
        return _("Both were invited to the study “%(study)s”. Merge them there first, if that is still possible.")
    return _("Both were invited to the study “%(study)s”: two teams of one study cannot be merged here.")


def _take_over(keep: Thing, other: Thing) -> None:
    """Point every row that names ``other`` at ``keep``, whichever app it belongs to, and remove ``other``."""
    try:
        with transaction.atomic():
            for model, name in _columns_to(type(other)):
                rows = model._base_manager.filter(**{name: other.pk})
                if model in ONCE:  # what both have stays with ``keep``, and goes with ``other``
                    known = model._base_manager.filter(**{name: keep.pk}).values_list(ONCE[model], flat=True)
                    rows = rows.exclude(**{f"{ONCE[model]}__in": list(known)})
                rows.update(**{name: keep.pk})
            other.delete()
    except (IntegrityError, models.ProtectedError) as error:  # somebody added to one of them meanwhile
        raise Refused(_("They cannot be merged: both have the same thing, which may exist only once.")) from error
    if isinstance(keep, Team):
        corrections.remember_leader(keep)


def _columns_to(model: type[models.Model]) -> list[tuple[type[models.Model], str]]:
    """Every column that points at a model, also those whose model has no name for the way back."""
    return [
        (relation.related_model, relation.field.name)
        for relation in model._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ManyToOneRel)
    ]


def _studies_of(kind: str, thing: Thing) -> set[int]:
    if kind == PERSON and isinstance(thing, Team):
        return set(_led_by(thing).values_list("study_id", flat=True))
    return set(studies_with(thing).values_list("pk", flat=True))


def _led_by(team: Team) -> models.QuerySet[Participation]:
    """The waves of teams of the research group that have the same leader."""
    return Participation.objects.filter(study__group=_group_of(team), leader_email__iexact=team.leader_email)


def _group_of(thing: Thing) -> int:
    if isinstance(thing, Team):
        return thing.academy.institution.group_id
    return thing.institution.group_id if isinstance(thing, Academy) else thing.group_id


def _named(kind: str, thing: Thing) -> str:
    if kind == PERSON and isinstance(thing, Team):
        return f"{isolated(thing.leader_name)} <{thing.leader_email}>"
    return str(thing)
