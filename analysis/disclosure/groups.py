"""Who may be shown: units of at least k, and comparisons over enough units (rules 1 to 3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

MIN_OTHER_UNITS = 3


class Reason(StrEnum):
    TOO_FEW = "too_few"  # fewer than k behind the figure
    COUNTS_OPEN = "counts_open"  # a researcher has to look at the counts first: `Hold` says why
    FEW_TEAMS = "few_teams"  # a comparison needs at least three other units
    ONE_DOMINATES = "one_dominates"  # one unit gives more than half of the respondents
    REMAINDER = "remainder"  # what is left out is a group smaller than k
    NOT_AGREED = "not_agreed"  # the leader did not agree that the director sees this team by itself
    NOT_MEASURED = "not_measured"  # there is no such figure
    OTHERS_LATER = "others_later"  # a picture of one unit: what others answered comes with the first publication
    NOT_IN_VERSION = "not_in_version"  # the version that is published shows nothing of this unit


@dataclass(frozen=True)
class Withheld:
    reason: Reason


class Hold(StrEnum):
    """Why a team's counts wait for a researcher: what makes n reach k came from the leader or from one other person."""

    RETURNED = "returned"  # more came back than were present or got a link
    PRESENT_UNKNOWN = "present_unknown"  # nobody counted who was in the meeting
    COUNTED_BY_LEADER = "counted_by_leader"  # who must not count did
    COUNTED_BY_STRANGER = "counted_by_stranger"  # nobody knows that the contact person is not the leader
    LINKS_MAKE_UP = "links_make_up"  # in a meeting fewer than k were present, and links make up the rest
    UNCONFIRMED = "unconfirmed"  # addresses that nobody but the leader vouches for
    ONE_SUPPLIER = "one_supplier"  # one person counted those present and supplied the links
    PAPER_BY_LINK = "paper_by_link"  # forms on paper typed by whoever led the meeting make up the rest
    ONE_DEVICE = "one_device"  # many answers were begun on one device


DEVICE_IS_LARGE = 3  # answers begun on one device; two may be somebody who deleted and began again


@dataclass(frozen=True)
class TeamCounts:
    """Counts of one team that decide whether it may stand by itself (rule 1).

    ``present_and_links`` is what everybody together says, ``not_vouched`` the part of it that the leader could have set:
    a number of present of his own, links to addresses that nobody confirmed.
    """

    analysed: int
    returned: int
    present_and_links: int
    approached: int
    accepted_by_researcher: bool = False  # a recorded decision on counts that do not add up
    not_vouched: int = 0
    unconfirmed_links: int = 0
    present_unknown: bool = False
    not_counted: bool = False  # of a meeting nobody said how many were in it: also before that was judged apart
    counted_by_leader: bool = False
    counted_by_stranger: bool = False
    links_beside_present: int | None = None  # of a meeting with links too: how many were present
    one_supplier: bool = False
    paper_by_link: int = 0  # forms on paper that whoever led the meeting typed: one person could have made them all
    on_one_device: int = 0  # the most answers begun on one device; 0 where a shared device was announced

    @property
    def claimed(self) -> int:
        """n if all that was said is right. Who is in an unknown number of present, answers alone say."""
        people = self.returned if self.present_unknown else self.present_and_links
        return min(self.analysed, max(people, self.present_and_links), self.approached)

    @property
    def n(self) -> int:
        """The n compared with k: what the leader cannot set, or after a researcher's decision what is claimed."""
        if self.accepted_by_researcher:
            return self.claimed
        return min(self.analysed, self.present_and_links - self.not_vouched, self.approached)

    @property
    def more_than_people(self) -> bool:
        """More came back than there were people: a researcher looks, whatever the size of the team."""
        return not self.accepted_by_researcher and not self.present_unknown and self.returned > self.present_and_links

    def holds(self, k: int) -> tuple[Hold, ...]:
        """What a researcher has to decide before this team counts for k people, or for all that are claimed if fewer."""
        if self.accepted_by_researcher:
            return ()
        needed = min(k, self.claimed)
        reasons = {
            Hold.RETURNED: self.more_than_people and not self.not_counted,
            Hold.PRESENT_UNKNOWN: self.present_unknown or (self.more_than_people and self.not_counted),
            Hold.COUNTED_BY_LEADER: self.counted_by_leader,
            Hold.COUNTED_BY_STRANGER: self.counted_by_stranger,
            Hold.LINKS_MAKE_UP: self.links_beside_present is not None and self.links_beside_present < needed,
            # nobody can tell who of those with a link answered: at worst all of the others
            Hold.UNCONFIRMED: self.unconfirmed_links > 0
            and min(self.n, self.analysed - self.unconfirmed_links) < needed,
            Hold.ONE_SUPPLIER: self.one_supplier,
            Hold.PAPER_BY_LINK: self.paper_by_link > 0 and self.analysed - self.paper_by_link < needed,
            Hold.ONE_DEVICE: self.on_one_device >= DEVICE_IS_LARGE
            and self.analysed - (self.on_one_device - 1) < needed,
        }
        return tuple(hold for hold, is_so in reasons.items() if is_so)


