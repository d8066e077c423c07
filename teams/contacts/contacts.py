"""Academies, teams and their contacts: added and changed by form, or from a file with a dry run.

An academy is known by its institution and name, a team by its academy, name and form, both without regard to capitals and
both within the research group of the study: the same file a second time changes nothing. People of a study are seen and
changed by who works in it: people/elsewhere.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from teams import history
from teams.contacts.cells import FORM_WORDS, SECTOR_WORDS, columns_of, wrong_cells
from teams.contacts.listing import Listing
from teams.contacts.replacing import Ask, kept
from teams.contacts.rows import AcademyData, TeamData
from teams.files.tables import Table
from teams.inviting import corrections, invitations
from teams.models import Academy, Institution, Participation, Study, Team, User
from teams.people import mail_domains
from teams.people.contact_person import SamePerson, hold_academies
from teams.people.elsewhere import Elsewhere, elsewhere, known_elsewhere, stays, unknown_director
from teams.studies import setting_up


class RowState(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    ASKS = "asks"  # nothing but whether somebody known may be replaced
    UNCHANGED = "unchanged"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, as the dry run judges it. ``notes`` say what changes, or what is wrong."""

    number: int  # as the spreadsheet numbers it: the header is row 1
    state: RowState
    cells: dict[str, str]
    notes: tuple[str, ...] = ()
    academy: AcademyData | None = None
    team: TeamData | None = None
    asks: tuple[Ask, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    rows: Sequence[Row] = ()
    problems: Sequence[str] = field(default_factory=tuple)  # of the file as a whole
    applied: bool = False

    def count(self, state: RowState) -> int:
        return sum(row.state == state for row in self.rows)

    @property
    def asks(self) -> bool:
        return any(row.asks for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        return {state.value: self.count(state) for state in RowState}

    def names(self) -> list[str]:
        """What its academies and teams are called."""
        called = [(row.academy.institution, row.academy.name) for row in self.rows if row.academy is not None]
        teams = [row.team.name for row in self.rows if row.team is not None]
        return [*chain.from_iterable(called), *teams]

    @property
    def usable(self) -> bool:
        """Whether it can be applied: everything is good, and something changes."""
        changes = sum(row.state in (RowState.NEW, RowState.CHANGED, RowState.ASKS) for row in self.rows)
        return not self.problems and not self.count(RowState.WRONG) and changes > 0


# ------------------------------------------------------------------------------------------------ adding and changing
@transaction.atomic
def add_academy(study: Study, data: AcademyData, by: User | None) -> Academy:
    """Put an academy on the list of a study; one that exists gets these details.

    Raises:
        Elsewhere: for one of another study with another director's address; with the same one it keeps its details.
        SamePerson: if the new director is the contact person of one of its teams.
    """
    institution = Institution.objects.filter(group=study.group_id, name__iexact=data.institution).first()
    if institution is None:
        institution = Institution.objects.create(group_id=study.group_id, name=data.institution)
    academy = Academy.objects.filter(institution=institution, name__iexact=data.name).first()
    if academy is None:
        academy = Academy.objects.create(
            institution=institution,
            name=data.name,
            sector=data.sector,
            director_name=data.director_name,
            director_email=data.director_email,
        )
    elif not elsewhere(academy, by):
        change_academy(academy, replace(data, institution=institution.name, name=academy.name), by)
    elif academy.director_email.lower() != data.director_email.lower():
        raise Elsewhere(unknown_director())
    invitations.list_academy(study, academy, by)
    mail_domains.learn(study, academy, by)
    return academy


@transaction.atomic
def change_academy(academy: Academy, data: AcademyData, by: User | None) -> None:
    """Change an academy's details; a new address of the director gets its own link (corrections.correct_director).

    Raises:
        Elsewhere: if something would change, and the academy is in a study too in which this person does not work.
        SamePerson: if the new director is the contact person of one of its teams.
    """
    detail = "; ".join(_changes((_("name"), academy.name, data.name), (_("sector"), academy.sector, data.sector)))
    people = (academy.director_name, academy.director_email.lower())
    if (detail or people != (data.director_name, data.director_email.lower())) and elsewhere(academy, by):
        raise Elsewhere(stays())
    Academy.objects.filter(pk=academy.pk).update(name=data.name, sector=data.sector)
    academy.name, academy.sector = data.name, data.sector
    if detail:
        for invitation in academy.invitations.select_related("study"):
            history.record(invitation.study, history.Happened.DETAILS_CHANGED, academy=academy, by=by, detail=detail)
    corrections.correct_director(academy, data.director_name, data.director_email, by=by)


@transaction.atomic
def add_team(study: Study, academy: Academy, data: TeamData, by: User | None) -> Participation:
    """Put a team on the list of a study; one that exists is led by this leader there, and in no other study."""
    team = Team.objects.filter(academy=academy, name__iexact=data.name, form=data.form).first()
    if team is None:
        team = Team.objects.create(
            academy=academy,
            name=data.name,
            form=data.form,
            leader_name=data.leader_name,
            leader_email=data.leader_email,
        )
    mail_domains.learn(study, academy, by, leader=data.leader_email)
    participation = invitations.list_team(study, team, by, leader=(data.leader_name, data.leader_email))
    corrections.correct_leader(participation, data.leader_name, data.leader_email, by=by)
    return participation


@transaction.atomic
def change_team(participation: Participation, data: TeamData, by: User | None) -> None:
    """Change a team's details, and who leads it in this study; a new address gets its own link (corrections).

    Raises:
        Elsewhere: if name or form would change, and the team is in a study too in which this person does not work.
    """
    team = participation.team
    detail = "; ".join(_changes((_("name"), team.name, data.name), (_("form of the programme"), team.form, data.form)))
    if detail and elsewhere(team, by):
        raise Elsewhere(stays())
    Team.objects.filter(pk=team.pk).update(name=data.name, form=data.form)
    team.name, team.form = data.name, data.form
    if detail:
        for wave in team.participations.select_related("study"):
            history.record(wave.study, history.Happened.DETAILS_CHANGED, participation=wave, by=by, detail=detail)
    corrections.correct_leader(participation, data.leader_name, data.leader_email, by=by)


# ------------------------------------------------------------------------------------------------ from a file
def preview(study: Study, table: Table, by: User | None) -> Preview:
    """The dry run: what each row of a table would do if this person applied it. Writes nothing."""
    columns, problems = columns_of(table.header)
    if problems:
        return Preview(problems=problems)
    judge = _Judge(study, by)
    return Preview(
        rows=[
            judge.row(number, {column: cells[at] for column, at in columns.items()})
            for number, cells in table.numbered()
        ]
    )


def apply(study: Study, table: Table, by: User | None, answers: Mapping[str, str] | None = None) -> Preview:
    """Do what the dry run showed, all of it or nothing; judged again, since rows may have changed in between.

    Args:
        answers: the questions answered with yes, each with the address that may be replaced (teams/contacts/replacing.py).

    Returns:
        The preview that was applied. If it is not ``usable``, nothing was written.
    """
    try:
        return _apply(study, table, by, answers or {})
    except IntegrityError:  # somebody listed one of them meanwhile: it is known now
        return _apply(study, table, by, answers or {})


@transaction.atomic
def _apply(study: Study, table: Table, by: User | None, answers: Mapping[str, str]) -> Preview:
    setting_up.hold(
        study.group_id
    )  # two files that name the same new institutions in another order would wait for each other
    hold_academies(study)  # who counts and who leads stays until what is judged here is written
    judged = preview(study, table, by)
    if not judged.usable:
        return judged
    listing = Listing(study, by, add_academy, add_team)
    academies: dict[tuple[str, str], Academy] = {}
    for row in judged.rows:
        if row.academy is None:
            continue
        key = (row.academy.institution.lower(), row.academy.name.lower())
        try:
            if key not in academies:
                academies[key] = listing.academy(replace(row.academy, **kept(row.asks, "director", answers)))
            if row.team is not None:
                listing.team(academies[key], replace(row.team, **kept(row.asks, "leader", answers)))
        except SamePerson as error:
            transaction.set_rollback(True)
            return Preview(problems=[_("Row %(row)s: %(problem)s") % {"row": row.number, "problem": error}])
    listing.write()
    done = Preview([_answered(row, answers) for row in judged.rows], applied=True)
    detail = f"{done.counts['new']} + {done.counts['changed']}"
    history.record(study, history.Happened.CONTACTS_IMPORTED, by=by, detail=detail)
    return done


def _answered(row: Row, answers: Mapping[str, str]) -> Row:
    if row.state != RowState.ASKS:
        return row
    granted = any(ask.granted(answers) for ask in row.asks)
    return replace(row, state=RowState.CHANGED if granted else RowState.UNCHANGED)


class _Judge:
    """Judges rows one after the other, knowing the rows before and what the research group has: six queries at most."""

    def __init__(self, study: Study, by: User | None) -> None:
        academies = Academy.objects.filter(institution__group=study.group_id).select_related("institution")
        self.academies = {(a.institution.name.lower(), a.name.lower()): a for a in academies}
        teams = Team.objects.filter(academy__institution__group=study.group_id).select_related("academy__institution")
        self.teams = {
            (t.academy.institution.name.lower(), t.academy.name.lower(), t.name.lower(), t.form): t for t in teams
        }
        self.listed_academies = set(study.invitations.filter(academy__isnull=False).values_list("academy", flat=True))
        waves = study.participations.values_list("team", "leader_name", "leader_email")
        self.leaders = {team: (name, email.lower()) for team, name, email in waves}
        self.academies_elsewhere = known_elsewhere(study, by)
        self.seen_academies: dict[tuple[str, str], tuple[int, AcademyData]] = {}
        self.seen_teams: dict[tuple[str, ...], int] = {}
        self.asks: list[Ask] = []  # of the row at hand

    def row(self, number: int, cells: dict[str, str]) -> Row:
        wrong = list(wrong_cells(cells))
        sector = SECTOR_WORDS.get(cells["sector"].lower())
        form = FORM_WORDS.get(cells.get("form", "").lower())
        if wrong or sector is None or form is None:
            return Row(number, RowState.WRONG, cells, tuple(wrong))
        academy = AcademyData(
            cells["institution"], cells["academy"], sector, cells["director_name"], cells["director_email"].lower()
        )
        team = TeamData(cells["team"], form, cells["leader_name"], cells["leader_email"].lower())
        key = (academy.institution.lower(), academy.name.lower())
        earlier, same = self.seen_academies.setdefault(key, (number, academy))
        if same != academy:
            note = _("Row %(row)s gives different details for this academy.") % {"row": earlier}
            return Row(number, RowState.WRONG, cells, (note,))
        if self._is_unknown(key, academy):
            return Row(number, RowState.WRONG, cells, (unknown_director(),))
        new: list[str] = []
        self.asks = []
        changed = self._changes_of_academy(key, academy, new) if earlier == number else []
        if not team.name:
            return self._judged(number, cells, new, changed, academy, None)
        team_key = (*key, team.name.lower(), team.form)
        earlier = self.seen_teams.setdefault(team_key, number)
        if earlier != number:
            note = _("This team is in row %(row)s too.") % {"row": earlier}
            return Row(number, RowState.WRONG, cells, (note,))
        changed += self._changes_of_team(team_key, team, new)
        return self._judged(number, cells, new, changed, academy, team)

    def _judged(
        self,
        number: int,
        cells: dict[str, str],
        new: list[str],
        changed: list[str],
        academy: AcademyData,
        team: TeamData | None,
    ) -> Row:
        asks = tuple(replace(ask, number=number) for ask in self.asks)
        state = RowState.NEW if new else RowState.CHANGED if changed else RowState.ASKS if asks else RowState.UNCHANGED
        return Row(number, state, cells, (*new, *changed), academy, team, asks)

    def _replaces(self, part: str, known: tuple[str, str], in_file: tuple[str, str]) -> bool:
        """Whether another address stands in the file: then it is asked, and no change by itself."""
        if known[1] == in_file[1]:
            return False
        self.asks.append(Ask(part, 0, *known, *in_file))
        return True

    def _is_unknown(self, key: tuple[str, str], data: AcademyData) -> bool:
        """Whether this academy is another study's, and has another director there."""
        academy = self.academies.get(key)
        if academy is None or academy.pk not in self.academies_elsewhere:
            return False
        return academy.director_email.lower() != data.director_email

    def _changes_of_academy(self, key: tuple[str, str], data: AcademyData, new: list[str]) -> list[str]:
        academy = self.academies.get(key)
        if academy is None or academy.pk not in self.listed_academies:
            new.append(_("new academy in this study"))
        if academy is None or academy.pk in self.academies_elsewhere:
            return []
        changed = _changes((_("sector"), academy.sector, data.sector))
        known = (academy.director_name, academy.director_email.lower())
        if not self._replaces("director", known, (data.director_name, data.director_email)):
            changed += _changes((_("director"), academy.director_name, data.director_name))
        return changed

    def _changes_of_team(self, key: tuple[str, ...], data: TeamData, new: list[str]) -> list[str]:
        team = self.teams.get((key[0], key[1], key[2], key[3]))
        leader = self.leaders.get(team.pk) if team else None
        if leader is None:  # whoever leads it in another study says nothing about this one
            new.append(_("new team in this study"))
            return []
        if self._replaces("leader", leader, (data.leader_name, data.leader_email)):
            return []
        return _changes((_("team leader"), leader[0], data.leader_name))


def _changes(*pairs: tuple[str, str, str]) -> list[str]:
    return [f"{name}: {old} → {new}" for name, old, new in pairs if old != new]
