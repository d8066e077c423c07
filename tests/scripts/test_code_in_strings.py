"""Programs hand code to other processes as text: what it imports exists, though no import of a module says so."""

import ast
import importlib
from collections.abc import Iterator
from importlib.util import find_spec

from scripts.setup import ROOT

OURS = ("teams", "surveys", "analysis", "config", "scripts")


def imported() -> Iterator[tuple[str, str, str]]:
    """Every name of ours that code in a string imports: where it stands, the module, the name."""
    for folder in ("bench", "tests", "scripts"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and "import" in node.value:
                    try:
                        code = ast.parse(node.value)
                    except SyntaxError:
                        continue  # a sentence
                    for statement in ast.walk(code):
                        if isinstance(statement, ast.ImportFrom) and (statement.module or "").split(".")[0] in OURS:
                            for alias in statement.names:
                                yield str(path.relative_to(ROOT)), str(statement.module), alias.name


def test_what_code_in_a_string_imports_exists() -> None:
    imports = list(imported())
    assert len(imports) > 10
    gone = [
        f"{where}: {module}.{name}"
        for where, module, name in imports
        if not hasattr(importlib.import_module(module), name) and find_spec(f"{module}.{name}") is None
    ]
    assert gone == []
