"""What became of everyone who was asked: dispositions and rates, each by its definition (docs/methods.md).

    approached + not accounted for = analysed + not eligible + screened out + refused + not returned + pending

always holds, for a team and for every group of teams. "Not returned" is what remains; where that would be negative (a code
can yield more answers than teachers were counted) it is 0 and the surplus is "not accounted for". "Pending" is everybody of
a team that the last run did not hold yet: a run stores what its data set held and nothing of other teams.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from functools import cached_property
from operator import attrgetter
from typing import Any

from django.db.models import Sum

from analysis.models import AnalysisRun, ScreeningDecision
from surveys.models import Collection, DayCount
from teams.models import Invitation, Participation, Study


@dataclass(frozen=True, slots=True)
class Dispositions:
    """Counts of persons. :meth:`of_team` makes them from what is known of a team; they add up with ``+``."""

    approached: int = 0
    analysed: int = 0
    not_eligible: int = 0
    screened_out: int = 0
    refused: int = 0
    not_returned: int = 0
    pending: int = 0
    not_accounted_for: int = 0

    @classmethod
    def of_team(
        cls, approached: int, *, analysed: int = 0, not_eligible: int = 0, screened_out: int = 0, refused: int = 0
    ) -> Dispositions:
        """The dispositions of a sealed team; what remains is not returned, or not accounted for where negative."""
        rest = approached - analysed - not_eligible - screened_out - refused
        return cls(approached, analysed, not_eligible, screened_out, refused, max(rest, 0), 0, max(-rest, 0))

    @classmethod
    def added(cls, people: Iterable[Dispositions]) -> Dispositions:
        """The counts of several teams together."""
        return cls(*(sum(column) for column in zip(*map(_COUNTS, people), strict=True)))

    def __add__(self, other: Dispositions) -> Dispositions:
        return Dispositions.added((self, other))

    def corrected(self, approached: int, refused: int) -> Dispositions:
        """The same answers of a sealed team, with other counts of who was asked and who refused."""
        return Dispositions.of_team(
            approached,
            analysed=self.analysed,
            not_eligible=self.not_eligible,
            screened_out=self.screened_out,
            refused=refused,
        )

    @property
    def set_aside(self) -> int:
        """Returned, but not analysed."""
        return self.not_eligible + self.screened_out

    @property
    def returned(self) -> int:
        return self.analysed + self.set_aside

    @property
    def reconciles(self) -> bool:
        """Whether everybody is in exactly one place."""
        placed = self.returned + self.refused + self.not_returned + self.pending
        return self.approached + self.not_accounted_for == placed

    @property
    def return_rate(self) -> float | None:
        """Returned of approached; None without anybody approached."""
        return _rate(self.returned, self.approached)

    @property
    def usable_rate(self) -> float | None:
        """Analysed of approached."""
        return _rate(self.analysed, self.approached)

    @property
    def rr1(self) -> float | None:
        """AAPOR's response rate 1 with a complete interview read as analysed: analysed / (approached - not eligible)."""
        return _rate(self.analysed, self.approached - self.not_eligible)

    def to_dict(self) -> dict[str, int | float | None]:
        """Counts and rates under their names."""
        return {
            **asdict(self),
            "set_aside": self.set_aside,
            "returned": self.returned,
            "return_rate": self.return_rate,
            "usable_rate": self.usable_rate,
            "rr1": self.rr1,
        }


_COUNTS = attrgetter(*(field.name for field in fields(Dispositions)))


@dataclass(frozen=True, slots=True)
class TeamAccount:
    """A team that takes part, what it belongs to, and what became of its teachers."""

    participation: int
    team: str
    academy: str
    institution: str
    sector: str
    mode: str
    people: Dispositions
    opened: bool = False  # its collection is or was open: only then are there counts to correct

    @property
    def accounted_for(self) -> bool:
        """False where more came back than were counted: the team's publication waits for a researcher."""
        return self.people.not_accounted_for == 0


