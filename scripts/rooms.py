"""The rooms of the house: counted from the imports, and drawn into docs/architecture.md. `make rooms`.

    python -m scripts.rooms           print the figures, and draw the picture anew
    python -m scripts.rooms check     fail on a picture that is not of today, a circle, or a room of more than 14 modules

A room is a folder of modules. A module that stands directly in an app (or in the engine, as errors.py) is a door: it belongs to no
room, and is drawn and held against circles by itself. An arrow reads "imports".
A walk is what somebody reads who follows a call through the code: the rooms in the order in which they are first met. It climbs
where the next room lies above the one before, by the layers of the arrows.
"""

from __future__ import annotations

import ast
import functools
import itertools
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import grimp

from scripts.setup import ROOT

APPS = ("teams", "surveys", "analysis")
PICTURE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: made by make rooms -->", "<!-- rooms end -->"
#: Folders whose modules are doors.
TOPS = (*APPS, "analysis.psychometrics")
#: Folders that are no rooms: nobody looks for a step of the work in them.
LEFT_OUT = ("migrations", "management", "templatetags")
FULL = 14
WALKS = {
    "publish": ("analysis.publication.publishing", "publish"),
    "execute": ("analysis.runs.execution", "execute"),
    "report page": ("analysis.views.readers.team", "report"),
}


@dataclass
class House:
    """The rooms with their modules, and the arrows between them with how many imports each stands for."""

    rooms: dict[str, list[str]]
    arrows: dict[tuple[str, str], int] = field(default_factory=dict)

    def below(self, room: str) -> list[str]:
        return sorted(to for of, to in self.arrows if of == room)

    @functools.cached_property
    def circles(self) -> list[tuple[str, ...]]:
        """Rooms that reach themselves, each circle once."""
        reach = {room: self.reached(room) for room in self.rooms}
        circles = {tuple(sorted(b for b in reach[a] if a in reach[b])) for a in self.rooms if a in reach[a]}
        return sorted(circles)

    @functools.cached_property
    def floors(self) -> dict[str, int]:
        """The floor of each room: 0 imports no other room, every other one lies above all that it imports."""
        if self.circles:
            raise ValueError(f"A circle of rooms has no floors: {self.circles}")

        @functools.cache
        def floor(room: str) -> int:
            return 1 + max((floor(other) for other in self.below(room)), default=-1)

        return {room: floor(room) for room in self.rooms}

    def reached(self, start: str) -> set[str]:
        reached: set[str] = set()
        waiting = self.below(start)
        while waiting:
            room = waiting.pop()
            if room not in reached:
                reached.add(room)
                waiting += self.below(room)
        return reached


def room_of(module: str) -> str:
    """The folder of a module, or the module itself where it is a door."""
    parent = module.rpartition(".")[0]
    return module if parent in TOPS or (ROOT / module.replace(".", "/")).is_dir() else parent


def house() -> House:
    """Read the imports of the three apps."""
    graph = grimp.build_graph(*APPS, cache_dir=None)
    rooms: dict[str, list[str]] = defaultdict(list)
    for module in sorted(graph.modules):
        if not set(module.split(".")) & set(LEFT_OUT) and not (ROOT / module.replace(".", "/")).is_dir():
            rooms[room_of(module)].append(module)
    built = House(dict(rooms))
    arrows: dict[tuple[str, str], int] = defaultdict(int)
    for module in (module for members in built.rooms.values() for module in members):
        for other in graph.find_modules_directly_imported_by(module):
            of, to = room_of(module), room_of(other)
            if to in built.rooms and of != to:
                arrows[of, to] += 1
    built.arrows = dict(arrows)
    return built


def walk(module: str, function: str) -> list[str]:
    """The modules that a reader meets who follows the calls of a function, in the order of the source."""
    met: list[str] = []
    seen: set[tuple[str, str]] = set()

    def follow(module: str, name: str) -> None:
        if (module, name) in seen:
            return
        seen.add((module, name))
        tree, names = _read(module)
        node = tree.get(name)
        if node is None:
            if name in names:
                follow(*names[name])
            return
        if module not in met:
            met.append(module)
        for called in _calls(node, names):
            follow(*called)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in tree:
                follow(module, inner.func.id)

    follow(module, function)
    return met


def climbs(house: House, modules: list[str]) -> int:
    """How often the next module of a walk lies on a floor above the one before."""
    floors = [house.floors[room_of(module)] for module in modules if room_of(module) in house.floors]
    return sum(later > earlier for earlier, later in itertools.pairwise(floors))


