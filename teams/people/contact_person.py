"""Who counts must not be who gets the report: the contact person of a meeting leads no team of the academy, nor the academy.

The number present decides whether a team gets a report. Whoever both sets it and reads the report could fill up a small team
with made-up answers, and read off what a single colleague answered. A director reads a team with its leader's word, which may
be given later, and the academy's mean. A leader reads a combination of the own team with others of the academy, which may be
made later too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.base.keyed import digests
from teams.history import Happened
from teams.models import Academy, Participation, Study, Team, User
from teams.text.addresses import folded, same_person
from teams.text.directions import isolated

_HAS_VOUCHED = gettext_lazy(
    "This person counted how many people were present in %(team)s, or confirmed its addresses. Whoever counts must "
    "not be the person who gets the report: name somebody else."
)


class SamePerson(Exception):
    """Why somebody cannot be both, in a sentence. ``participation_id``: of which team in which study."""

    def __init__(self, sentence: str, participation_id: int) -> None:
        super().__init__(sentence)
        self.participation_id = participation_id


def reads_results(participation: Participation, email: str) -> bool:
    """Whether this address is, in any spelling, the director's or that of a leader of a team of the academy in this study."""
    if not email:
        return False
    readers = (participation.leader_email, participation.team.academy.director_email)
    if any(same_person(reader, email) for reader in readers):
        return True
    others = of_academy(participation).values_list("leader_email", flat=True)
    return any(same_person(reader, email) for reader in others)


def reading_results(teams: Sequence[Participation]) -> set[int]:
    """Of which of these teams, with their academies, the contact person's address `reads_results`: the participations."""
    leaders: dict[tuple[int, int], set[str]] = defaultdict(set)
    of = Participation.objects.filter(
        study__in={participation.study_id for participation in teams},
        team__academy__in={participation.team.academy_id for participation in teams},
    )
    for study, academy, email in of.values_list("study", "team__academy", "leader_email"):
        leaders[study, academy].add(folded(email))
    pks = set()
    for participation in teams:
        readers = leaders[participation.study_id, participation.team.academy_id]
        own = {folded(participation.leader_email), folded(participation.team.academy.director_email)}
        if participation.contact_email and folded(participation.contact_email) in readers | own:
            pks.add(participation.pk)
    return pks


def of_academy(participation: Participation) -> QuerySet[Participation]:
    """The teams of the academy in this study: any of them may be combined with this one, and is then read together."""
    academy = Team.objects.filter(pk=participation.team_id).values("academy")
    return Participation.objects.filter(study=participation.study_id, team__academy__in=academy).order_by("pk")


def has_vouched(participation: Participation, email: str) -> bool:
    """Whether who has this address counted those present in this wave, or confirmed its addresses, by a link."""
    return bool(email) and not set(_hashes(email)).isdisjoint(participation.vouched_by)


def hold_academy(academy_id: int) -> None:
    """Who counts and who reads in an academy is named one at a time, or two who name each other at once both find nothing.

    Taken before any other row, inside the transaction that checks and writes.
    """
    Academy.objects.select_for_update(no_key=True).get(pk=academy_id)


def hold_academies(study: Study) -> None:
    """`hold_academy` for every academy with a team in the study, in the order of their numbers: for who lists many at once."""
    with_team = Participation.objects.filter(study=study).values("team__academy")
    list(Academy.objects.select_for_update(no_key=True).filter(pk__in=with_team).order_by("pk").values_list("pk"))


def note_vouched(participation_id: int, email: str) -> None:
    """Keep that who has this address counted, or confirmed addresses: whoever is contact person later."""
    with transaction.atomic():
        hold_academy(Participation.objects.values_list("team__academy", flat=True).get(pk=participation_id))
        participation = Participation.objects.select_for_update(no_key=True).get(pk=participation_id)
        if email and not has_vouched(participation, email):
            Participation.objects.filter(pk=participation.pk).update(
                vouched_by=[*participation.vouched_by, _hashes(email)[0]]
            )


