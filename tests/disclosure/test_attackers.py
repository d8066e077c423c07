"""The property of docs/data-protection.md (What readers see), attacked: 200 histories by integer programs, small universes by enumeration.

`make prove-disclosure` does the same with 10,000 histories, each respondent as insider and every universe listed, and keeps
what came of it.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from analysis.disclosure import Withheld
from analysis.reports.groups import load_groups
from analysis.reports.material import read_material
from analysis.reports.team import render_team
from analysis.runs.execution import execute, request_run
from surveys.models import Survey
from tests.analysis.builders import ITEMS, answers, make_study, make_team, seal
from tests.disclosure import prove
from tests.disclosure.attack import first
from tests.disclosure.attacker import Program
from tests.disclosure.enumeration import UNIVERSES, Cell, Universe, World, classes, disclosures
from tests.disclosure.facts import Case, ItemSum
from tests.disclosure.histories import histories
from tests.disclosure.people import Person, Version, Wave
from tests.disclosure.published import cases_of
from tests.disclosure.study import publish

FULL = "six, then twelve"
WITHDRAWALS = (
    "3 and 3 as one unit, then the 3 withdraw",
    "4 and 3 as one unit, then the 3 withdraw, their answers deleted",
)


@settings(
    max_examples=200,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(histories())
def test_no_history_discloses(waves: tuple[Wave, ...]):
    assert first(waves, most_unions=10, most_insiders=6) is None


@pytest.mark.parametrize("leaves_out", ["", "named", "all"])
def test_what_is_refused_is_published_without_the_rest_that_stands_in_its_way(leaves_out: Literal["", "named", "all"]):
    """So the histories do hold versions that leave a unit out, judged by the code that publishes."""
    people = tuple(Person(f"{team}-{n}", team, (1 + n % 4, 1 + n % 3)) for team in range(4) for n in range(8))
    whole = Version(frozenset(p.key for p in people), {"A": ("A1", "A2")})
    corrected = replace(whole, analysed=whole.analysed - {"0-0"}, leaves_out=leaves_out)
    wave = Wave(5, 4, ("A1", "A2"), dict.fromkeys(range(4), 0), people, (whole, corrected))
    published = publish(wave)
    assert len(published) == (2 if leaves_out else 1)
    for later in published[1:]:
        assert {unit.key for unit in later.material.units if unit.key in (later.material.released or ())} == {
            f"team:{n}" for n in (1, 2, 3)
        }
        closed = [report.team for report in later.teams if isinstance(report.scales, Withheld)]
        assert closed == ["0"]
    assert first((wave,)) is None


@pytest.mark.parametrize(
    "universe",
    [
        universe
        for universe in UNIVERSES
        if universe.name in (FULL, *WITHDRAWALS)
        or universe.name.startswith("one team")
        or (universe.pictures and len(universe.cells) == 2)
    ],
    ids=lambda universe: universe.name,
)
def test_no_universe_discloses(universe: Universe):
    assert not list(disclosures(universe))


@pytest.mark.parametrize(
    "universe",
    [
        Universe("five", (Cell(5),)),
        Universe("a team and a late one", (Cell(5, team=0, versions=(0, 1)), Cell(3, team=1, versions=(1,)))),
        Universe("two items", (Cell(5, answered=(0, 1)), Cell(1)), 2, ("I", "J")),
    ],
    ids=lambda universe: universe.name,
)
def test_the_programs_range_contains_the_enumerated_one(universe: Universe):
    """The integer programs know less than the code tells, never more: their worlds include all that look alike."""
    for worlds in sorted(classes(universe), key=len)[-12:]:
        wave = universe.wave(worlds[0])
        for case in cases_of(wave, publish(wave)):
            cells = [[key for key in case.people if key.startswith(f"{n}-")] for n in range(len(universe.cells))]
            program = Program(case, [cell for cell in cells if cell], None)
            for cell in program.cells:
                for item in case.answered(cell[0], case.items):
                    low, high = program.extremes(program.mean(cell, (item,)))
                    means = [cell_mean(world, int(cell[0].split("-")[0]), case.items.index(item)) for world in worlds]
                    assert low - 1e-6 <= min(means)
                    assert max(means) <= high + 1e-6


def test_what_came_of_a_proof_is_kept_and_left_out_the_next_time(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(prove, "KEPT", tmp_path / "proofs" / "disclosure.csv")
    tried: list[tuple[list[int], list[int]]] = []

    def outcomes(ranges: list[int], universes: list[int], _processes: int, _seconds: float, code: str):
        tried.append((ranges, universes))
        for number in ranges[:2]:  # the time is over
            failed = [] if number == 0 else ["a disclosure"]
            first, last = prove.CHUNK * number, prove.CHUNK * number + 99
            yield prove.Outcome("histories", first, last, "abc", code, published=7, disclosures=len(failed)), failed

    monkeypatch.setattr(prove, "outcomes", outcomes)
    monkeypatch.setattr("sys.argv", ["prove", "--histories", "300"])
    assert prove.main() == 1
    assert prove.main() == 1
    everything = list(range(len(UNIVERSES)))
    assert tried == [([0, 1, 2], everything), ([1, 2], everything)], "what was clean is left out, what failed is not"
    assert [outcome.disclosures for outcome in prove.kept()] == [0, 1, 1, 1]
    monkeypatch.setattr(prove, "code_that_decides", lambda: "another")
    assert prove.main() == 1
    assert tried[-1][0] == [0, 1, 2], "another code is another proof"
    assert "200 histories (14 versions published" in capsys.readouterr().out


def cell_mean(world: World, cell: int, item: int) -> Fraction:
    values = [vector[item] for vector in world[cell]]
    return Fraction(sum(value for value in values if value is not None), len(values))


def test_a_fact_that_the_true_answers_deny_fails_the_case():
    people = {f"p{n}": (2,) for n in range(5)}
    case = Case(5, 4, ("I",), (), people, (ItemSum(frozenset(people), "I", Fraction(11), Fraction(12)),))
    with pytest.raises(AssertionError, match="true data"):
        Program(case, [list(people)], None)


@pytest.mark.django_db
def test_the_study_on_paper_shows_what_the_real_one_shows():
    """The attackers read reports of paper studies; the same people in the database, analysed, give the same reports."""
    study = make_study()
    rows = {
        team: [
            answers(*[None if (person + item) % 7 == 6 else (person * (item + 2) + team) % 4 + 1 for item in range(9)])
            for person in range(size)
        ]
        for team, size in enumerate((6, 12, 7, 9, 4))
    }
    participations = [make_team(study, str(team), approached=15) for team in rows]
    for participation, given_answers in zip(participations, rows.values(), strict=True):
        seal(participation, given_answers)
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    run.refresh_from_db()
    real = read_material(run)

    people = tuple(
        Person(f"{team}-{n}", team, tuple(row.get(item) for item in ITEMS))
        for team, table in rows.items()
        for n, row in enumerate(table)
    )
    scales = {scale.code: tuple(item.code for item in scale.items) for scale in real.scales}
    wave = Wave(
        k=5,
        n_points=4,
        items=ITEMS,
        teams=dict.fromkeys(rows, 0),
        people=people,
        versions=(Version(frozenset(p.key for p in people), scales),),
        reverse_keyed=frozenset({"AA3"}),
    )
    paper = publish(wave)[0]
    for ours, theirs in zip(paper.material.groups, load_groups(run), strict=True):
        assert ours.teams[0].items == theirs.teams[0].items
        for code in scales:
            one, other = ours.scale(code), theirs.scale(code)
            assert (one.n, one.mean, one.sd) == (other.n, pytest.approx(other.mean), pytest.approx(other.sd))
    assert paper.material.spreads == real.spreads
    for report, participation in zip(paper.teams, participations, strict=True):
        shown = render_team(real, participation, "en").scales
        if isinstance(shown, tuple):
            assert isinstance(report.scales, tuple)
            for ours, theirs in zip(report.scales, shown, strict=True):
                texts = {"name": theirs.name, "meaning": theirs.meaning, "questions": theirs.questions}
                assert len(ours.questions) == len(theirs.questions)
                plain = replace(ours, items=theirs.items, **texts)
                assert plain == theirs
                assert [item.shown for item in ours.items] == [item.shown for item in theirs.items]
        else:
            assert report.scales == shown