@dataclass(frozen=True)
class Group:
    """A team, or a recorded combination of sibling teams: its key and its counts."""

    key: str
    teams: tuple[TeamCounts, ...]

    @property
    def n(self) -> int:
        return sum(team.n for team in self.teams)

    @cached_property  # each academy of a study asks it of every unit outside it
    def analysed(self) -> int:
        return sum(team.analysed for team in self.teams)

    def holds(self, k: int) -> list[tuple[Hold, ...]]:
        """Per team what a researcher has to decide; nothing where even all that is claimed is fewer than k."""
        small = sum(team.claimed for team in self.teams) < k
        return [team.holds(k) if team.more_than_people or not small else () for team in self.teams]


def judge_group(group: Group, k: int) -> Withheld | None:
    """Rule 1: None when the group is a unit that may be shown."""
    if any(group.holds(k)):
        return Withheld(Reason.COUNTS_OPEN)
    if group.n < k or group.analysed < k:
        return Withheld(Reason.TOO_FEW)
    return None


def judge_published(group: Group, k: int, released: Collection[str] | None) -> Withheld | None:
    """Whether a group of a publication is shown now; ``released``: the units that it showed, None before it.

    Counts corrected since may close a report. None is opened: a decision on counts shows nothing before the next
    publication has held it against the earlier ones. Nor is a unit without which a version was published.
    """
    withheld = judge_group(group, k)
    if withheld is None and released is not None and group.key not in released:
        return Withheld(Reason.NOT_IN_VERSION)
    return withheld


def units(groups: Iterable[Group], k: int) -> list[Group]:
    """The groups that count as units; what is in no unit is in no aggregate (rule 2)."""
    return [group for group in groups if judge_group(group, k) is None]


def judge_units(together: Sequence[Group], least: int = MIN_OTHER_UNITS) -> Withheld | None:
    """Rule 3: a mean over units tells on none of them from ``least`` units on, if none gives more than half of it."""
    if len(together) < least:
        return Withheld(Reason.FEW_TEAMS)
    counts = [group.analysed for group in together]
    if 2 * max(counts) > sum(counts):
        return Withheld(Reason.ONE_DOMINATES)
    return None


def judge_benchmark(own: str | None, in_benchmark: Sequence[Group]) -> Withheld | None:
    """Rule 3: a comparison is shown to unit ``own`` only with at least 3 other units, none of more than half."""
    return judge_units(in_benchmark, MIN_OTHER_UNITS + any(group.key == own for group in in_benchmark))


def judge_study(in_study: Sequence[Group]) -> Withheld | None:
    """Rule 3 for the report on the whole study: each of its teams reads it, so each needs 3 others."""
    return judge_units(in_study, MIN_OTHER_UNITS + 1)


def sectors_shown(by_sector: Mapping[str, Sequence[Group]]) -> list[str]:
    """Rule 3: the sectors with a mean of their own, so that neither it nor what it leaves of all teams tells on a unit.

    A sector stands by itself, and the mean of all teams beside it: their difference is the mean of the rest. Sectors
    are tried in order of name, so the choice depends on membership only.
    """
    rest = {sector for sector, groups in by_sector.items() if groups}
    shown = []
    for sector in sorted(rest):
        left = [group for other in sorted(rest - {sector}) for group in by_sector[other]]
        if judge_study(by_sector[sector]) is None and (not left or judge_study(left) is None):
            shown.append(sector)
            rest.remove(sector)
    return shown


def judge_academy(in_academy: Sequence[Group], apart: Collection[str] = ()) -> Withheld | None:
    """Rule 3 for a director: the units that are not shown apart (``apart`` are) must be none, or at least 3."""
    if len(in_academy) < 2:
        return Withheld(Reason.FEW_TEAMS)  # one unit is no academy: where its leader agreed, it is shown by itself
    hidden = [group for group in in_academy if group.key not in apart]
    return judge_units(hidden) if hidden else None


def judge_rest(outside: Sequence[Group]) -> Withheld | None:
    """Rule 3: beside a group's mean a larger mean is shown only if what it has more is no unit, or at least 3."""
    return judge_units(outside) if outside else None


def judge_everyone(groups: Sequence[Group], k: int) -> Withheld | None:
    """Rule 2: a figure over all analysed responses is released only if what is in no unit is 0 or at least k."""
    shown = {group.key for group in units(groups, k)}
    left_out = sum(group.analysed for group in groups if group.key not in shown)
    return Withheld(Reason.REMAINDER) if 0 < left_out < k else None
