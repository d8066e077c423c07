"""The version stands in pyproject.toml; what names it too says the same: the change log, the citation, the package of statistics."""

from __future__ import annotations

import json
import re
import tomllib

import yaml

from scripts.setup import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
RELEASE = re.compile(r"^## (\d+\.\d+\.\d+) – (\d{4}-\d\d-\d\d) \(commit `.+`\)$", re.MULTILINE)


def test_the_newest_release_of_the_change_log_is_this_version() -> None:
    releases = RELEASE.findall((ROOT / "CHANGELOG.md").read_text())
    assert releases[0][0] == VERSION
    numbers = [tuple(map(int, version.split("."))) for version, _day in releases]
    assert numbers == sorted(numbers, reverse=True)
    days = [day for _version, day in releases]
    assert days == sorted(days, reverse=True)


def test_citation_names_version_and_day() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    _version, day = RELEASE.findall((ROOT / "CHANGELOG.md").read_text())[0]
    assert (citation["version"], str(citation["date-released"])) == (VERSION, day)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["license"] == project["license"]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in project["authors"]]


def test_the_packages_of_the_pages_have_no_version_of_their_own() -> None:
    for name in ("package.json", "package-lock.json"):
        assert "version" not in json.loads((ROOT / name).read_text())
