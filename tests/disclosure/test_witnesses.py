"""For each rule the smallest case that leaks without it, by hand; and the rules that are a second line.

Where the rule is a switch in the real code, it is switched off there; where the design leaves a figure out altogether
(an exact scale mean, a team's own SD), the figure is handed to the attacker as if it had been published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from analysis import disclosure
from analysis.disclosure import Group, ItemDistribution, ItemFigures, ItemMean, TeamCounts
from analysis.publication import versions
from tests.disclosure import histories
from tests.disclosure.attack import first
from tests.disclosure.attacker import Attack
from tests.disclosure.enumeration import Cell, Universe, World, disclosures
from tests.disclosure.facts import Case, Fact, ItemCount, ItemSum, ScoreSum, Spread
from tests.disclosure.people import Answers, Person, Version, Wave
from tests.disclosure.study import publish


def wave(teams: list[list[Answers]], versions: list[set[str]] | None = None, **given: object) -> Wave:
    """Teams of people called "team-person"; without ``versions``, one of everybody."""
    people = tuple(Person(f"{t}-{p}", t, vector) for t, team in enumerate(teams) for p, vector in enumerate(team))
    items = tuple(f"I{number}" for number in range(len(people[0].answers)))
    everybody = {person.key for person in people}
    return replace(
        Wave(
            k=5,
            n_points=4,
            items=items,
            teams=dict.fromkeys(range(len(teams)), 0),
            people=people,
            versions=tuple(Version(frozenset(v), {"S": items}) for v in versions or [everybody]),
        ),
        **given,
    )


def case(people: dict[str, Answers], *facts: Fact, scales: tuple[tuple[str, ...], ...] = (), **given: object) -> Case:
    items = tuple(f"I{number}" for number in range(len(next(iter(people.values())))))
    return replace(Case(5, 4, items, scales, people, facts), **given)


def tells(of: Case) -> bool:
    return any(True for _ in Attack(of).run())


def answered(*values: int) -> list[Answers]:
    return [(value,) for value in values]


def keys(team: int, *people: int) -> set[str]:
    return {f"{team}-{person}" for person in people}


# ---------------------------------------------------------------------------------------------- rule 1: units of k
def test_rule_1_a_team_below_k():
    leak = first([wave([answered(2, 3, 2, 3)], k=4)], k=5)
    assert leak is not None
    assert (leak.kind, len(leak.people)) == ("T1", 4)
    assert first([wave([answered(2, 3, 2, 3)])]) is None


# ---------------------------------------------------------------------------------------------- rule 2: unions of units
def test_rule_2_an_aggregate_with_people_of_no_unit():
    team = {f"a{n}": (v,) for n, v in enumerate((1, 2, 3, 3, 4, 2))}
    two = {"x": (4,), "y": (1,)}
    units = ItemSum(frozenset(team), "I0", Fraction(15), Fraction(15))
    everyone = ItemSum(frozenset(team | two), "I0", Fraction(20), Fraction(20))
    assert tells(case(team | two, units, everyone))
    assert not tells(case(team, units))


# ---------------------------------------------------------------------------------------------- rule 5: versions
def without_rule_5(monkeypatch: pytest.MonkeyPatch, *rules: str) -> None:
    for rule in rules or ("version_conflicts", "version_tells"):
        monkeypatch.setattr(disclosure, rule, lambda *_args: [])


def test_rule_5_a_correction_of_one(monkeypatch: pytest.MonkeyPatch):
    team = wave([answered(1, 3, 2, 4, 3, 2)], [keys(0, 0, 1, 2, 3, 4, 5), keys(0, 0, 1, 2, 3, 4)])
    assert first([team]) is None
    without_rule_5(monkeypatch)
    leak = first([team])
    assert leak is not None
    assert leak.people == ("0-5",)


def test_rule_5_three_units_that_differ_by_k_in_pairs(monkeypatch: pytest.MonkeyPatch):
    # S(A + q) + S(B + q) − S(A + B + q) = q, though any two differ by five people or none
    a, b, q = (1, 3, 2, 4, 3), (2, 3, 1, 4, 2), 3
    members = {"a": keys(0, *range(5)), "b": keys(0, *range(5, 10)), "q": keys(0, 10)}
    team = wave(
        [answered(*a, *b, q)],
        [members["a"] | members["q"], members["b"] | members["q"], members["a"] | members["b"] | members["q"]],
    )

    def in_pairs(earlier, new, k):
        return [
            figure
            for figure, now in new.items()
            for version in earlier
            if 0 < len(now - version[figure]) < k or 0 < len(version[figure] - now) < k
        ]

    assert first([team]) is None
    without_rule_5(monkeypatch, "version_tells")
    monkeypatch.setattr(disclosure, "version_conflicts", in_pairs)
    leak = first([team])
    assert leak is not None
    assert leak.people == ("0-10",)


def test_rule_5_those_who_came_in_answered_alike(monkeypatch: pytest.MonkeyPatch):
    team = wave([answered(1, 3, 2, 4, 3, 2, 4, 4, 4, 4, 4)], [keys(0, *range(6)), keys(0, *range(11))])
    assert first([team]) is None
    without_rule_5(monkeypatch, "version_tells")
    leak = first([team])
    assert leak is not None
    assert leak.low == leak.high == 4


def test_rule_5_enumerated(monkeypatch: pytest.MonkeyPatch):
    universe = Universe("three come in", (Cell(3, versions=(0, 1)), Cell(3, versions=(1,))))
    alone = Universe("one goes", (Cell(4, versions=(0, 1)), Cell(1, versions=(0,))))
    assert not list(disclosures(universe)) + list(disclosures(alone))
    without_rule_5(monkeypatch)
    assert any(True for _ in disclosures(alone))


# ------------------------------------------------------------------------------------ rule 5: after people left, and again
ALFA, BETA, GAMMA = (1, 3, 2, 4, 3, 2), (2, 4, 1, 3), (4, 1, 3, 2, 1, 4)
EVERYONE = keys(0, *range(6)) | keys(1, *range(6)) | keys(2, *range(6))


def history(teams: list[list[Answers]], *versions: dict[str, Any]) -> Wave:
    """A wave whose versions differ from the first as said: ``units``, ``withdrawn``, ``deleted``, ``held``, ``analysed``."""
    made = wave(teams)
    start = made.versions[0]
    return replace(made, versions=tuple(replace(start, **version) for version in versions))


def refused(of: Wave) -> int:
    return len(of.versions) - len(publish(of))


def rebuilt_without(monkeypatch: pytest.MonkeyPatch, *teams: str) -> None:
    """As it was: earlier versions told again from the data there are, without those who withdrew."""
    real = versions.telling_figures

    def without_them(earlier: Sequence[versions.Figures], *rest: Any) -> object:
        left = [{f: frozenset(k for k in of if k[0] not in teams) for f, of in version.items()} for version in earlier]
        return real(left, *rest)

    monkeypatch.setattr(versions, "telling_figures", without_them)


def held_against(monkeypatch: pytest.MonkeyPatch, which: slice) -> None:
    """Held against some of the earlier versions only."""
    real = versions.telling_figures
    monkeypatch.setattr(versions, "telling_figures", lambda earlier, *rest: real(earlier[which], *rest))


def test_rule_5_one_of_a_unit_withdraws(monkeypatch: pytest.MonkeyPatch):
    # ten people as one unit; four withdraw; the sums of the six, taken from those of the ten, are the sums of the four
    alfa_and_beta = history(
        [answered(*ALFA), answered(*BETA)],
        {"units": ((0, 1),)},
        {"units": ((0, 1),), "withdrawn": frozenset({1})},
    )
    assert refused(alfa_and_beta) == 1
    assert first([alfa_and_beta]) is None
    rebuilt_without(monkeypatch, "1")
    leak = first([alfa_and_beta])
    assert leak is not None
    assert set(leak.people) <= keys(1, *range(4))


def test_rule_5_who_withdrew_before_anything_was_shown_is_in_nothing():
    of = history(
        [answered(*ALFA), answered(*BETA)],
        {"units": ((0, 1),), "withdrawn": frozenset({1}), "deleted": frozenset({1})},
        {"withdrawn": frozenset({1}), "deleted": frozenset({1})},
    )
    assert refused(of) == 0
    assert first([of]) is None


def test_rule_5_answers_that_are_gone(monkeypatch: pytest.MonkeyPatch):
    # seven who all answered 4 withdraw, and are deleted: enough people, but their difference tells what each answered
    of = history(
        [answered(*ALFA), answered(4, 4, 4, 4, 4, 4, 4)],
        {"units": ((0, 1),)},
        {"units": ((0, 1),), "withdrawn": frozenset({1}), "deleted": frozenset({1})},
    )
    assert refused(of) == 1
    assert first([of]) is None
    real = disclosure.version_tells

    def what_is_there(earlier: Any, new: Any, answers: Mapping[str, Mapping[str, float]], *rest: Any) -> object:
        known = {measure: dict.fromkeys(EVERYONE | keys(1, 6), 2.0) | dict(given) for measure, given in answers.items()}
        spread = {
            m: {k: float(n % 4 + 1) if k[0] == "1" else v for n, (k, v) in enumerate(sorted(of.items()))}
            for m, of in known.items()
        }
        return real(earlier, new, spread, *rest)

    monkeypatch.setattr(disclosure, "version_tells", what_is_there)
    leak = first([of])
    assert leak is not None
    assert set(leak.people) <= keys(1, *range(7))


def test_rule_5_a_unit_taken_apart(monkeypatch: pytest.MonkeyPatch):
    of = history([answered(*ALFA), answered(*BETA)], {"units": ((0, 1),)}, {})
    assert refused(of) == 1
    assert first([of]) is None
    held_against(monkeypatch, slice(0))
    assert first([of]) is not None


def test_rule_5_teams_combined_anew(monkeypatch: pytest.MonkeyPatch):
    # Alfa + Beta, then Beta + Gamma, then Alfa by itself: four people stand between them
    of = history(
        [answered(*ALFA), answered(*BETA), answered(*GAMMA)],
        {"units": ((0, 1),), "analysed": frozenset(EVERYONE) - keys(2, *range(6))},
        {"units": ((1, 2),), "held": frozenset({0})},
        {"held": frozenset({1, 2})},
    )
    assert refused(of) == 2
    assert first([of]) is None
    held_against(monkeypatch, slice(0))
    leak = first([of])
    assert leak is not None
    assert set(leak.people) <= keys(1, *range(4))


def test_rule_5_a_count_corrected_twice(monkeypatch: pytest.MonkeyPatch):
    # shown, closed by its counts while one person goes, and shown again: held against the first, not the last
    one_less = frozenset(EVERYONE) - keys(0, 5)
    of = history(
        [answered(*ALFA), answered(*GAMMA)],
        {},
        {"analysed": one_less, "held": frozenset({0})},
        {"analysed": one_less},
    )
    assert refused(of) == 1
    assert first([of]) is None
    held_against(monkeypatch, slice(-1, None))
    leak = first([of])
    assert leak is not None
    assert leak.people == ("0-5",)


def test_rule_5_a_decision_undone(monkeypatch: pytest.MonkeyPatch):
    # The scale loses an item, with which one more has a score; then it gets the item back, and who left it empty was set
    # aside. The first step waits too.
    people = [*[(v, 5 - v) for v in ALFA], (3, None)]
    scales = {"S": ("I0", "I1")}
    of = history(
        [people],
        {"scales": scales},
        {"scales": {"S": ("I0",)}},
        {"scales": scales, "analysed": keys(0, *range(6))},
    )
    assert refused(of) == 2
    assert first([of]) is None
    held_against(monkeypatch, slice(0))
    leak = first([of])
    assert leak is not None
    assert leak.people == ("0-6",)


def test_rule_5_another_leader_and_the_same_again():
    of = history([answered(*ALFA), answered(*GAMMA)], {}, {}, {})
    assert refused(of) == 0
    assert first([of]) is None


def test_rule_5_an_early_picture(monkeypatch: pytest.MonkeyPatch):
    # in the meeting five of a team had answered, in the report the sixth is there too
    of = history([answered(*ALFA), answered(*GAMMA)], {"analysed": keys(0, *range(5))}, {})
    assert refused(of) == 1
    assert first([of]) is None
    held_against(monkeypatch, slice(0))
    leak = first([of])
    assert leak is not None
    assert leak.people == ("0-5",)


def test_rule_5_two_at_once(monkeypatch: pytest.MonkeyPatch):
    # each judged before the other was there (tests/analysis/test_versions.py plays it with two threads)
    of = history([answered(*ALFA)], {"analysed": keys(0, *range(5))}, {"analysed": keys(0, *range(1, 6))})
    assert refused(of) == 1
    assert first([of]) is None
    held_against(monkeypatch, slice(0))
    leak = first([of])
    assert leak is not None


def test_rule_5_enumerated_with_withdrawals(monkeypatch: pytest.MonkeyPatch):
    of = Universe(
        "three and two as one unit, then the two withdraw",
        (Cell(3, team=0, versions=(0, 1)), Cell(2, team=1, versions=(0,))),
        units=(((0, 1),), ((0, 1),)),
        withdrawn=(frozenset(), frozenset({1})),
    )
    assert not list(disclosures(of))
    rebuilt_without(monkeypatch, "1")
    assert any(set(disclosure.cells) == {1} for disclosure in disclosures(of))


def test_rule_5_a_refusal_is_told_to_nobody_but_researchers():
    # Whoever withdrew with three others, knows the distribution of all nine, and heard that the five may not be shown alone
    # because of how much alike people answered, knows what the three answered. Of a version that is not there he learns nothing.
    @dataclass(frozen=True)
    class Nine(Universe):
        def worlds(self) -> Iterator[World]:
            like = Counter({1: 2, 2: 2, 3: 2, 4: 3})  # all worlds that show this distribution
            return (w for w in super().worlds() if Counter(v for cell in w for (v,) in cell) == like)

    of = Nine(
        "five and four as one unit, then the four withdraw",
        (Cell(5, team=0, versions=(0, 1)), Cell(4, team=1, versions=(0,))),
        units=(((0, 1),), ((0, 1),)),
        withdrawn=(frozenset(), frozenset({1})),
    )
    assert any(disclosure.insider == (1, (1,)) for disclosure in disclosures(of))
    assert not list(disclosures(replace(of, refusals_known=False)))


# ---------------------------------------------------------------------------------------------- rule 6: what is shown
def test_rule_6_a_distribution_of_five():
    # who answered 3 knows that the others gave 1, 1, 2, 2; one of them is known apart by an answer left empty elsewhere
    people = {"me": (3,), "a": (1,), "b": (1,), "c": (2,), "x": (2,)}
    marks = {"x": "left something empty"}
    everyone = frozenset(people)
    counts = [ItemCount(everyone, "I0", v, Fraction(n), Fraction(n)) for v, n in enumerate((2, 2, 1, 0), start=1)]
    assert tells(case(people, *counts, marks=marks))
    assert not tells(case(people, ItemSum(everyone, "I0", Fraction(5), Fraction(10)), marks=marks))  # "2.0 or lower"


PARTLY = {"a": (2, 3, 2), "b": (3, 3, 3), "c": (1, 2, 3), "d": (4, 2, 3), "e": (2, 1, 2), "x": (3, None, None)}


def test_rule_6_an_exact_scale_mean_beside_the_items():
    # five have a score; the items are of six; what remains is the one answer of x
    everyone, scored = frozenset(PARTLY), frozenset(PARTLY) - {"x"}
    items = [
        ItemSum(everyone, "I0", Fraction(15), Fraction(15)),
        ItemSum(scored, "I1", Fraction(11), Fraction(11)),
        ItemSum(scored, "I2", Fraction(13), Fraction(13)),
    ]
    scale = ("I0", "I1", "I2")
    exact = ScoreSum(scored, scale, Fraction(5 * 235, 100), Fraction(5 * 245, 100))  # 2.4
    assert tells(case(PARTLY, *items, exact, scales=(scale,)))
    assert not tells(case(PARTLY, *items, scales=(scale,)))


def test_rule_6_an_exact_aggregate_uncovers_a_capped_team():
    # "3.0 or higher", but the mean of all to two decimals, less the others' items, is the team's sum
    capped = {f"c{n}": (4,) for n in range(5)}
    others = {f"o{n}": (v,) for n, v in enumerate((1, 2, 3, 4, 2, 3))}
    facts = [
        ItemSum(frozenset(capped), "I0", Fraction(15), Fraction(20)),
        ItemSum(frozenset(others), "I0", Fraction(15), Fraction(15)),
    ]
    aggregate = ItemSum(frozenset(capped | others), "I0", 11 * Fraction("3.175"), 11 * Fraction("3.185"))
    assert tells(case(capped | others, *facts, aggregate))
    assert not tells(case(capped | others, *facts))


ALIKE = {f"p{n}": vector for n, vector in enumerate([(2, 3), (3, 2), (2, 3), (3, 2), (2, 3)])}
SCALE = ("I0", "I1")


def test_rule_6_a_teams_own_interval():
    # all score 2.5: an interval of no width says so of each
    everyone = frozenset(ALIKE)
    items = [ItemSum(everyone, "I0", Fraction(12), Fraction(12)), ItemSum(everyone, "I1", Fraction(13), Fraction(13))]
    own = Spread((everyone,), SCALE, (0.0, 0.01))
    pooled = Spread((everyone,), SCALE, (0.0, 9 * 7 / 6))  # not below what one person can reach
    assert tells(case(ALIKE, *items, own, scales=(SCALE,)))
    assert not tells(case(ALIKE, *items, pooled, scales=(SCALE,)))


def test_rule_6_a_spread_below_what_one_person_can_reach():
    # who scores 1 knows that nearly all of the spread is his own, so that the rest score 2.5
    people = ALIKE | {"me": (1, 1)}
    everyone = frozenset(people)
    items = [ItemSum(everyone, "I0", Fraction(13), Fraction(13)), ItemSum(everyone, "I1", Fraction(14), Fraction(14))]
    squares = 1.5**2 * 5 / 6
    assert tells(case(people, *items, Spread((everyone,), SCALE, (0.0, squares + 0.1)), scales=(SCALE,)))
    floored = Spread((everyone,), SCALE, (0.0, (9 * 7 / 6)))
    assert not tells(case(people, *items, floored, scales=(SCALE,)))


def test_rule_6_a_spread_told_again_after_a_team_came_in():
    first_team = {f"a{n}": v for n, v in enumerate([(1, 1), (4, 4), (2, 2), (3, 3), (2, 3)])}
    before, late = frozenset(first_team), frozenset(ALIKE)
    items = [
        ItemSum(before, "I0", Fraction(12), Fraction(12)),
        ItemSum(before, "I1", Fraction(13), Fraction(13)),
        ItemSum(late, "I0", Fraction(12), Fraction(12)),
        ItemSum(late, "I1", Fraction(13), Fraction(13)),
    ]
    both = first_team | ALIKE
    old, new = Spread((before,), SCALE, (5.0, 5.5)), Spread((before, late), SCALE, (4.5, 5.01))
    assert tells(case(both, *items, old, new, scales=(SCALE,)))
    assert not tells(case(both, *items, old, scales=(SCALE,)))


def test_rule_6_a_measured_spread_of_one_team():
    # found by the attackers: scores as far apart as the items allow; what x, who left an item empty, answered follows
    whole = {f"p{n}": v for n, v in enumerate([(4, 4), (4, 4), (4, 4), (1, 1), (4, 4), (4, 4), (1, 1), (4, 4)])}
    people = whole | {"x": (4, None)}
    scored, everyone = frozenset(whole), frozenset(people)
    items = [ItemSum(everyone, "I0", Fraction(30), Fraction(30)), ItemSum(scored, "I1", Fraction(26), Fraction(26))]
    measured = Spread((scored,), SCALE, (13.0, 14.0))
    assert tells(case(people, *items, measured, scales=(SCALE,)))
    assert not tells(case(people, *items, scales=(SCALE,)))


# ---------------------------------------------------------------------------------------------- rule 7: extremes
def test_rule_7_nearly_all(monkeypatch: pytest.MonkeyPatch):
    team = wave([answered(3, 3, 3, 3, 3, 3, 3, 3, 3, 2)])
    assert first([team]) is None

    def exact_distribution(figures: ItemFigures, k: int) -> object:
        percentages = tuple(round(100 * count / figures.n) for count in figures.counts)
        return ItemDistribution(disclosure.round_half_up(figures.mean, 1), percentages)

    monkeypatch.setattr(disclosure, "show_item", exact_distribution)
    monkeypatch.setattr("tests.disclosure.published.nearly_all_margin", 0)
    leak = first([team])
    assert leak is not None
    assert leak.insider == "0-9", "the one who answered otherwise learns what all the others answered"


def test_rule_7_a_cap_of_one_answer_is_too_little():
    # one at the other end: "3.4" tells him that the four others answered 4; "within 1/n of the end" would not hide it
    people = {"me": (1,), **{f"p{n}": (4,) for n in range(4)}}
    everyone = frozenset(people)
    assert tells(case(people, ItemSum(everyone, "I0", Fraction(17), Fraction(17))))
    assert not tells(case(people, ItemSum(everyone, "I0", Fraction(15), Fraction(20))))


def test_rule_7_caps_enumerated(monkeypatch: pytest.MonkeyPatch):
    universe = Universe("one team of 5", (Cell(5),))
    assert not list(disclosures(universe))
    monkeypatch.setattr(disclosure, "show_item", lambda figures, k: ItemMean(disclosure.round_half_up(figures.mean, 1)))
    assert any(disclosure.kind == "T2" for disclosure in disclosures(universe))


# ---------------------------------------------------------------------------------------------- a second line
def test_rule_3_protects_teams_not_people():
    # the mean of two units, less one's own, is the other team's mean: three others at least, none of more than half
    own, all_two = (10, 2.5), disclosure.show_aggregate([(10, 2.5), (8, 3.1)], 4).mean
    assert (18 * all_two - 10 * own[1]) / 8 == pytest.approx(3.1, abs=0.02)
    counts = [Group(name, (TeamCounts(n, n, n, n),)) for name, n in (("a", 10), ("b", 8))]
    assert disclosure.judge_benchmark("a", counts) is not None


# Rules that the property does not need, since what they hold back follows from what is shown, or is about teams; kept for
# what readers are promised: three other units and none of more than half (rule 3), no pooling of waves (4), agreement in
# words and the rounding of aggregates (6), the cap of a scale mean within 1/n of an end (7), rounded counts (8). That the
# scale means, words and aggregates follow is checked in every history (published.check_that_they_follow).
def test_rule_3_switched_off_tells_nothing_about_people(monkeypatch: pytest.MonkeyPatch):
    for rule in ("judge_benchmark", "judge_academy"):
        monkeypatch.setattr(disclosure, rule, lambda *_args: None)

    @settings(
        max_examples=5,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(histories.histories())
    def none(waves: tuple[Wave, ...]) -> None:
        assert first(waves, most_unions=10, most_insiders=6) is None

    none()