@dataclass(frozen=True)
class Accounts:
    """The accounts of a study. Groups of teams are made by :meth:`by`."""

    academies_invited: int
    academies_participating: int
    academies_declined: int
    teams_invited: int
    teams_participating: int
    teams_declined: int
    teams_withdrawn: int
    declined_reasons: Mapping[str, int]  # of teams, by the code of the reason
    teams: tuple[TeamAccount, ...] = field(repr=False)

    @cached_property
    def total(self) -> Dispositions:
        return Dispositions.added(team.people for team in self.teams)

    @property
    def teams_waiting(self) -> int:
        """Teams that were invited and have not answered: every invited team is in one place."""
        return self.teams_invited - self.teams_participating - self.teams_declined - self.teams_withdrawn

    @property
    def team_participation(self) -> float | None:
        """Teams taking part of teams invited."""
        return _rate(self.teams_participating, self.teams_invited)

    def by(self, group: Callable[[TeamAccount], str]) -> dict[str, Dispositions]:
        """The dispositions of every group, such as ``accounts.by(lambda team: team.sector)``; they add up to the total."""
        groups: dict[str, list[Dispositions]] = {}
        for team in self.teams:
            groups.setdefault(group(team), []).append(team.people)
        return {name: Dispositions.added(people) for name, people in groups.items()}

    def by_academy(self) -> dict[str, Dispositions]:
        return self.by(lambda team: f"{team.institution}: {team.academy}")

    def by_institution(self) -> dict[str, Dispositions]:
        return self.by(lambda team: team.institution)

    def by_sector(self) -> dict[str, Dispositions]:
        return self.by(lambda team: team.sector)

    def by_mode(self) -> dict[str, Dispositions]:
        return self.by(lambda team: team.mode)


def run_counts(study: Study, known: Mapping[int, Dispositions]) -> dict[str, Any]:
    """What a run keeps: who was invited by then, and what became of the people of the teams in its data set.

    A team that it did not read stands nowhere in it, not even as pending: whatever is not read is pending until a run
    has read it, and only :func:`account` knows which teams there are by then.
    """
    accounts, held = account(study, known), _corrected(study, known)
    return {
        "academies_invited": accounts.academies_invited,
        "academies_participating": accounts.academies_participating,
        "academies_declined": accounts.academies_declined,
        "teams_invited": accounts.teams_invited,
        "teams_participating": accounts.teams_participating,
        "teams_declined": accounts.teams_declined,
        "teams_withdrawn": accounts.teams_withdrawn,
        "declined_reasons": dict(accounts.declined_reasons),
        "team_participation": accounts.team_participation,
        "teams_held": len(held),
        **Dispositions.added(held.values()).to_dict(),
        "teams": {str(pk): asdict(people) for pk, people in held.items()},
    }


@dataclass(frozen=True, slots=True)
class Held:
    """What a run's data set held, with corrections of the counts since, and how the study has moved on from it."""

    teams: int
    people: Dispositions
    taking_part: int  # teams that take part now
    not_held: int  # of those, the ones that the run did not read: still open, or sealed since
    withdrawn: int  # teams in the data set that withdrew since

    @property
    def interim(self) -> bool:
        return self.not_held > 0


def held_by(run: AnalysisRun) -> Held:
    """The people in a run's data set, and whether its figures are interim; three queries."""
    known = _known(run)
    study = run.survey.study
    people = _corrected(study, known)
    states = dict(Participation.objects.filter(study=study).values_list("pk", "state"))
    taking_part = {pk for pk, state in states.items() if state == Participation.State.ACCEPTED}
    return Held(
        teams=len(people),
        people=Dispositions.added(people.values()),
        taking_part=len(taking_part),
        not_held=len(taking_part - set(known)),
        withdrawn=sum(states.get(pk) == Participation.State.WITHDRAWN for pk in known),
    )


def _known(run: AnalysisRun) -> dict[int, Dispositions]:
    """What became of the people of each team in a run's data set, as they were counted then."""
    stored = AnalysisRun.objects.values_list("counts__teams", flat=True).get(pk=run.pk) or {}
    return {int(pk): Dispositions(**people) for pk, people in stored.items()}


def _corrected(study: Study, known: Mapping[int, Dispositions]) -> dict[int, Dispositions]:
    """The teams of a data set, with how many were approached and refused as the collections have it now."""
    collections = Collection.objects.filter(survey__study=study).values_list(
        "participation_id", "approached", "refused"
    )
    counted = {pk: (approached or 0, refused or 0) for pk, approached, refused in collections if pk in known}
    return {pk: people.corrected(*counted.get(pk, (people.approached, people.refused))) for pk, people in known.items()}


def accounts(study: Study, run: AnalysisRun | None = None) -> Accounts:
    """The accounts of a study by its last finished run, or by ``run``; without one every team is pending."""
    if run is None:
        run = AnalysisRun.objects.done_of(study.pk).defer("counts").first()
    return account(study, _known(run) if run else {})


@dataclass(frozen=True, slots=True)
class _Row:
    """What the accounts need of a team in a study, read as plain columns: there may be thousands."""

    participation: int
    state: str
    mode: str
    approached: int | None
    team: str
    academy_id: int
    academy: str
    sector: str
    institution: str
    collection: int | None
    collection_mode: str | None
    collection_approached: int | None
    refused: int | None


