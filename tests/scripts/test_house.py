"""Rules of the house that a program can read."""

import re
from pathlib import Path

import pytest

from scripts.lines import modules, too_long
from scripts.setup import ROOT


def test_a_module_that_passes_400_lines_is_two() -> None:
    assert too_long() == []


def test_all_modules_are_read() -> None:
    found = modules()
    assert len(found) > 300
    assert any("disclosure" in path.parts for path in found)


def test_a_module_of_401_lines_is_found(tmp_path: Path) -> None:
    for folder, name, n in (("teams", "long", 401), ("teams", "full", 400), ("teams/migrations", "0001", 999)):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / f"{name}.py").write_text("#\n" * n)
    assert too_long(tmp_path) == ["teams/long.py: 401 lines, at most 400"]


SKIPS = re.compile(
    r"pytest\.(?:skip|xfail|importorskip)|mark\.(?:skip|skipif|xfail)\b|skipTest|SkipTest|unittest\.skip"
)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT / "tests"))
)
def test_nothing_is_passed_over(path: Path) -> None:
    """What a test needs is installed (scripts/browser.py, scripts/nginx.py), or the test fails."""
    if path != Path(__file__):
        assert not SKIPS.findall(path.read_text())
