"""`make test` is passed only within its budgets."""

import pytest

from scripts import test
from scripts.test import PARTS, Part, budget_factor, verdict

PART = Part("tests on SQLite", lambda: 0, minutes=6)


@pytest.mark.parametrize(
    ("code", "seconds", "factor", "passed"),
    [
        (0, 359, 1, True),
        (0, 360, 1, True),
        (0, 361, 1, False),
        (0, 719, 2, True),
        (0, 721, 2, False),
        (0, 181, 0.5, False),
        (1, 10, 1, False),
        (5, 10, 9, False),
    ],
)
def test_a_part_fails_by_its_tests_or_by_its_time(code: int, seconds: float, factor: float, passed: bool) -> None:
    found, line = verdict(PART, code, seconds, factor)
    assert found is passed
    assert line.startswith("ok   tests on SQLite" if passed else "FAIL tests on SQLite")


def test_the_line_says_that_it_was_the_time() -> None:
    _passed, line = verdict(PART, 0, 400)
    assert "400 s is over the budget of 360 s" in line
    assert "TEST_BUDGET_FACTOR" in line
    assert "budget" not in verdict(PART, 1, 400)[1]  # it failed in any case


def test_all_parts_together_take_less_than_twenty_minutes() -> None:
    assert sum(part.minutes for part in PARTS) < 20


@pytest.mark.parametrize(("text", "factor"), [("1", 1), ("2.5", 2.5), (None, 1)])
def test_the_factor_of_this_machine(monkeypatch: pytest.MonkeyPatch, text: str | None, factor: float) -> None:
    monkeypatch.delenv("TEST_BUDGET_FACTOR", raising=False)
    if text is not None:
        monkeypatch.setenv("TEST_BUDGET_FACTOR", text)
    assert budget_factor() == factor


@pytest.mark.parametrize("text", ["", "0", "-1", "two", "nan", "inf"])
def test_a_factor_that_is_none_is_told_so(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TEST_BUDGET_FACTOR", text)
    with pytest.raises(SystemExit, match="TEST_BUDGET_FACTOR is"):
        budget_factor()


@pytest.mark.parametrize(("late", "code"), [(False, 0), (True, 1)])
def test_one_part_over_its_budget_fails_all_and_stops_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], late: bool, code: int
) -> None:
    run: list[str] = []
    clock = [0.0]

    def part(name: str, seconds: float) -> Part:
        def step() -> int:
            run.append(name)
            clock[0] += seconds
            return 0

        return Part(name, step, minutes=1)

    monkeypatch.delenv("TEST_BUDGET_FACTOR", raising=False)
    monkeypatch.setattr(test.signal, "signal", lambda *_: None)
    monkeypatch.setattr(test.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(test, "PARTS", (part("first", 61 if late else 59), part("second", 1)))
    assert test.main() == code
    assert run == ["first", "second"]
    said = capsys.readouterr().out
    assert ("FAIL first" in said) is late
    assert "ok   second" in said