_COLUMNS = (
    "pk",
    "state",
    "mode",
    "approached",
    "team__name",
    "team__academy_id",
    "team__academy__name",
    "team__academy__sector",
    "team__academy__institution__name",
    "collection__pk",
    "collection__mode",
    "collection__approached",
    "collection__refused",
)


def account(study: Study, known: Mapping[int, Dispositions]) -> Accounts:
    """Join what is known of each sealed team (by participation) with who was invited; two queries.

    The numbers approached and refused are the collection's; a correction of them since the run shows at once.
    """
    participations = Participation.objects.filter(study=study).order_by("pk").values_list(*_COLUMNS)
    rows = [_Row(*columns) for columns in participations]
    invitations = list(
        Invitation.objects.filter(study=study).order_by("pk").values_list("academy_id", "state", "reason")
    )
    states = {academy: state for academy, state, _ in invitations if academy is not None}
    asked = {pk for pk, state in states.items() if state != Invitation.State.LISTED}
    invited = [row for row in rows if _was_invited(row.state, row.academy_id, asked)]
    taking_part = [row for row in rows if row.state == Participation.State.ACCEPTED]
    academies_declined = {pk for pk, state in states.items() if state == Invitation.State.DECLINED}
    declined = {
        row.participation
        for row in invited
        if row.state == Participation.State.DECLINED or row.academy_id in academies_declined
    }
    withdrawn = {row.participation for row in invited if row.state == Participation.State.WITHDRAWN} - declined
    return Accounts(
        academies_invited=len(asked | {row.academy_id for row in invited}),
        academies_participating=len({row.academy_id for row in taking_part}),
        academies_declined=len(academies_declined),
        teams_invited=len(invited),
        teams_participating=len(taking_part),
        teams_declined=len(declined),
        teams_withdrawn=len(withdrawn),
        declined_reasons=_count(
            reason for academy, state, reason in invitations if academy is None and state == Invitation.State.DECLINED
        ),
        teams=tuple(_team_account(row, known.get(row.participation)) for row in taking_part),
    )


def _was_invited(state: str, academy: int, asked: AbstractSet[int]) -> bool:
    """A team is invited by itself, or through its director."""
    return state != Participation.State.LISTED or academy in asked


def invited_teams(study: Study) -> frozenset[int]:
    """The teams (by participation) that were invited to a study; two queries."""
    directors = Invitation.objects.filter(study=study, academy__isnull=False).exclude(state=Invitation.State.LISTED)
    asked = set(directors.values_list("academy_id", flat=True))
    teams = Participation.objects.filter(study=study).values_list("pk", "state", "team__academy_id")
    return frozenset(pk for pk, state, academy in teams if _was_invited(state, academy, asked))


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _team_account(row: _Row, people: Dispositions | None) -> TeamAccount:
    opened = row.collection is not None
    approached = (row.collection_approached if opened else row.approached) or 0
    refused = row.refused or 0
    if people is None:
        people = Dispositions(approached=approached, refused=refused, pending=approached - refused)
    else:
        people = people.corrected(approached, refused)
    return TeamAccount(
        participation=row.participation,
        team=row.team,
        academy=row.academy,
        institution=row.institution,
        sector=row.sector,
        mode=row.collection_mode or row.mode,
        people=people,
        opened=opened,
    )


def submitted_per_day(study: Study) -> list[tuple[date, int]]:
    """How many questionnaires of the study were handed in on each day, by day; days without any are left out."""
    days = DayCount.objects.filter(collection__survey__study=study)
    return list(days.values("day").annotate(total=Sum("n")).order_by("day").values_list("day", "total"))


def tally(approached: Mapping[int, int], rows: Iterable[tuple[int, str]]) -> dict[int, Dispositions]:
    """Count the returned rows of each sealed team: ``approached`` by participation, ``rows`` of (participation, rule).

    The rule is "" for who is analysed, else the code of the rule that set the row aside.
    """
    counts: dict[int, dict[str, int]] = {participation: {} for participation in approached}
    for participation, rule in rows:
        counts[participation][rule] = counts[participation].get(rule, 0) + 1
    eligible = ScreeningDecision.Rule.NOT_ELIGIBLE
    return {
        participation: Dispositions.of_team(
            approached[participation],
            analysed=by_rule.get("", 0),
            not_eligible=by_rule.get(eligible, 0),
            screened_out=sum(n for rule, n in by_rule.items() if rule not in ("", eligible)),
        )
        for participation, by_rule in counts.items()
    }


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None
