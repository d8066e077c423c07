"""Rules of the house that a program can read."""

import ast
import re
from pathlib import Path

import pytest

from scripts import rooms
from scripts.lines import modules, too_long
from scripts.setup import ROOT


def test_a_module_that_passes_400_lines_is_two() -> None:
    assert too_long() == []


def test_all_modules_are_read() -> None:
    by_name = modules()
    assert len(by_name) > 300
    assert any("disclosure" in path.parts for path in by_name)


def test_a_module_of_401_lines_is_found(tmp_path: Path) -> None:
    for folder, name, n in (("teams", "long", 401), ("teams", "full", 400), ("teams/migrations", "0001", 999)):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / f"{name}.py").write_text("#\n" * n)
    assert too_long(tmp_path) == ["teams/long.py: 401 lines, at most 400"]


#: Names that say nothing of what they hold.
NO_NAMES = {"one", "found", "mine", "told"}
NAMES_ALL_THE_SAME = {
    "analysis/psychometrics/errors.py": {"found"},  # beside what was expected, as parsers say it
    "teams/forms/filled.py": {"mine"},  # beside theirs: what two people made of one field
}


def names_in(path: Path) -> set[str]:
    """The variables, parameters and attributes of a module."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.Attribute(attr=name, ctx=ast.Store()):
                names.add(name)
    return names


def test_a_name_says_what_it_holds() -> None:
    named = {
        path.relative_to(ROOT).as_posix(): names
        for app in ("teams", "surveys", "analysis", "config", "scripts", "bench")
        for path in (ROOT / app).rglob("*.py")
        if path.parent.name != "migrations" and (names := names_in(path) & NO_NAMES)
    }
    assert named == NAMES_ALL_THE_SAME


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


#: Rooms that do the work and know no request: what they need of one is handed to them.
NO_REQUEST = (
    *(f"analysis/{room}" for room in ("choices", "data", "disclosure", "exports", "models", "plan", "publication")),
    *(f"analysis/{room}" for room in ("reports", "results", "runs")),
    *(
        f"surveys/{room}"
        for room in ("collecting", "keys", "linking", "models", "paper", "questionnaires", "reshaping")
    ),
    *(
        f"teams/{room}"
        for room in ("contacts", "files", "inviting", "mail", "meetings", "messages", "models", "people")
    ),
    *(f"teams/{room}" for room in ("studies", "text")),
)
REQUEST = re.compile(r"^\s*(?:from|import) django\.(?:http|shortcuts|views)\b", re.MULTILINE)


@pytest.mark.parametrize("room", NO_REQUEST)
def test_a_room_that_does_the_work_knows_no_request(room: str) -> None:
    modules = sorted((ROOT / room).glob("*.py"))
    assert len(modules) > 1
    assert [path.name for path in modules if REQUEST.search(path.read_text())] == []


def test_the_rooms_have_no_circle_and_are_drawn_as_they_are() -> None:
    assert rooms.faults(rooms.house()) == []


def test_a_circle_of_rooms_is_found() -> None:
    house = rooms.House({"a": ["a.x"], "b": ["b.x"], "c": ["c.x"]}, {("a", "b"): 1, ("b", "a"): 2, ("c", "a"): 1})
    assert house.circles == [("a", "b")]
    with pytest.raises(ValueError, match="circle"):
        house.floors  # noqa: B018
