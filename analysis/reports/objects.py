"""The frozen objects that readers get: web page, talk, PDF and mail show the same one, and nothing else.

A figure that may not be shown has no field here; disclosure/ says what stands in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import chain

from analysis.disclosure import (
    Agreement,
    Capped,
    Difference,
    IfAllHadAnswered,
    ItemDistribution,
    MeanShown,
    Reached,
    ShownItem,
    ShownScale,
    Verdict,
    Withheld,
)
from analysis.reports.quality import Caution, keyed, labelled


class Mark(StrEnum):
    """What a chart of scale means can hold for each scale."""

    OWN = "own"
    INTERVAL = "interval"
    TARGET = "target"
    PREVIOUS = "previous"
    BENCHMARK = "benchmark"
    SECTOR = "sector"


@dataclass(frozen=True)
class Finding:
    """One thing that the report says first, in plain sentences."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class ItemReport:
    code: str
    text: str
    shown: ShownItem
    reverse_keyed: bool = False

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """The marks of its figure."""
        return keyed(self.reverse_keyed)

    @property
    def labelled(self) -> str:
        """The statement with its marks, as it stands beside its figure."""
        return labelled(self.text, self.cautions)


@dataclass(frozen=True)
class LookedBack:
    """One step that a team agreed after the previous wave, and what it said of it when it looked back."""

    words: str
    status: str  # a LookBackStep.Status, or blank
    line: str


@dataclass(frozen=True)
class ScaleReport:
    """One scale of a team. ``closest`` and ``widest`` are codes of items, where distributions are shown.

    ``middle``, ``since``, ``beside_all`` and ``beside_sector`` say how the score lies beside the middle of the scale, the previous
    wave, all teams and the sector; None where there is nothing to compare. ``highest`` and ``lowest``: clearly above, or below,
    every other subject. ``said``: sentences that belong together stand together, what matters most first.
    """

    code: str
    name: str
    meaning: str
    shown: ShownScale
    agreement: Agreement | Withheld
    benchmark: ShownScale
    sector: ShownScale | None
    previous: ShownScale | None
    target: float | None
    agreed: str  # the next steps that the team wrote down after the previous wave
    items: tuple[ItemReport, ...]
    closest: str | None
    widest: str | None
    middle: Verdict | None = None
    since: Difference | None = None
    beside_all: Difference | None = None
    beside_sector: Difference | None = None
    reached: Reached | None = None
    highest: bool = False
    lowest: bool = False
    said: tuple[tuple[str, ...], ...] = ()
    questions: tuple[str, ...] = ()
    looked_back: tuple[LookedBack, ...] = ()  # at what was agreed; empty where the team said nothing of it

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything that is said of it."""
        return tuple(chain.from_iterable(self.said))

    @property
    def has_distributions(self) -> bool:
        """Whether the answers to an item are shown, not only means."""
        return any(isinstance(item.shown, ItemDistribution) for item in self.items)

    def item(self, code: str | None) -> ItemReport | None:
        """The item with this code."""
        return next((item for item in self.items if item.code == code), None)


@dataclass(frozen=True)
class Benchmark:
    """Whose answers a mean over units is made of: "35 of 36 teams, those with at least 5 answers"."""

    n_units: int
    n_teams: int
    n_respondents: int


@dataclass(frozen=True)
class Wave:
    """What every report says of the measurement it rests on."""

    study: str
    wave: int
    simulated: bool
    k: int
    options: tuple[str, ...]
    starts_on: date | None
    ends_on: date | None
    published_at: datetime | None
    language: str

    @property
    def n_points(self) -> int:
        return len(self.options)

    @property
    def midpoint(self) -> float:
        return (1 + self.n_points) / 2


@dataclass(frozen=True)
class Subject:
    """What the questionnaire asked about: a team without results can talk about it all the same."""

    name: str
    meaning: str


@dataclass(frozen=True)
class TeamReport(Wave):
    team: str
    academy: str
    institution: str
    sector: str
    combined_with: tuple[str, ...]
    approached: int
    returned: int
    benchmark: Benchmark | Withheld
    subjects: tuple[Subject, ...]
    scales: tuple[ScaleReport, ...] | Withheld
    findings: tuple[Finding, ...]
    if_all: tuple[str, IfAllHadAnswered] | None = (
        None  # of the first scale with a score: its name, and what it could have been
    )

    @property
    def has_sector(self) -> bool:
        return isinstance(self.scales, tuple) and any(scale.sector is not None for scale in self.scales)

    @property
    def has_previous(self) -> bool:
        return isinstance(self.scales, tuple) and any(
            isinstance(scale.previous, MeanShown | Capped) for scale in self.scales
        )

    @property
    def has_target(self) -> bool:
        return isinstance(self.scales, tuple) and any(scale.target is not None for scale in self.scales)


@dataclass(frozen=True)
class WideItem:
    """One item over several units: the mean of what is shown of each."""

    code: str
    text: str
    mean: float | None
    reverse_keyed: bool = False

    @property
    def labelled(self) -> str:
        """The statement with its marks, as it stands beside its figure."""
        return labelled(self.text, keyed(self.reverse_keyed))


@dataclass(frozen=True)
class WideScale:
    """One scale over several units; ``parts`` are the sectors of a study, in the order of the report's ``sectors``."""

    code: str
    name: str
    meaning: str
    shown: ShownScale
    benchmark: ShownScale | None
    previous: ShownScale | None
    parts: tuple[ShownScale, ...]
    items: tuple[WideItem, ...]
    since: Difference | None = None
    beside_all: Difference | None = None
    highest: bool = False
    lowest: bool = False
    of_fewer: bool = False  # not every unit of the report has a score here
    said: tuple[tuple[str, ...], ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything that is said of it."""
        return tuple(chain.from_iterable(self.said))


@dataclass(frozen=True)
class WideReport(Wave):
    """What a mean over units rests on, and its scales. ``like_these``: its intervals are for teams like these, not for these alone."""

    base: Benchmark
    like_these: bool
    approached: int
    returned: int
    scales: tuple[WideScale, ...] | Withheld
    findings: tuple[Finding, ...]
    questions: tuple[str, ...]

    @property
    def has_previous(self) -> bool:
        return isinstance(self.scales, tuple) and any(isinstance(scale.previous, MeanShown) for scale in self.scales)


@dataclass(frozen=True)
class AcademyReport(WideReport):
    """What a director sees: the academy's scales, and single teams where their leaders agreed.

    ``n_not_shown``: of how many teams it has no results by themselves. Their names are on no page and in no PDF.
    """

    academy: str
    institution: str
    benchmark: Benchmark | Withheld
    teams: tuple[tuple[str, TeamReport | Withheld], ...]
    n_not_shown: int


@dataclass(frozen=True)
class StudyReport(WideReport):
    """The report on the whole study: all units together, and the sectors that may stand by themselves."""

    sectors: tuple[str, ...]
