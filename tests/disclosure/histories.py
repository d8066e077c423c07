"""Histories made by hypothesis: hierarchies, waves, answers left empty, and everything that happens between publications."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from tests.disclosure.people import Person, Version, Wave

ITEMS = ("A1", "A2", "A3", "B1", "B2")
SCALES = {"A": ("A1", "A2", "A3"), "B": ("B1", "B2")}
#: a team is made of people of these kinds: leaning to one answer, all alike, at one end, anything
LEANINGS = ((1, 2, 3, 4), (2, 3), (3, 3, 3, 4), (4, 4, 4, 3), (1, 1, 2), (3,), (4,), (1, 4))


@st.composite
def answers(draw: st.DrawFn, leaning: tuple[int, ...], gaps: bool) -> tuple[int | None, ...]:
    given: list[int | None] = [draw(st.sampled_from(leaning)) for _ in ITEMS]
    if gaps and draw(st.integers(0, 3)) == 0:
        for column in draw(st.sets(st.integers(0, len(ITEMS) - 1), min_size=1, max_size=3)):
            given[column] = None
    return tuple(given)


@st.composite
def teams_of_people(draw: st.DrawFn) -> tuple[dict[int, int], tuple[Person, ...]]:
    """2–6 teams in 1–2 academies; a few people answer unlike the rest."""
    large = draw(st.integers(0, 7)) == 0  # enough people for a measured spread
    n_teams = draw(st.integers(5, 6) if large else st.integers(2, 5))
    sizes = (9, 10, 11, 12) if large else (2, 4, 5, 5, 6, 7, 9, 10, 11, 12)
    gaps = draw(st.booleans())
    teams, people = {}, []
    for team in range(n_teams):
        teams[team] = draw(st.integers(0, 1))
        leaning = draw(st.sampled_from(LEANINGS))
        size = draw(st.sampled_from(sizes))
        for person in range(size):
            own = leaning if draw(st.integers(0, 5)) else (1, 2, 3, 4)
            people.append(Person(f"{team}-{person}", team, draw(answers(own, gaps))))
    return teams, tuple(people)


#: what happens between two publications
CHANGES = (
    *("late", "corrected", "rescored", "undone", "merged", "screened"),
    *("withdrawn", "withdrawn", "deleted", "separated", "recombined", "held", "accepted", "again"),
)


@st.composite
def waves(draw: st.DrawFn) -> Wave:
    """One wave with one to four versions, and what happens between them in any order.

    Late answers, corrections, re-screenings and re-scorings; teams that withdraw, before the first version or after one, with
    their answers or without; combinations taken apart and made anew; counts that close a report and decisions that open
    it; decisions undone; the same published again (a leader changed, nobody else did). What is refused may be published
    without the units that can never stand beside what was shown. Of two made at the same moment the
    second starts from what was there before the first. Between and before them teams see themselves in their own meeting: early
    pictures, in any order, from the first of which on combinations stay as they are.
    """
    teams, people = draw(teams_of_people())
    everyone = frozenset(p.key for p in people)
    version = Version(everyone, dict(SCALES), draw(combined(teams)))
    if draw(st.booleans()):
        version = draw(early(version, teams, people))
    if draw(st.integers(0, 5)) == 0:  # before anything was published: the answers are deleted
        gone = frozenset({draw(st.sampled_from(sorted(teams)))})
        version = replace(version, withdrawn=gone, deleted=gone)
    mirror = draw(st.integers(0, 2)) == 0
    versions = [*draw(pictures(version, teams)), version] if mirror else [version]
    before = version
    for _number in range(draw(st.sampled_from((0, 0, 1, 2, 3)))):
        at_once = draw(st.integers(0, 5)) == 0
        following = draw(changed(before if at_once else version, teams, people))
        following = replace(following, leaves_out=draw(st.sampled_from(("", "named", "all"))))
        if any(version.picture for version in versions):
            following = replace(following, units=version.units)
        before, version = version, following
        versions += [*draw(pictures(version, teams)), version] if mirror else [version]
    reverse = frozenset({"A3"}) if draw(st.booleans()) else frozenset()
    return Wave(5, 4, ITEMS, teams, people, tuple(versions), reverse)


@st.composite
def pictures(draw: st.DrawFn, version: Version, teams: dict[int, int]) -> list[Version]:
    """Early pictures of some units, of whoever was sealed by then."""
    combined_ones = {team for unit in version.units for team in unit}
    units = [*version.units, *((team,) for team in teams if team not in combined_ones)]
    seen = draw(st.lists(st.sampled_from(units), max_size=3, unique=True))
    return [replace(version, scales=dict(SCALES), picture=unit, leaves_out="") for unit in seen]


@st.composite
def early(draw: st.DrawFn, version: Version, teams: dict[int, int], people: tuple[Person, ...]) -> Version:
    """Without one team or all but one, or without a part of a team: they are still to come."""
    late = draw(st.sets(st.sampled_from(sorted(teams)), max_size=1))
    if draw(st.integers(0, 3)) == 0:
        late = set(teams) - {draw(st.sampled_from(sorted(teams)))}
    analysed = frozenset(p.key for p in people if p.team not in late)
    if draw(st.booleans()):
        team = draw(st.sampled_from(sorted(teams)))
        members = [p.key for p in people if p.team == team]
        analysed -= set(members[: draw(st.integers(0, len(members)))])
    return replace(version, analysed=analysed)


@st.composite
def changed(draw: st.DrawFn, version: Version, teams: dict[int, int], people: tuple[Person, ...]) -> Version:
    """What the next publication rests on."""
    change = draw(st.sampled_from(CHANGES))
    if change == "late":
        return replace(version, analysed=frozenset(p.key for p in people))
    if change == "corrected":
        team = draw(st.sampled_from(sorted(teams)))
        members = [p.key for p in people if p.team == team]
        return replace(version, analysed=version.analysed ^ frozenset(members[: draw(st.integers(1, len(members)))]))
    if change == "screened":
        column = draw(st.integers(0, len(ITEMS) - 1))
        return replace(version, analysed=version.analysed - {p.key for p in people if p.answers[column] is None})
    if change == "rescored":
        dropped = draw(st.sampled_from(ITEMS[:3]))
        items = tuple(item for item in version.scales["A"] if item != dropped)
        return replace(version, scales={**version.scales, "A": items}) if items else version
    if change == "merged":
        return replace(version, scales={"A": ITEMS})
    if change == "undone":
        return replace(version, scales=dict(SCALES))
    if change in ("withdrawn", "deleted"):
        gone = version.withdrawn | {draw(st.sampled_from(sorted(teams)))}
        return replace(version, withdrawn=gone, deleted=gone if change == "deleted" else version.deleted)
    if change == "separated":
        return replace(version, units=())
    if change == "recombined":
        return replace(version, units=draw(combined(teams)))
    if change == "held":
        return replace(version, held=frozenset({draw(st.sampled_from(sorted(teams)))}))
    if change == "accepted":
        return replace(version, held=frozenset())
    return version


@st.composite
def histories(draw: st.DrawFn) -> tuple[Wave, ...]:
    """One measurement, or two of the same teams: the second shows the first beside it."""
    first = draw(waves())
    if draw(st.integers(0, 4)):
        return (first,)
    second = draw(waves())
    academies = {team: first.teams.get(team, owner) for team, owner in second.teams.items()}

    def of_one_academy(version: Version) -> Version:
        return replace(version, units=tuple(u for u in version.units if len({academies[team] for team in u}) == 1))

    return first, replace(
        second, teams=academies, versions=tuple(of_one_academy(version) for version in second.versions)
    )


@st.composite
def combined(draw: st.DrawFn, teams: dict[int, int]) -> tuple[tuple[int, ...], ...]:
    """No unit, or one of two sibling teams."""
    for academy in sorted(set(teams.values())):
        siblings = [team for team, owner in teams.items() if owner == academy]
        if len(siblings) > 1 and draw(st.integers(0, 2)) == 0:
            first = draw(st.integers(0, len(siblings) - 2))
            return (tuple(siblings[first : first + 2]),)
    return ()