@functools.cache
def _read(module: str) -> tuple[dict[str, ast.AST], dict[str, tuple[str, str]]]:
    """The functions and classes of a module, and where the names that it imports come from."""
    path = ROOT / (module.replace(".", "/") + ".py")
    if not path.exists():
        path = ROOT / module.replace(".", "/") / "__init__.py"
    tree = ast.parse(path.read_text())
    named = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in APPS:
            for name in node.names:
                names[name.asname or name.name] = (node.module, name.name)
    return dict(named), names


def _calls(node: ast.AST, names: dict[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for inner in ast.walk(node):
        if not isinstance(inner, ast.Call):
            continue
        called = inner.func
        if isinstance(called, ast.Name) and called.id in names:
            yield names[called.id]
        elif isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in names:
            package, name = names[called.value.id]
            if (ROOT / f"{package}.{name}".replace(".", "/")).with_suffix(".py").exists():
                yield f"{package}.{name}", called.attr


def picture(house: House) -> str:
    """What each room is for, in its own words; and a Mermaid diagram of them, without arrows that follow from others."""
    lines = ["| room | what for | modules |", "| --- | --- | --- |"]
    for app in APPS:
        for room in (room for room in house.rooms if room.split(".")[0] == app):
            modules = len(house.rooms[room]) if _is_folder(room) else ""
            lines.append(f"| `{_place(room)}` | {_said(room)} | {modules} |")
    lines += ["", "```mermaid", "flowchart TD"]
    for app in reversed(APPS):
        lines.append(f"  subgraph {app}")
        lines += [f'    {_id(room)}["{_short(room, app)}"]' for room in house.rooms if room.split(".")[0] == app]
        lines.append("  end")
    for of, to in sorted(house.arrows):
        if of.split(".")[0] == to.split(".")[0] and not _goes_without_saying(house, of, to):
            lines.append(f"  {_id(of)} --> {_id(to)}")
    lines += [f"  {upper} --> {lower}" for upper, lower in (("analysis", "surveys"), ("surveys", "teams"))]
    return "\n".join([*lines, "```"])


def _goes_without_saying(house: House, of: str, to: str) -> bool:
    """Whether another room that ``of`` imports leads to the same one."""
    return any(to in house.reached(other) for other in house.below(of) if other != to)


def _is_folder(room: str) -> bool:
    return (ROOT / room.replace(".", "/")).is_dir()


def _place(room: str) -> str:
    return room.replace(".", "/") + ("/" if _is_folder(room) else ".py")


def _said(room: str) -> str:
    """The first line of a room's or module's docstring."""
    path = ROOT / (room.replace(".", "/") + ("/__init__.py" if _is_folder(room) else ".py"))
    return (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0].replace("|", "\\|")


def _id(room: str) -> str:
    return "room_" + room.replace(".", "_")


def _short(room: str, app: str) -> str:
    return room.removeprefix(app + ".") + ("" if _is_folder(room) else ".py")


def drawn() -> str:
    """What stands in docs/architecture.md between the marks."""
    _, _, rest = PICTURE.read_text().partition(BEGIN)
    return rest.partition(END)[0].strip()


def draw(house: House) -> None:
    text = PICTURE.read_text()
    before, _, rest = text.partition(BEGIN)
    PICTURE.write_text(f"{before}{BEGIN}\n\n{picture(house)}\n\n{END}{rest.partition(END)[2]}")


def faults(house: House) -> list[str]:
    problems = [f"A circle of rooms: {' – '.join(circle)}" for circle in house.circles]
    problems += [
        f"{room}: {len(modules)} modules, at most {FULL}"
        for room, modules in house.rooms.items()
        if len(modules) > FULL
    ]
    if not house.circles and drawn() != picture(house):
        problems.append("The picture in docs/architecture.md is not of today: make rooms.")
    return problems


def main(arguments: list[str]) -> int:
    current = house()
    if arguments == ["check"]:
        print("\n".join(faults(current)) or "The rooms are as drawn.")
        return 1 if faults(current) else 0
    draw(current)
    folders = [room for room in current.rooms if _is_folder(room)]
    fullest = max(folders, key=lambda room: len(current.rooms[room]))
    by_app = ", ".join(f"{sum(room.split('.')[0] == app for room in folders)} in {app}" for app in APPS)
    print(f"{len(folders)} rooms ({by_app}), {len(current.rooms) - len(folders)} doors")
    print(f"{len(current.arrows)} arrows, {len(current.circles)} circles")
    print(f"{1 + max(current.floors.values())} floors; fullest: {fullest}, {len(current.rooms[fullest])} modules")
    for name, (module, function) in WALKS.items():
        modules = walk(module, function)
        print(f"{name}: {len(modules)} modules, climbs {climbs(current, modules)} times")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
