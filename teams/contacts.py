"""Academies, teams and their contacts: added and changed by form, or from a file with a dry run.

An academy is known by its institution and name, a team by its academy, name and form, both without regard to capitals:
the same file a second time changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from teams import corrections, history, invitations
from teams.models import Academy, Institution, Participation, Sector, Study, Team, User

# Column → the names it may have in a file, in lower case; the first is the one in the example
COLUMNS = {
    "institution": ("institution", "instelling", "hogeschool"),
    "academy": ("academy", "academie"),
    "sector": ("sector",),
    "director_name": ("director", "directeur"),
    "director_email": ("director e-mail", "e-mail directeur", "director email", "email directeur"),
    "team": ("team", "programme", "opleiding"),
    "form": ("form", "vorm"),
    "leader_name": ("team leader", "teamleider", "leader"),
    "leader_email": ("team leader e-mail", "e-mail teamleider", "leader e-mail", "leader email", "email teamleider"),
}
OPTIONAL = {"form"}
TEAM_COLUMNS = ("team", "form", "leader_name", "leader_email")
_EXAMPLE = """\
Hogeschool Voorbeeld,Academie voor Zorg,health,D. Jansen,d.jansen@voorbeeld.example,\
Verpleegkunde,full_time,L. Bos,l.bos@voorbeeld.example
Hogeschool Voorbeeld,Academie voor Zorg,health,D. Jansen,d.jansen@voorbeeld.example,\
Fysiotherapie,part_time,L. Smit,l.smit@voorbeeld.example"""
EXAMPLE = [[names[0] for names in COLUMNS.values()], *(line.split(",") for line in _EXAMPLE.splitlines())]
SECTOR_WORDS = {
    "onderwijs": Sector.EDUCATION,
    "education": Sector.EDUCATION,
    "economie": Sector.ECONOMICS,
    "economie en management": Sector.ECONOMICS,
    "economics and management": Sector.ECONOMICS,
    "gezondheidszorg": Sector.HEALTH,
    "zorg": Sector.HEALTH,
    "techniek": Sector.ENGINEERING,
    "landbouw": Sector.AGRICULTURE,
    "groen": Sector.AGRICULTURE,
    "sociale studies": Sector.SOCIAL,
    "social studies": Sector.SOCIAL,
    "sociaal": Sector.SOCIAL,
    "kunst": Sector.ARTS,
    **{value: Sector(value) for value in Sector.values},
}
FORM_WORDS = {
    "": Team.Form.FULL_TIME,
    "voltijd": Team.Form.FULL_TIME,
    "full-time": Team.Form.FULL_TIME,
    "deeltijd": Team.Form.PART_TIME,
    "part-time": Team.Form.PART_TIME,
    "duaal": Team.Form.DUAL,
    **{value: Team.Form(value) for value in Team.Form.values},
}


@dataclass(frozen=True, slots=True)
class AcademyData:
    institution: str
    name: str
    sector: str
    director_name: str
    director_email: str


@dataclass(frozen=True, slots=True)
class TeamData:
    name: str
    form: str
    leader_name: str
    leader_email: str


class RowState(StrEnum):
    NEW = "new"
    CHANGED = "changed"
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


@dataclass(frozen=True, slots=True)
class Preview:
    rows: Sequence[Row] = ()
    problems: Sequence[str] = field(default_factory=tuple)  # of the file as a whole

    def count(self, state: RowState) -> int:
        return sum(row.state == state for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        return {state.value: self.count(state) for state in RowState}

    @property
    def usable(self) -> bool:
        """Whether it can be applied: everything is good, and something changes."""
        changes = self.count(RowState.NEW) + self.count(RowState.CHANGED)
        return not self.problems and not self.count(RowState.WRONG) and changes > 0


# ------------------------------------------------------------------------------------------------ adding and changing
@transaction.atomic
def add_academy(study: Study, data: AcademyData, by: User | None) -> Academy:
    """Put an academy on the list of a study; one that exists gets these details."""
    institution = Institution.objects.filter(name__iexact=data.institution).first()
    if institution is None:
        institution = Institution.objects.create(name=data.institution)
    academy = Academy.objects.filter(institution=institution, name__iexact=data.name).first()
    if academy is None:
        academy = Academy.objects.create(
            institution=institution,
            name=data.name,
            sector=data.sector,
            director_name=data.director_name,
            director_email=data.director_email,
        )
    else:
        change_academy(academy, replace(data, institution=institution.name, name=academy.name), by)
    invitations.list_academy(study, academy, by)
    return academy


@transaction.atomic
def change_academy(academy: Academy, data: AcademyData, by: User | None) -> None:
    """Change an academy's details; a new address of the director gets its own link (corrections.correct_director)."""
    detail = "; ".join(_changes((_("name"), academy.name, data.name), (_("sector"), academy.sector, data.sector)))
    Academy.objects.filter(pk=academy.pk).update(name=data.name, sector=data.sector)
    academy.name, academy.sector = data.name, data.sector
    if detail:
        for invitation in academy.invitations.select_related("study"):
            history.record(invitation.study, "details_changed", academy=academy, by=by, detail=detail)
    corrections.correct_director(academy, data.director_name, data.director_email, by=by)


