"""The psychometrics engine as a package of its own (`make wheel`): built, installed alone, and used as its README says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from scripts.setup import ROOT

ENGINE = ROOT / "analysis" / "psychometrics"
ORACLES = ROOT / "tests" / "oracles"
MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


def build(folder: Path) -> Path:
    """What `make wheel` does, into another folder. Nothing is fetched: the builder is that of this environment."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ENGINE, check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed package and nothing of Teamspiegel."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run([*pip, "--target", str(folder), str(wheel)], check=True, capture_output=True)
    return folder


def run(installed: Path, *command: str, expected: int = 0) -> str:
    """Standard output (of an expected refusal: standard error) of a command that sees the installed package alone."""
    ended = subprocess.run(
        command,
        cwd=installed,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == expected, ended.stderr
    return ended.stderr if expected else ended.stdout


def test_wheel_holds_the_engine_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {f"teamspiegel_psychometrics/{path.relative_to(ENGINE)}" for path in ENGINE.rglob("*.py")}
    folder = next(name.split("/")[0] for name in names if name.endswith(".dist-info/METADATA"))
    others = {f"{folder}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    assert len(modules) > 40
    assert names == modules | {"teamspiegel_psychometrics/py.typed"} | others


def test_version_and_licence_are_those_of_teamspiegel(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    with zipfile.ZipFile(wheel) as archive:
        folder = f"teamspiegel_psychometrics-{project['version']}.dist-info"
        metadata = archive.read(f"{folder}/METADATA").decode()
        assert archive.read(f"{folder}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert f"Version: {project['version']}\n" in metadata
    assert f"License-Expression: {project['license']}\n" in metadata
    assert sorted(re.findall(r"^Requires-Dist: (\w+)", metadata, re.MULTILINE)) == ["numpy", "pandas", "scipy"]


def test_built_twice_it_is_the_same(wheel: Path, tmp_path: Path) -> None:
    assert build(tmp_path).read_bytes() == wheel.read_bytes()


def test_installed_alone_it_finds_the_numbers_of_lavaan(installed: Path) -> None:
    code = (
        "import json, sys, pandas as pd, teamspiegel_psychometrics as engine\n"
        "result = engine.fit(sys.argv[1], pd.read_csv(sys.argv[2]), estimator='MLM')\n"
        "ours = [name for name in sys.modules if name.split('.')[0] in ('analysis', 'config', 'django', 'surveys', 'teams')]\n"
        "print(json.dumps([engine.__file__, ours, result.fit]))"
    )
    printed = run(installed, sys.executable, "-c", code, MODEL, str(ORACLES / "hs1939.csv"))
    file, ours, fit = json.loads(printed)
    assert Path(file).is_relative_to(installed)
    assert ours == []
    expected = json.loads((ORACLES / "hs1939_cfa.json").read_text())["fits"]["3f__mlm"]["fit"]
    assert {name: fit[name] for name in expected} == pytest.approx(expected, rel=1e-5)


def test_program_answers(installed: Path) -> None:
    program = str(installed / "bin" / "teamspiegel-psychometrics")
    data = str(ORACLES / "hs1939.csv")
    said = json.loads(run(installed, program, "cfa", data, "--model", MODEL, "--json"))
    assert said["fit"]["chisq"] == pytest.approx(85.3055, abs=1e-3)  # Rosseel (2012), page 18
    refused = run(installed, program, "cfa", data, "--model", "visual =~ nothing", expected=2)
    assert refused.startswith("teamspiegel-psychometrics cfa: ")
    assert len(refused.splitlines()) == 1


def test_readme_runs_as_printed(installed: Path, tmp_path: Path) -> None:
    readme = (ENGINE / "README.md").read_text()
    (python,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    answers = tmp_path / "answers.csv"
    printed = run(installed, sys.executable, "-c", python + f"\nanswers.to_csv({str(answers)!r}, index=False)")
    assert "learning =~ q1 1.0 0.0" in printed
    (shell,) = re.findall(r"```sh\n(teamspiegel-.*?)```", readme, re.DOTALL)
    for line in shell.splitlines():
        command = f"{installed}/bin/{line.replace('answers.csv', str(answers))}"
        assert "learning" in run(installed, "/bin/sh", "-c", command), line
