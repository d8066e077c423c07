"""The rules of disclosure are named by number: each number that code or a page names stands in docs/disclosure.md, and what it names is there."""

import re

from analysis import disclosure
from scripts.setup import ROOT

PAGE = (ROOT / "docs" / "disclosure.md").read_text()
NAMED = re.compile(r"\b[Rr]ules? (\d+)(?:(?: to |–| and |, )(\d+))*")


def test_every_rule_that_is_named_stands_on_the_page() -> None:
    stands = {int(number) for number in re.findall(r"^\| (\d+) ", PAGE, re.MULTILINE)}
    assert stands == set(range(1, 11))
    paths = [*(ROOT / "analysis").rglob("*.py"), *(ROOT / "tests" / "disclosure").rglob("*.py")]
    named = {
        int(number)
        for path in paths
        if "psychometrics" not in path.parts
        for mention in NAMED.finditer(path.read_text())
        for number in re.findall(r"\d+", mention.group())
    }
    assert len(named) > 5
    assert named <= stands


def test_what_keeps_a_rule_is_there() -> None:
    names = re.findall(r"`(\w+)(?:\.(\w+))?`", PAGE.partition("| rule |")[2].partition("\nWhy a report")[0])
    assert len(names) > 15
    elsewhere = {"room_counts", "Previous", "as_seen"}
    for name, attribute in names:
        if name not in elsewhere:
            named = getattr(disclosure, name)
            assert not attribute or hasattr(named, attribute)
