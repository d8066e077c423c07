"""The accounts as tables: by team, academy, institution, sector, way of collecting or wave, on the page and in files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_lazy as _

from analysis.data.accounting import Accounts, Dispositions, TeamAccount, accounts
from surveys.questionnaires.xlsform_writing import escaped
from teams.access import studies_of
from teams.files.tables import Cell, held, neutralised
from teams.models import Participation, Sector, Study, User

GROUPS = {
    "institution": _("Institution"),
    "academy": _("Academy"),
    "sector": _("Sector"),
    "mode": _("Way of collecting"),
    "team": _("Team"),
    "wave": _("Wave"),
}
COUNTS = (
    "approached",
    "returned",
    "analysed",
    "set_aside",
    "not_eligible",
    "screened_out",
    "refused",
    "not_returned",
    "pending",
    "not_accounted_for",
)
RATES = ("return_rate", "usable_rate", "rr1")
COLUMNS = ("level", "name", "academy", "institution", "teams", *COUNTS, *RATES)


@dataclass(frozen=True, slots=True)
class Row:
    """One group of teams, or one team: then with what it belongs to."""

    name: str
    teams: int
    people: Dispositions
    academy: str = ""
    institution: str = ""
    team: TeamAccount | None = None


def waves_of(study: Study, user: User) -> list[tuple[Study, Accounts]]:
    """The accounts of the waves before this one, the last first, as far as the user may see them."""
    allowed = set(studies_of(user).values_list("pk", flat=True))
    waves, previous = [], study.previous
    while previous is not None and previous.pk in allowed:
        waves.append((previous, accounts(previous)))
        previous = previous.previous
    return waves


def rows(accounts: Accounts, group: str, study: Study, waves: Sequence[tuple[Study, Accounts]] = ()) -> list[Row]:
    """One row per group; together they are the study, but for ``wave``: there the waves before stand beside it."""
    match group:
        case "team":
            return [Row(team.team, 1, team.people, team.academy, team.institution, team) for team in accounts.teams]
        case "wave":
            every = [(study, accounts), *waves]
            return [
                Row(f"{wave_study.wave}: {wave_study.title}", len(wave_accounts.teams), wave_accounts.total)
                for wave_study, wave_accounts in every
            ]
        case "academy":
            # two academies of one name in two institutions are two
            keys = [(team, (team.institution, team.academy)) for team in accounts.teams]
            groups = _grouped(keys)
            return [Row(key[1], n, people, institution=key[0]) for key, (n, people) in groups.items()]
    words: dict[str, str] = {}
    if group == "sector":
        words = {value: str(label) for value, label in Sector.choices}
    elif group == "mode":
        words = {value: str(label) for value, label in Participation.Mode.choices}
    groups = _grouped([(team, (str(getattr(team, group)),)) for team in accounts.teams])
    return [Row(words.get(key[0], key[0]), n, people) for key, (n, people) in groups.items()]


def _grouped(
    keys: Iterable[tuple[TeamAccount, tuple[str, ...]]],
) -> dict[tuple[str, ...], tuple[int, Dispositions]]:
    groups: dict[tuple[str, ...], list[Dispositions]] = {}
    for team, key in keys:
        groups.setdefault(key, []).append(team.people)
    return {key: (len(people), Dispositions.added(people)) for key, people in sorted(groups.items())}


def export_rows(
    accounts: Accounts, study: Study, waves: Sequence[tuple[Study, Accounts]] = ()
) -> Iterator[Sequence[Cell]]:
    """Every level under one another, the study first; rates as numbers between 0 and 1."""
    yield COLUMNS
    yield ("study", study.title, "", "", len(accounts.teams), *_figures(accounts.total))
    for level in GROUPS:
        if level == "wave" and not waves:
            continue
        for row in rows(accounts, level, study, waves):
            yield (level, row.name, row.academy, row.institution, row.teams, *_figures(row.people))


def _figures(people: Dispositions) -> list[Cell]:
    return [*(getattr(people, name) for name in COUNTS), *(getattr(people, name) for name in RATES)]


def invitation_rows(accounts: Accounts) -> Iterator[Sequence[Cell]]:
    """What became of the academies and teams that were invited."""
    yield ("what", "n")
    yield ("academies_invited", accounts.academies_invited)
    yield ("academies_participating", accounts.academies_participating)
    yield ("academies_declined", accounts.academies_declined)
    yield ("teams_invited", accounts.teams_invited)
    yield ("teams_participating", accounts.teams_participating)
    yield ("teams_declined", accounts.teams_declined)
    yield ("teams_withdrawn", accounts.teams_withdrawn)
    yield ("teams_waiting", accounts.teams_waiting)
    for reason, n in accounts.declined_reasons.items():
        yield (f"declined_{reason}", n)


def workbook(sheets: Iterable[tuple[str, Iterable[Sequence[Cell]]]]) -> bytes:
    """An XLSX file; texts that begin like a formula are neutralised, numbers stay numbers."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    for title, lines in sheets:
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append([_cell(cell) for cell in line])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _cell(value: Cell) -> Cell:
    return neutralised(escaped(held(value))) if isinstance(value, str) else value


def day_rows(days: Iterable[tuple[date, int]]) -> Iterator[Sequence[Cell]]:
    """Handed in per day and altogether."""
    total = 0
    yield ("day", "n", "total")
    for day, n in days:
        total += n
        yield (day.isoformat(), n, total)
