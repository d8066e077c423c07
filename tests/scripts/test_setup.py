"""What `make` says when something is missing: one clear sentence; and that nothing is made twice."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import setup


@pytest.fixture
def log_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(setup, "LOGS", tmp_path)
    return tmp_path


def test_old_python_is_told_so() -> None:
    """The very file, read by a Python that says it is 3.9."""
    code = f"import sys; sys.version_info = (3, 9, 0, 'final', 0); exec(open({str(setup.__file__)!r}).read())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Teamspiegel needs Python 3.11 or newer")
    assert len(ended.stderr.splitlines()) == 1


def test_file_can_be_read_by_an_old_python() -> None:
    import ast

    ast.parse(Path(setup.__file__).read_text(), feature_version=(3, 6))


def test_python_without_ensurepip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup, "VENV", tmp_path / "venv")
    monkeypatch.setattr(setup, "PYTHON", tmp_path / "venv" / "bin" / "python")
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(setup.Problem, match="has no ensurepip.*python3-venv"):
        setup.make_venv()


def test_failed_step_is_a_sentence_and_its_last_lines(log_folder: Path) -> None:
    command = [sys.executable, "-c", "print('no such host'); raise SystemExit(1)"]
    with pytest.raises(setup.Problem, match=r"(?s)^Out of reach\. The last lines of .*no such host$"):
        setup.run("packages", command, "Out of reach.")


@pytest.mark.parametrize(("version", "good"), [("9.9.9", False), ("10.0.0", True), ("11.19.1", True), ("what", False)])
def test_npm_of_the_system(version: str, good: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("npm", "node"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert setup.system_npm() == (str(tmp_path / "npm") if good else None)


def test_no_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert setup.system_npm() is None


def test_hash_follows_names_and_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    folder = tmp_path / "scss"
    folder.mkdir()
    (folder / "a").write_text("1")
    first = setup.digest(folder)
    (folder / ".stamp").write_text("not counted")
    assert setup.digest(folder) == first
    (folder / "a").write_text("2")
    second = setup.digest(folder)
    (folder / "a").rename(folder / "b")
    assert len({first, second, setup.digest(folder)}) == 3
