"""A mean of a way of asking, a sector or a form less the teams shown of it: no few people's figures follow from what is shown."""

import csv
import io
from itertools import combinations, product

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from analysis.data.small_teams import PARTS, unshown
from analysis.models import AnalysisRun
from analysis.models.results import ResultTable, ScaleResult
from analysis.results import workspace_rows
from analysis.runs import execution
from surveys.models import Survey
from teams.models import Study
from tests.analysis import builders
from tests.analysis.builders import answers

K = 5
BIG = [answers(*[(n * (item + 2)) % 4 + 1 for item in range(9)]) for n in range(8)]
ALONE = answers(4, 3, 1) | {"BB1": 2}


def analyse(study: Study) -> AnalysisRun:
    asked = execution.request_run(Survey.objects.get(study=study))
    assert execution.execute(asked.pk)
    return AnalysisRun.objects.select_related("survey__study", "survey__version").get(pk=asked.pk)


@pytest.fixture
def study(db) -> Study:
    return builders.make_study()


def reader(study: Study) -> Client:
    client = Client()
    client.force_login(builders.make_researcher(study))
    client.cookies["django_language"] = "en"
    return client


def team_means(client: Client) -> dict[str, set[str]]:
    """Per final scale the teams whose means stand in the file of results."""
    text = b"".join(client.get(reverse("export_results", args=["small"])).streaming_content).decode("utf-8-sig")
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["scale_set"] == "final" and row["team"]]
    return {
        scale: {row["team"] for row in rows if row["scale"] == scale and row["mean"]} for scale in ("AA", "BB", "CC")
    }


def test_a_way_of_asking_less_its_teams_is_nobody(study) -> None:
    """A team of one and one of eight in one way, of four and of eight in the other: hidden are five, but not in one way."""
    for name, mode, rows in (
        ("Alone", "contact", [ALONE]),
        ("Four", "online", [answers(2, 3, 1)] * 4),
        ("BigC", "contact", BIG),
        ("BigO", "online", BIG),
    ):
        builders.seal(builders.make_team(study, name, mode=mode), rows)
    analyse(study)
    client = reader(study)
    assert team_means(client) == {"AA": set(), "BB": set(), "CC": set()}
    page = client.get(reverse("items", args=["small"]))
    for _label, table in page.context["modes"]:
        assert {code: cell["n"] for code, cell in table["scales"].items()} in (
            {"AA": 9, "BB": 9, "CC": 9},
            {"AA": 12, "BB": 12, "CC": 12},
        )
    groups = client.get(reverse("result_groups", args=["small"])).context["factors"]
    of_mode = next(group for group in groups if group["factor"] == "mode")
    for scale in of_mode["scales"]:  # a model's mean is a second equation about the same two hidden teams
        assert [group["mean"] for group in scale["groups"]] == [None, None]
        assert (scale["f"], scale["differences"]) == (None, [])
    lines = client.get(reverse("results", args=["small"])).content.decode()
    assert "None" not in lines
    teams = client.get(reverse("result_teams", args=["small"]))
    assert teams.context["chosen"].scores.teams_mean is None


def test_a_way_of_asking_is_judged_per_scale_and_question(study) -> None:
    """Six were asked by a contact person, and five of them could not judge two questions."""
    few = [answers(*[(n * (item + 2)) % 4 + 1 for item in range(7)], "x", "x") for n in range(5)]
    builders.seal(builders.make_team(study, "C", mode="contact"), [*few, answers(2, 3, 1, 2, 2, 3, 4, 1, 2)])
    builders.seal(builders.make_team(study, "O"), BIG)
    builders.seal(builders.make_team(study, "P"), BIG)
    run = analyse(study)
    assert ResultTable.objects.get(run=run, kind="mode", name="contact").content["scales"]["CC"]["n"] == 1
    page = reader(study).get(reverse("items", args=["small"]))
    modes = page.context["modes"]
    assert len(modes) == 2
    for _label, table in modes:  # the other way too: all less the other would be the one
        assert table["scales"]["CC"] is table["items"]["CC2"] is table["items"]["CC3"] is None
        assert table["scales"]["AA"]["mean"] is not None
        assert table["items"]["CC1"]["mean"] is not None
    assert "None" not in page.content.decode()


