"""The rules of disclosure, each with the smallest case that would leak without it."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import disclosure
from analysis.disclosure import (
    Agreement,
    Capped,
    Group,
    Hold,
    ItemDistribution,
    ItemFigures,
    ItemMean,
    MeanShown,
    NearlyAll,
    Reason,
    ScaleFigures,
    Spread,
    TeamCounts,
    Withheld,
)
from analysis.reports.material import Material

K = 5


def team(key: str, analysed: int, **counts: int | bool) -> Group:
    defaults = {"returned": analysed, "present_and_links": analysed + 3, "approached": analysed + 5}
    return Group(key, (TeamCounts(analysed=analysed, **(defaults | counts)),))


class TestUnits:
    def test_a_team_below_k_is_no_unit(self):
        assert disclosure.judge_group(team("a", 4), K) == Withheld(Reason.TOO_FEW)
        assert disclosure.judge_group(team("a", 5), K) is None

    def test_made_up_answers_do_not_lift_a_team_over_k(self):
        # three teachers present, and the holder of the code added four answers of his own making
        filled = team("a", 7, returned=7, present_and_links=3, accepted_by_researcher=True)
        assert disclosure.judge_group(filled, K) == Withheld(Reason.TOO_FEW)

    def test_more_returned_than_present_waits_for_a_researcher(self):
        counts = {"returned": 13, "present_and_links": 12, "approached": 15}
        assert disclosure.judge_group(team("a", 12, **counts), K) == Withheld(Reason.COUNTS_OPEN)
        assert disclosure.judge_group(team("a", 12, **counts, accepted_by_researcher=True), K) is None

    def test_sibling_teams_together_reach_k(self):
        small = TeamCounts(4, 4, 6, 8)
        assert disclosure.judge_group(Group("u", (small, small)), K) is None

    def test_what_is_in_no_unit_is_in_no_aggregate(self):
        assert [g.key for g in disclosure.units([team("a", 4), team("b", 9)], K)] == ["b"]


class TestHolds:
    """Where n reaches k only by what the leader or one other person supplied, a researcher looks first."""

    def held(self, analysed: int, **counts: int | bool) -> tuple[Hold, ...]:
        return team("a", analysed, **counts).holds(K)[0]

    def test_an_honest_meeting_and_an_honest_online_team_are_not_held(self):
        assert self.held(14, present_and_links=15) == ()
        assert self.held(12, present_and_links=12, unconfirmed_links=0) == ()
        assert self.held(14, present_and_links=15, on_one_device=3) == ()  # the tablet of who has no phone
        assert self.held(12, present_and_links=12, unconfirmed_links=2, not_vouched=2) == ()

    def test_aliases_beside_one_colleague(self):
        counts = {"present_and_links": 6, "not_vouched": 4, "unconfirmed_links": 4}
        assert self.held(5, **counts) == (Hold.UNCONFIRMED,)
        # with links to all colleagues too, of whom one answered, the four may still be the leader
        assert self.held(5, present_and_links=16, not_vouched=4, unconfirmed_links=4) == (Hold.UNCONFIRMED,)
        decided = team("a", 5, **counts, accepted_by_researcher=True)
        assert disclosure.judge_group(decided, K) is None

    def test_an_unknown_number_of_present_holds_and_never_raises_n(self):
        unknown = team("a", 9, present_and_links=0, present_unknown=True)
        assert unknown.n == 0
        assert disclosure.judge_group(unknown, K) == Withheld(Reason.COUNTS_OPEN)
        assert unknown.holds(K) == [(Hold.PRESENT_UNKNOWN,)]
        decided = team("a", 9, present_and_links=0, present_unknown=True, accepted_by_researcher=True)
        assert decided.n == 9
        assert disclosure.judge_group(decided, K) is None
        few = team("a", 4, present_and_links=0, present_unknown=True)
        assert disclosure.judge_group(few, K) == Withheld(Reason.TOO_FEW)

    @pytest.mark.parametrize(
        ("counts", "hold"),
        [
            ({"counted_by_leader": True, "not_vouched": 8}, Hold.COUNTED_BY_LEADER),
            ({"counted_by_stranger": True, "not_vouched": 8}, Hold.COUNTED_BY_STRANGER),
            ({"links_beside_present": 4}, Hold.LINKS_MAKE_UP),
            ({"one_supplier": True}, Hold.ONE_SUPPLIER),
            ({"on_one_device": 5}, Hold.ONE_DEVICE),
        ],
    )
    def test_each_has_its_own_reason(self, counts, hold):
        assert self.held(8, present_and_links=8, **counts) == (hold,)
        assert self.held(8, present_and_links=8, **counts, accepted_by_researcher=True) == ()

    def test_in_a_combination_a_small_team_counts_for_all_that_are_claimed(self):
        honest = TeamCounts(4, 4, 6, 8)
        filled = TeamCounts(3, 3, 3, 8, on_one_device=3)
        assert Group("u", (honest, filled)).holds(K) == [(), (Hold.ONE_DEVICE,)]
        assert disclosure.judge_group(Group("u", (filled,)), K) == Withheld(Reason.TOO_FEW)


class TestAggregates:
    def test_a_benchmark_needs_three_other_units(self):
        three = [team("a", 10), team("b", 10), team("c", 10)]
        assert disclosure.judge_benchmark("a", three) == Withheld(Reason.FEW_TEAMS)
        assert disclosure.judge_benchmark("a", [*three, team("d", 10)]) is None
        assert disclosure.judge_benchmark(None, three) is None

    def test_no_unit_gives_more_than_half(self):
        groups = [team("a", 10), team("b", 10), team("c", 10), team("d", 31)]
        assert disclosure.judge_benchmark("a", groups) == Withheld(Reason.ONE_DOMINATES)
        assert disclosure.judge_benchmark("a", [*groups[:3], team("d", 30)]) is None

    def test_an_academy_of_two_units_is_withheld(self):
        assert disclosure.judge_academy([team("a", 14), team("b", 9)]) == Withheld(Reason.FEW_TEAMS)
        assert disclosure.judge_academy([team("a", 14), team("b", 9), team("c", 6)]) is None

    def test_everyone_is_released_only_if_the_rest_is_none_or_k(self):
        units = [team("a", 14), team("b", 9), team("c", 6)]
        assert disclosure.judge_everyone(units, K) is None
        assert disclosure.judge_everyone([*units, team("d", 4)], K) == Withheld(Reason.REMAINDER)
        assert disclosure.judge_everyone([*units, team("d", 4), team("e", 3)], K) is None


class TestVersions:
    def test_a_correction_of_fewer_than_k_waits(self):
        first = {("team:1", "GV"): "abcdef"}
        assert disclosure.version_conflicts([first], {("team:1", "GV"): "abcde"}, K) == [("team:1", "GV")]
        assert disclosure.version_conflicts([first], {("team:1", "GV"): "abcdef"}, K) == []
        assert disclosure.version_conflicts([first], {("team:1", "GV"): "abcdefghijk"}, K) == []

    def test_each_direction_counts_by_itself(self):
        # six join, one leaves: who left can be read from the two means
        first, second = {("team:1", "GV"): "abcdef"}, {("team:1", "GV"): "bcdefuvwxyz"}
        assert disclosure.version_conflicts([first], second, K) == [("team:1", "GV")]

    def test_groups_of_different_versions_are_held_against_each_other(self):
        # a team published by itself, later combined with its sibling of four
        first = {("team:14", "GV"): "abcdefghijklmn"}
        assert disclosure.version_conflicts([first], {("unit:1", "GV"): "abcdefghijklmnwxyz"}, K) == [("unit:1", "GV")]

    def test_every_earlier_version_counts_not_the_last_only(self):
        versions = [{("t", "GV"): "abcdefg"}, {("t", "GV"): "abcdefghijklm"}]
        assert disclosure.version_conflicts(versions, {("t", "GV"): "abcdefgh" + "ijklmnopqrs"}, K) == []
        assert disclosure.version_conflicts(versions, {("t", "GV"): "bcdefghijklm"}, K) == [("t", "GV")]

    def test_three_units_may_not_leave_a_few_behind(self):
        # any two of the three differ by at least k, but A + B − C is the answer of q
        first, second = {("a", "GV"): "abcdeq"}, {("b", "GV"): "uvwxyq"}
        assert disclosure.version_conflicts([first, second], {("c", "GV"): "abcdeuvwxyq"}, K) == [("c", "GV")]

    def test_of_fewer_than_k_nothing_is_shown(self):
        first = {("a", "GV"): "abcdefgh"}
        assert disclosure.version_conflicts([first], {("a", "GV"): "abc"}, K) == []

    def test_figures_hang_together_through_others(self):
        # the new figure shares nobody with the first, but A + B + C tells of those whom all three leave or share
        versions = [{("a", "GV"): "abcdefgh"}, {("b", "GV"): "ghijklmnop"}]
        assert disclosure.version_conflicts(versions, {("c", "GV"): "klmnopqrstu"}, K) == [("c", "GV")]
        apart = [{("a", "GV"): "abcdefgh"}, {("b", "GV"): "fgh"}]
        assert disclosure.version_conflicts(apart, {("c", "GV"): "klmnopqrstu"}, K) == []

    def test_where_answers_are_gone_no_part_is_cut_out(self):
        # ten were shown together; six of them are shown by themselves now; the answers of the others were deleted
        first, second = {("unit:1", "I1"): "abcdefuvwxy"}, {("team:1", "I1"): "abcdef"}
        kept = {"I1": dict(zip("abcdefuvwxy", (1, 2, 3, 4, 2, 3, 1, 4, 2, 3, 3), strict=True))}
        assert disclosure.version_tells([first], second, kept, 4, K) == []
        left = {"I1": {key: value for key, value in kept["I1"].items() if key in "abcdef"}}
        assert disclosure.version_tells([first], second, left, 4, K) == [("team:1", "I1")]
        assert disclosure.version_tells([first], {("team:1", "I1"): "ghijkl"}, left, 4, K) == []

    def test_people_who_come_in_all_alike_are_told_by_the_difference(self):
        first, second = {("a", "I1"): "abcdef"}, {("a", "I1"): "abcdefghijkl"}
        spread = dict(zip("abcdef", (1, 2, 3, 4, 2, 3), strict=True))
        for answers, tells in (((4, 4, 4, 4, 4, 4), True), ((4, 4, 4, 4, 4, 1), True), ((4, 1, 2, 3, 2, 3), False)):
            values = {"I1": spread | dict(zip("ghijkl", answers, strict=True))}
            assert bool(disclosure.version_tells([first], second, values, 4, K)) is tells


class TestShown:
    def test_means_of_teams_have_one_decimal_and_aggregates_two(self):
        items = [(ItemMean(2.3), False), (ItemMean(2.4), False), (ItemMean(2.4), False)]
        shown = disclosure.show_scale(9, 9, items, Spread(0.5, 400), 4, K)
        assert shown == MeanShown(2.4, 2.0, 2.8)  # 21, 22 and 22 of 9: 2.41
        assert disclosure.show_aggregate([(10, 2.345), (20, 2.5)], 4).mean == 2.45

    def test_fewer_than_k_scores_are_withheld_although_the_team_is_a_unit(self):
        assert disclosure.show_scale(6, 4, [(ItemMean(2.5), False)], None, 4, K) == Withheld(Reason.TOO_FEW)

    def test_a_score_of_caps_says_at_least_and_at_most(self):
        spread = Spread(0.5, 400)
        caps = [(Capped(3.1, upper=True), False), (Capped(3.1, upper=True), False)]
        assert disclosure.show_scale(6, 6, caps, spread, 4, K) == Capped(3.1, upper=True)
        turned = [(cap, True) for cap, _reverse in caps]
        assert disclosure.show_scale(6, 6, turned, spread, 4, K) == Capped(1.9, upper=False)
        mixed = disclosure.show_scale(6, 6, [*caps, (ItemMean(2.5), False)], spread, 4, K)
        assert isinstance(mixed, MeanShown)
        assert mixed.about

    def test_nearly_all_alike_is_about_there_and_never_more_than_can_be(self):
        """Ten of twelve said 4: the two others may have said 1, so that "3.9 or higher" would not be true."""
        spread, items = Spread(0.5, 400), [(NearlyAll(4), False), (NearlyAll(4), False)]
        shown = disclosure.show_scale(12, 12, items, spread, 4, K)
        assert shown == MeanShown(3.9, 3.4, 4.0, about=True)  # as far as ten people, nearly all at 4, leave open

    def test_distributions_from_two_k_only(self):
        nine, ten = ItemFigures((2, 3, 3, 1)), ItemFigures((2, 3, 3, 2))
        assert disclosure.show_item(nine, K) == ItemMean(2.3)
        assert disclosure.show_item(ten, K) == ItemDistribution(2.5, (20, 30, 30, 20))

    @pytest.mark.parametrize("counts", [(0, 0, 12, 0), (0, 1, 11, 0), (1, 0, 10, 1), (0, 0, 10, 2)])
    def test_all_but_two_look_alike(self, counts: tuple[int, ...]):
        assert disclosure.show_item(ItemFigures(counts), K) == NearlyAll(3)

    @pytest.mark.parametrize(
        ("counts", "shown"),
        [
            ((0, 0, 0, 5), Capped(3.0, upper=True)),
            ((0, 1, 3, 1), Capped(3.0, upper=True)),
            ((0, 1, 4, 0), ItemMean(2.8)),
            ((0, 0, 5, 1), Capped(3.1, upper=True)),
            ((0, 0, 6, 0), ItemMean(3.0)),
            ((5, 1, 0, 0), Capped(1.9, upper=False)),
        ],
    )
    def test_a_mean_of_few_is_capped_where_the_rest_would_be_at_the_end(self, counts, shown):
        assert disclosure.show_item(ItemFigures(counts), K) == shown

    def test_where_the_caps_would_meet_an_item_is_withheld(self):
        assert disclosure.show_item(ItemFigures((2, 1)), 3) == Withheld(Reason.TOO_FEW)

    def test_the_spread_is_pooled_rounded_up_and_never_that_of_one_person(self):
        units = [ScaleFigures(101, 2.5, 0.42), ScaleFigures(101, 3.0, 0.48)] * 2
        assert disclosure.pooled_spread(units, 4) == Spread(0.5, 400)  # √.2034 = .451
        assert disclosure.pooled_spread([ScaleFigures(16, 2.5, 0.1)] * 4, 4) == Spread(0.45, 60)  # 3·√(7/360) = .418
        assert disclosure.pooled_spread([ScaleFigures(16, 2.5, 1.4)] * 4, 4) == Spread(1.0, 60)

    def test_over_few_units_the_spread_is_a_convention(self):
        assert disclosure.pooled_spread([ScaleFigures(101, 2.5, 0.4)] * 3, 4) == Spread(0.75, 300, measured=False)
        assert disclosure.pooled_spread([ScaleFigures(9, 2.5, 0.0)] * 4, 4) == Spread(0.75, 32, measured=False)
        assert disclosure.pooled_spread([ScaleFigures(11, 2.5, 1.4)], 4) == Spread(1.05, 10, measured=False)
        assert disclosure.pooled_spread([], 4) is None
        assert disclosure.half_width(5, Spread(0.5, 400), 4) == 0.5
        assert disclosure.half_width(5, Spread(1.65, 4), 4) is None

    def test_agreement_in_words_from_two_k(self):
        apart, near = ItemDistribution(2.5, (50, 0, 0, 50)), ItemDistribution(2.5, (0, 50, 50, 0))
        assert disclosure.show_agreement(10, [near, NearlyAll(3)], 4, K) is Agreement.LARGELY_AGREE
        assert disclosure.show_agreement(10, [near, near], 4, K) is Agreement.SOMEWHAT_DIFFERENT
        assert disclosure.show_agreement(10, [apart, near], 4, K) is Agreement.WIDELY_DIFFERENT
        assert disclosure.show_agreement(9, [ItemMean(2.5)], 4, K) == Withheld(Reason.TOO_FEW)

    @given(st.lists(st.integers(0, 6), min_size=4, max_size=4).filter(lambda c: sum(c) > 0))
    def test_an_item_shows_nothing_below_k_and_no_lone_voice(self, counts: list[int]):
        shown = disclosure.show_item(ItemFigures(tuple(counts)), K)
        n = sum(counts)
        total = sum(value * count for value, count in enumerate(counts, start=1))
        if n < K:
            assert shown == Withheld(Reason.TOO_FEW)
        elif n < 2 * K:
            assert isinstance(shown, ItemMean) is (n + 5 < total < 4 * n - 5)
        else:
            assert isinstance(shown, NearlyAll) is (max(counts) >= n - 2)


def test_rounding_is_half_up():
    assert disclosure.round_half_up(2.25, 1) == 2.3
    assert disclosure.round_half_up(2.675, 2) == 2.68


def test_a_count_that_nobody_made_is_not_told_as_too_many_that_came_back():
    """Also of what was sealed before that was kept apart; and whatever is not known never raises n."""
    nobody = TeamCounts(8, 8, 0, 10, not_counted=True)
    assert nobody.holds(5) == (Hold.PRESENT_UNKNOWN,)
    assert (nobody.n, TeamCounts(8, 8, 0, 10, present_unknown=True, not_counted=True).n) == (0, 0)
    assert TeamCounts(8, 8, 6, 10).holds(5) == (Hold.RETURNED,)


@pytest.mark.parametrize(("n_near", "shown"), [(0, True), (1, False), (2, False), (3, True)])
def test_all_teams_stand_beside_an_academy_only_if_no_team_of_its_sector_is_left_alone(n_near: int, shown: bool):
    """The mean of its sector less the academy's would be the few others'."""

    def unit(key: str, sector: str) -> SimpleNamespace:
        counts = TeamCounts(analysed=10, returned=10, present_and_links=10, approached=10)
        return SimpleNamespace(key=key, sector=sector, group=Group(key, (counts,)), teams=(counts,))

    inside = [unit(f"own{n}", "health") for n in range(4)]
    near = [unit(f"near{n}", "health") for n in range(n_near)]
    far = [unit(f"far{n}", "technology") for n in range(4)]
    units = [*inside, *near, *far]
    material = SimpleNamespace(
        units=units,
        sectors=["health"],
        in_sector=lambda name: [u for u in units if u.sector == name],
        study_shown=SimpleNamespace(withheld=disclosure.judge_study([u.group for u in units])),
    )
    material._around = lambda academy: Material._around(material, academy)
    assert (Material._beside(material, inside) is None) is shown
