"""A file that a comment or a page names is there: who follows the name finds it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from scripts.setup import ROOT

NAMED = re.compile(r"(?<![\w./:{}*<>\\-])((?:[\w-]+/)*[\w-]+\.(?:py|md|typ|scss))(?![\w/])")
READ = {".py", ".md", ".html", ".txt", ".typ", ".js", ".mjs", ".scss", ".toml"}
#: Written by hand once and never changed, or not ours.
LEFT_OUT = ("migrations", "proofs", "locale")
APPS = ("analysis", "surveys", "teams")


def sources() -> list[Path]:
    """What the repository holds; in a tree without one, what stands in its folders."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    folders = (*APPS, "config", "bench", "docs", "scripts", "static", "templates", "tests")
    here = [*ROOT.glob("*.*"), *(path for folder in folders for path in (ROOT / folder).rglob("*.*"))]
    paths = [Path(line) for line in listed] or [path.relative_to(ROOT) for path in here]
    return [path for path in paths if (ROOT / path).is_file()]


def missing(path: Path, text: str, there: set[str]) -> list[str]:
    """The names in a text that no file answers to: from the root, from the text's folder, from its app, or by name alone."""
    names = []
    for name in NAMED.findall(text):
        near = {name, (path.parent / name).as_posix(), f"{path.parts[0]}/{name}", f"templates/{name}"}
        app = next((part for part in path.parts[:2] if part in APPS), "")
        within = [other for other in there if other.endswith(f"/{name}") and (not app or other.startswith(f"{app}/"))]
        if not near & there and not within and not (not app and any(other.endswith(f"/{name}") for other in there)):
            names.append(name)
    return names


def test_every_file_that_is_named_is_there() -> None:
    paths = sources()
    there = {path.as_posix() for path in paths}
    read = [
        path
        for path in paths
        if path.suffix in READ and not set(path.parts) & set(LEFT_OUT) and path.parts[0] not in ("tests", "bench")
    ]
    assert len(read) > 500
    assert {str(path): found for path in read if (found := missing(path, (ROOT / path).read_text(), there))} == {}


def test_a_name_without_a_file_is_found() -> None:
    there = {"teams/mail/outbox.py", "docs/methods.md", "surveys/keys/row_keys.py"}
    text = "teams/mail/outbox.py, row_keys.py, docs/methods.md; gone.py, teams/gone.py"
    assert missing(Path("surveys/paper/entry.py"), text, there) == ["gone.py", "teams/gone.py"]
    assert missing(Path("teams/history.py"), "see outbox.py, and row_keys.py", there) == ["row_keys.py"]