@transaction.atomic
def add_team(study: Study, academy: Academy, data: TeamData, by: User | None) -> Participation:
    """Put a team on the list of a study; one that exists gets these details."""
    team = Team.objects.filter(academy=academy, name__iexact=data.name, form=data.form).first()
    if team is None:
        team = Team.objects.create(
            academy=academy,
            name=data.name,
            form=data.form,
            leader_name=data.leader_name,
            leader_email=data.leader_email,
        )
    else:
        corrections.correct_leader(team, data.leader_name, data.leader_email, by=by)
    return invitations.list_team(study, team, by)


@transaction.atomic
def change_team(team: Team, data: TeamData, by: User | None) -> None:
    """Change a team's details; a new address of the leader gets its own link (corrections.correct_leader)."""
    detail = "; ".join(_changes((_("name"), team.name, data.name), (_("form of the programme"), team.form, data.form)))
    Team.objects.filter(pk=team.pk).update(name=data.name, form=data.form)
    team.name, team.form = data.name, data.form
    if detail:
        for participation in team.participations.select_related("study"):
            history.record(participation.study, "details_changed", participation=participation, by=by, detail=detail)
    corrections.correct_leader(team, data.leader_name, data.leader_email, by=by)


# ------------------------------------------------------------------------------------------------ from a file
def preview(study: Study, table: list[list[str]]) -> Preview:
    """The dry run: what each row of a table would do. Writes nothing."""
    columns, problems = _columns(table[0])
    if problems:
        return Preview(problems=problems)
    judge = _Judge(study)
    rows = []
    for number, cells in enumerate(table[1:], start=2):
        if any(cells):
            named = {column: cells[at] if at < len(cells) else "" for column, at in columns.items()}
            rows.append(judge.row(number, named))
    if not rows:
        return Preview(problems=[_("The file has a header, but no rows below it.")])
    return Preview(rows=rows)


@transaction.atomic
def apply(study: Study, table: list[list[str]], by: User | None) -> Preview:
    """Do what the dry run showed, all of it or nothing; judged again, since rows may have changed in between.

    Returns:
        The preview that was applied. If it is not ``usable``, nothing was written.
    """
    judged = preview(study, table)
    if not judged.usable:
        return judged
    academies: dict[tuple[str, str], Academy] = {}
    for row in judged.rows:
        if row.academy is None:
            continue
        key = (row.academy.institution.lower(), row.academy.name.lower())
        if key not in academies:
            academies[key] = add_academy(study, row.academy, by)
        if row.team is not None:
            add_team(study, academies[key], row.team, by)
    counts = judged.counts
    detail = f"{counts['new']} + {counts['changed']}"
    history.record(study, "contacts_imported", by=by, detail=detail)
    return judged


