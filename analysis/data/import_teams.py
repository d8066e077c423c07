"""The teams of a file with answers: those of the study, the same teams as in the wave before or after, or new ones.

Nobody invited them, so each gets an invitation that was never sent: pages and access are then those of any team. Who leads a
team, the file does not say: the study's contact person stands in until a researcher names the leader.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import override

from teams.access import studies_of
from teams.contacts.duplicates import key, near_pairs
from teams.inviting import invitations
from teams.links import new_nonce
from teams.models import Academy, Institution, Invitation, Participation, Sector, Study, Team, User
from teams.models.languages import language_codes
from teams.people.elsewhere import elsewhere
from teams.text.directions import in_one_line, isolated, without_steering

ACADEMY = "Imported"


class ImportRefused(Exception):
    """Why a good file cannot be imported into this study, in a sentence."""


INSTITUTION_COLUMN, ACADEMY_COLUMN, SECTOR_COLUMN = "institution", "academy", "sector"
PLACE_COLUMNS = (INSTITUTION_COLUMN, ACADEMY_COLUMN, SECTOR_COLUMN)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a team is, as far as a file says it; ``sector`` is a value of `Sector`."""

    institution: str = ""
    academy: str = ""
    sector: str = ""


def folded(name: str) -> str:
    """A name as it is compared: two spellings that differ in capitals, blanks or composed letters are one."""
    return tidy(name).casefold()


def tidy(name: str) -> str:
    """A name as it is kept: composed letters, single blanks, no signs that steer machines or readers."""
    return without_steering(in_one_line(unicodedata.normalize("NFC", name)))


def sector_of(cell: str) -> str:
    """The sector that a cell names, by its code or its name in any language; ValueError with the reason."""
    names: dict[str, str] = {}
    for language in language_codes():
        with override(language):
            names |= {folded(str(Sector(value).label)): value for value in Sector.values}
    names |= {value: value for value in Sector.values}
    if folded(cell) not in names:
        raise ValueError(
            _("'%(cell)s' is not one of: %(choices)s") % {"cell": cell[:40], "choices": ", ".join(Sector.values)}
        )
    return names[folded(cell)]


def nearly_same(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of names that differ by a slip of the pen, or by words that tell nothing."""
    listed = sorted(names)
    pairs = near_pairs([key(name) or folded(name) for name in listed])
    return [(listed[first], listed[second]) for first, second in pairs]


def of_neighbouring_waves(study: Study, by: User | None) -> dict[str, list[Team]]:
    """Teams of the wave before and the wave after, by compared name; of waves in which this person works only."""
    following = Study.objects.filter(previous=study).values_list("pk", flat=True)
    waves = Study.objects.filter(pk__in=[study.previous_id, *following])
    if by is not None:
        waves = waves.filter(pk__in=studies_of(by).values("pk"))
    by_name: dict[str, list[Team]] = {}
    teams = Team.objects.filter(participations__study__in=waves).select_related("academy__institution").distinct()
    for team in teams.order_by("pk"):
        by_name.setdefault(folded(team.name), []).append(team)
    return by_name


def in_study(study: Study) -> dict[str, list[Participation]]:
    """The teams of a study by compared name."""
    known: dict[str, list[Participation]] = {}
    for participation in Participation.objects.filter(study=study).select_related("team__academy"):
        known.setdefault(folded(participation.team.name), []).append(participation)
    return known


def make(study: Study, name: str, place: Place, n_rows: int, same: Team | None, by: User | None) -> Participation:
    """A team that takes part with the rows of a file; ``same``: the team of another wave that it is.

    Raises:
        ImportRefused: where its academy is one of a study in which this person does not work.
    """
    team = same or _team(_academy(study, place, by), name, study)
    invitations.list_academy(study, team.academy, by)
    participation = Participation.objects.create(
        study=study,
        team=team,
        leader_name=study.contact_name,
        leader_email=study.contact_email,
        state=Participation.State.ACCEPTED,
        mode=Participation.Mode.CONTACT,
        approached=n_rows,
        approached_note=_("as many as there are rows in the imported file"),
    )
    Invitation.objects.create(study=study, participation=participation, nonce=new_nonce())
    return participation


def _academy(study: Study, place: Place, by: User | None) -> Academy:
    """The academy that the file names, or one for the answers imported into this study."""
    name = tidy(place.institution)[:160] or study.controller[:160]
    institutions = Institution.objects.filter(group=study.group_id)
    institution = next((institution for institution in institutions if folded(institution.name) == folded(name)), None)
    if institution is None:
        institution = Institution.objects.create(group_id=study.group_id, name=name)
    name = tidy(place.academy)[:160] or f"{ACADEMY}: {study.slug}"[:160]
    for academy in institution.academies.all():
        if folded(academy.name) == folded(name):
            if elsewhere(academy, by):
                raise ImportRefused(
                    _(
                        "Academy '%s' is in another study of your research group, in which you do not work. Ask its "
                        "researchers, or an administrator, to add you to it."
                    )
                    % isolated(name)
                )
            return academy
    return Academy.objects.create(
        institution=institution,
        name=name,
        sector=place.sector or Sector.EDUCATION,
        director_name=study.contact_name,
        director_email=study.contact_email,
    )


def _team(academy: Academy, name: str, study: Study) -> Team:
    for team in academy.teams.all():
        if folded(team.name) == folded(name):
            return team
    leader = {"leader_name": study.contact_name, "leader_email": study.contact_email}
    return Team.objects.create(academy=academy, name=tidy(name)[:160], **leader)
