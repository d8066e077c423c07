"""requirements/: what `make requirements` writes is complete, so that installing resolves nothing (scripts/setup.py)."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest

from scripts.setup import PYTHON, ROOT

FOLDER = ROOT / "requirements"
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==\S+", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """What a file pins: a whole entry (version, marker and hashes) by name and marker."""
    entries = re.split(r"\n(?=\S)", (FOLDER / f"{name}.txt").read_text().strip())
    return {entry.splitlines()[0]: entry for entry in entries if not entry.startswith("#")}


@pytest.mark.parametrize("name", ["base", "dev", "node"])
def test_every_wish_is_pinned_with_hashes(name: str) -> None:
    wishes = re.findall(r"^([A-Za-z][\w.-]*)", (FOLDER / f"{name}.in").read_text(), re.MULTILINE)
    pinned = pins(name)
    assert {wish.lower().replace("_", "-").replace(".", "-") for wish in wishes} <= {
        match[1] for entry in pinned.values() if (match := PINNED.match(entry))
    }
    assert [first for first, entry in pinned.items() if "--hash=sha256:" not in entry] == []
    assert "#    make requirements\n" in (FOLDER / f"{name}.txt").read_text()


def test_dev_holds_all_of_base() -> None:
    base, dev = pins("base"), pins("dev")
    assert {first: entry for first, entry in base.items() if dev.get(first) != entry} == {}


def test_command_is_one_that_this_environment_has() -> None:
    """The compiler is pinned itself, and Python's oldest version is the one that the project names."""
    said = subprocess.run(
        ["make", "-s", "-n", "-o", "dev", "requirements"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = said.stdout.replace("\\\n", "").splitlines()
    assert [re.findall(r"-o requirements/(\w+)\.txt", line) for line in lines] == [["base"], ["dev"], ["node"]]
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    assert all(f"--python-version {oldest} " in line for line in lines)
    version = subprocess.run([PYTHON.with_name("uv"), "--version"], capture_output=True, text=True, check=True).stdout
    assert f"uv=={version.split()[1]} \\" in pins("dev")