def _hashes(email: str) -> list[str]:
    return digests("teams.vouched_by", folded(email))


def counts(participation: Participation, email: str) -> bool:
    """Whether this address is the contact person's of a team that meets."""
    meets = participation.state == Participation.State.ACCEPTED and participation.mode != Participation.Mode.ONLINE
    return meets and same_person(participation.contact_email, email)


def why_not_contact(participation: Participation, email: str) -> str:
    """Why this address cannot be the contact person's, in a sentence; blank if it can."""
    if not reads_results(participation, email):
        return ""
    if same_person(participation.leader_email, email):
        return _(
            "This is the address of the team leader. The contact person counts how many people are present, and must "
            "not be somebody who gets the report: name somebody else."
        )
    if not same_person(participation.team.academy.director_email, email):
        return _(
            "This is the address of the leader of another team of the academy, and the two teams may get one report. "
            "The contact person counts how many people are present, and must not be somebody who gets the report: "
            "name somebody else."
        )
    return _(
        "This is the address of the director of the academy. The contact person counts how many people are present, "
        "and must not be somebody who gets the report: name somebody else."
    )


def check_contact(participation: Participation, email: str) -> None:
    """:raises SamePerson: if the contact person would be the director, or lead a team of the academy"""
    if why := why_not_contact(participation, email):
        raise SamePerson(why, participation.pk)


def check_director(academy: Academy, email: str) -> None:
    """:raises SamePerson: if the director would be the contact person of a meeting of a team of the academy"""
    for participation in Participation.objects.filter(team__academy=academy).select_related("team"):
        if has_vouched(participation, email):
            raise SamePerson(_HAS_VOUCHED % {"team": isolated(participation.team.name)}, participation.pk)
        if counts(participation, email):
            raise SamePerson(_counts_in(participation), participation.pk)


def researches(study: Study, email: str) -> bool:
    """Whether an address is, in any spelling, that of a member of the study's research group or of an administrator."""
    return bool(email) and folded(email) in researchers_of_group(study)


def researchers_of_group(study: Study) -> set[str]:
    """The addresses of these people, folded (teams/text/addresses.py)."""
    works = Q(memberships__group=study.group_id) | Q(is_superuser=True)
    known = User.objects.filter(works).values_list("email", flat=True).distinct()
    return {folded(address) for address in known if address}


def check_leader(participation: Participation, email: str) -> None:
    """Whether this address may be that of the leader of a wave.

    Raises:
        SamePerson: if it is that of whoever counts, or counted, in a team of the academy, or of somebody who does research
            in the group.
    """
    if researches(participation.study, email):
        raise SamePerson(
            _(
                "A member of the research group or an administrator cannot be a team leader: what a team writes down "
                "for itself is not meant for those who do the research. Give another address."
            ),
            participation.pk,
        )
    for wave in [participation, *of_academy(participation).exclude(pk=participation.pk).select_related("team")]:
        if has_vouched(wave, email):
            raise SamePerson(_HAS_VOUCHED % {"team": isolated(wave.team.name)}, participation.pk)
        if counts(wave, email):
            raise SamePerson(_counts_in(wave), participation.pk)


def _counts_in(participation: Participation) -> str:
    return _(
        "This is the address of the contact person of %(team)s, who counts how many people are present. Whoever "
        "counts must not be the person who gets the report: first let the team name another contact person."
    ) % {"team": isolated(participation.team.name)}


def who_gave(participation: Participation) -> str:
    """Where the contact person's address comes from, for the first mails to them: the leader, or later a researcher."""
    changed = participation.events.filter(kind=Happened.CONTACT_PERSON_CHANGED).select_related("by").first()
    named = {"team": isolated(participation.team.name)}
    if changed is not None and changed.by is not None and not same_person(changed.by.email, participation.leader_email):
        return _("The researchers entered your name and address for %(team)s, for this study only.") % named
    return _("The leader of %(team)s gave us your name and address for this study only.") % named