def test_all_teams_of_two_waves_less_those_shown_are_nobody(study) -> None:
    """Hidden are a team of one that answered in both waves and one that is new: together enough, in both waves one."""
    before = builders.make_study("before")
    Study.objects.filter(pk=study.pk).update(previous=before)
    for name, waves, rows in (
        ("Alone", (before, study), [ALONE]),
        ("New", (study,), [answers(2, 3, 1)] * 4),
        ("Big0", (before, study), BIG),
        ("Big1", (before, study), BIG[:7]),
    ):
        for wave in waves:
            builders.seal(builders.make_team(wave, name), rows)
    analyse(before)
    study.refresh_from_db()
    run = analyse(study)
    overall = {"before": 2.5, "mean": 2.5, "difference": 0.0, "low": -1.0, "high": 1.0}
    for table in ResultTable.objects.filter(run=run, kind="waves"):
        table.content["overall"] = overall
        table.save()
    page = reader(study).get(reverse("result_waves", args=["small"]))
    assert [(scale["overall"], scale["withheld"]) for scale in page.context["scales"]] == [(None, True)] * 3
    assert "very few people" in page.content.decode()
    of_team = {row.participation.team.name: row for _label, row in page.context["teams"]}
    assert {name for name, row in of_team.items() if row.mean is not None} == {"Big0"}
    assert hidden_names(run) == {"Alone", "New"}  # on the page of teams
    assert of_team["Alone"].before is None


def hidden_names(run: AnalysisRun) -> set[str]:
    few = workspace_rows.hidden_teams(run, "final", "AA")
    rows = ScaleResult.objects.filter(run=run, scale_set="final", scale="AA", participation__in=few)
    return set(rows.values_list("participation__team__name", flat=True))


# ------------------------------------------------------------------------------------------------ linear algebra
def rank(rows: list[np.ndarray]) -> int:
    return int(np.linalg.matrix_rank(np.array(rows))) if rows else 0


def follows(sizes: dict[int, int], groups: dict[int, dict[str, str]], k: int) -> list[tuple[int, ...]]:
    """The groups of teams, fewer than k people, whose sum follows from the sums that are shown."""
    teams = sorted(sizes)
    hidden = unshown(sizes, groups, k)
    people = np.array([float(sizes[team]) for team in teams])
    shown = [people]
    shown += [people * (np.array(teams) == team) for team in teams if team not in hidden.teams]
    for part in PARTS:
        for name in {of_team[part] for of_team in groups.values()} - hidden.groups.get(part, frozenset()):
            shown.append(people * np.array([groups[team][part] == name for team in teams]))
    known = rank(shown)
    few = [
        some
        for size in range(1, len(teams) + 1)
        for some in combinations(teams, size)
        if 0 < sum(sizes[team] for team in some) < k
    ]
    return [some for some in few if rank([*shown, people * np.isin(teams, some)]) == known]


def cases() -> list[tuple[dict[int, int], dict[int, dict[str, str]]]]:
    """Studies of four teams in two by two groups, each of each, and a number of larger ones by a fixed seed."""
    cases = []
    places = list(product("ab", "xy"))
    for sizes in ((1, 4, 8, 8), (3, 3, 6, 9), (2, 5, 5, 6), (4, 8, 9, 9)):
        for chosen in product(places, repeat=4):
            groups = {at: {"form": "full", "sector": one, "mode": two} for at, (one, two) in enumerate(chosen)}
            cases.append((dict(enumerate(sizes)), groups))
    random = np.random.default_rng(20)
    for _number in range(150):
        n = int(random.integers(5, 9))
        sizes = dict(enumerate(random.integers(1, 10, n).tolist()))
        groups = {
            at: {part: str(random.integers(0, most)) for part, most in zip(PARTS, (2, 3, 3), strict=True)}
            for at in sizes
        }
        cases.append((sizes, groups))
    return cases


def test_no_few_people_follow_from_the_sums_that_are_shown() -> None:
    checked = 0
    for sizes, groups in cases():
        if sum(sizes.values()) >= K:
            assert follows(sizes, groups, K) == [], (sizes, groups)
            checked += 1
    assert checked > 1000


def test_large_teams_hide_nothing_and_a_small_one_only_what_it_needs() -> None:
    plain = dict.fromkeys(PARTS, "one")
    assert unshown({1: 5, 2: 9}, {1: plain, 2: plain}, K).teams == frozenset()
    groups = {team: plain | {"mode": "online" if team < 4 else "contact"} for team in range(1, 7)}
    hidden = unshown({1: 4, 2: 8, 3: 9, 4: 6, 5: 7, 6: 8}, groups, K)
    assert hidden.teams == {1, 2}
    assert not any(hidden.groups.values())
