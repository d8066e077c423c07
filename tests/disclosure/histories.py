"""Histories made by hypothesis: hierarchies, waves, combined teams, late corrections, re-scorings, answers left empty."""

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


@st.composite
def waves(draw: st.DrawFn) -> Wave:
    """One wave with one to three versions: late answers, corrections, re-screenings and re-scorings in any order."""
    teams, people = draw(teams_of_people())
    units = draw(combined(teams))
    everyone = [p.key for p in people]
    versions = []
    analysed, scales = frozenset(everyone), dict(SCALES)
    for number in range(draw(st.sampled_from((1, 1, 2, 3)))):
        change = draw(st.sampled_from(("late", "corrected", "rescored", "merged", "screened"))) if number else "first"
        if change == "first" and draw(st.booleans()):
            late = draw(st.sets(st.sampled_from(sorted(teams)), max_size=1))
            analysed = frozenset(p.key for p in people if p.team not in late)
            if draw(st.booleans()):  # part of a team is still to come
                team = draw(st.sampled_from(sorted(teams)))
                members = [p.key for p in people if p.team == team]
                analysed -= set(members[: draw(st.integers(0, len(members)))])
        elif change == "late":
            analysed = frozenset(everyone)
        elif change == "corrected":
            team = draw(st.sampled_from(sorted(teams)))
            members = [p.key for p in people if p.team == team]
            analysed = analysed ^ frozenset(members[: draw(st.integers(1, len(members)))])
        elif change == "screened":
            column = draw(st.integers(0, len(ITEMS) - 1))
            analysed = analysed - {p.key for p in people if p.answers[column] is None}
        elif change == "rescored":
            dropped = draw(st.sampled_from(ITEMS[:3]))
            scales = scales | {"A": tuple(item for item in scales["A"] if item != dropped)}
        elif change == "merged":
            scales = {"A": ITEMS}
        versions.append(Version(analysed, scales, units))
    reverse = frozenset({"A3"}) if draw(st.booleans()) else frozenset()
    return Wave(5, 4, ITEMS, teams, people, tuple(versions), reverse)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Wave, ...]:
    """One measurement, or two of the same teams: the second shows the first beside it."""
    first = draw(waves())
    if draw(st.integers(0, 4)):
        return (first,)
    second = draw(waves())
    academies = {team: first.teams.get(team, owner) for team, owner in second.teams.items()}
    units = tuple(unit for unit in second.versions[0].units if len({academies[team] for team in unit}) == 1)
    return first, replace(
        second, teams=academies, versions=tuple(replace(version, units=units) for version in second.versions)
    )


@st.composite
def combined(draw: st.DrawFn, teams: dict[int, int]) -> tuple[tuple[int, ...], ...]:
    """No unit, or one of two sibling teams."""
    for academy in sorted(set(teams.values())):
        siblings = [team for team, owner in teams.items() if owner == academy]
        if len(siblings) > 1 and draw(st.integers(0, 2)) == 0:
            return (tuple(siblings[:2]),)
    return ()