def _columns(header: list[str]) -> tuple[dict[str, int], list[str]]:
    names = {name: column for column, names in COLUMNS.items() for name in names}
    found: dict[str, int] = {}
    problems = []
    for at, title in enumerate(header):
        column = names.get(" ".join(title.lower().replace("_", " ").split()))
        if column is None and title:
            problems.append(_("Column “%(title)s” is unknown.") % {"title": title})
        elif column in found:
            problems.append(_("Column “%(title)s” is there twice.") % {"title": title})
        elif column:
            found[column] = at
    for column in COLUMNS.keys() - found.keys() - OPTIONAL:
        problems.append(_("Column “%(title)s” is missing.") % {"title": COLUMNS[column][0]})
    return found, sorted(problems)


class _Judge:
    """Judges rows one after the other, knowing the rows before and what the database holds: four queries in all."""

    def __init__(self, study: Study) -> None:
        academies = Academy.objects.select_related("institution")
        self.academies = {(a.institution.name.lower(), a.name.lower()): a for a in academies}
        teams = Team.objects.select_related("academy__institution")
        self.teams = {
            (t.academy.institution.name.lower(), t.academy.name.lower(), t.name.lower(), t.form): t for t in teams
        }
        self.listed_academies = set(study.invitations.filter(academy__isnull=False).values_list("academy", flat=True))
        self.listed_teams = set(study.participations.values_list("team", flat=True))
        self.seen_academies: dict[tuple[str, str], tuple[int, AcademyData]] = {}
        self.seen_teams: dict[tuple[str, ...], int] = {}

    def row(self, number: int, cells: dict[str, str]) -> Row:
        wrong = list(_wrong_cells(cells))
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
            note = _("Row %(row)s gives other details for this academy.") % {"row": earlier}
            return Row(number, RowState.WRONG, cells, (note,))
        new: list[str] = []
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
        state = RowState.NEW if new else RowState.CHANGED if changed else RowState.UNCHANGED
        return Row(number, state, cells, (*new, *changed), academy, team)

    def _changes_of_academy(self, key: tuple[str, str], data: AcademyData, new: list[str]) -> list[str]:
        academy = self.academies.get(key)
        if academy is None or academy.pk not in self.listed_academies:
            new.append(_("new academy in this study"))
        if academy is None:
            return []
        return _changes(
            (_("sector"), academy.sector, data.sector),
            (_("director"), academy.director_name, data.director_name),
            (_("e-mail address of the director"), academy.director_email.lower(), data.director_email),
        )

    def _changes_of_team(self, key: tuple[str, ...], data: TeamData, new: list[str]) -> list[str]:
        team = self.teams.get((key[0], key[1], key[2], key[3]))
        if team is None or team.pk not in self.listed_teams:
            new.append(_("new team in this study"))
        if team is None:
            return []
        return _changes(
            (_("team leader"), team.leader_name, data.leader_name),
            (_("e-mail address of the team leader"), team.leader_email.lower(), data.leader_email),
        )


def _changes(*pairs: tuple[str, str, str]) -> list[str]:
    return [f"{name}: {old} → {new}" for name, old, new in pairs if old != new]


def _wrong_cells(cells: dict[str, str]) -> list[str]:
    """What is wrong in the cells of one row, in sentences that name the column."""
    wrong = []
    with_team = any(cells.get(column) for column in TEAM_COLUMNS)
    for column, value in cells.items():
        title = COLUMNS[column][0]
        if not value and column not in OPTIONAL and (with_team or column not in TEAM_COLUMNS):
            wrong.append(_("“%(title)s” is empty.") % {"title": title})
        elif any(ord(character) < 32 for character in value):
            wrong.append(_("“%(title)s” holds a line break.") % {"title": title})
        elif value and column.endswith("_email") and not _is_email(value):
            wrong.append(_("“%(title)s” is no e-mail address: %(value)s") % {"title": title, "value": value})
        elif len(value) > (120 if column.endswith("_name") else 160):
            wrong.append(_("“%(title)s” is too long.") % {"title": title})
    if cells["sector"] and cells["sector"].lower() not in SECTOR_WORDS:
        wrong.append(_("Sector “%(value)s” is unknown.") % {"value": cells["sector"]})
    if cells.get("form", "").lower() not in FORM_WORDS:
        wrong.append(_("Form “%(value)s” is unknown.") % {"value": cells["form"]})
    return wrong


def _is_email(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True
