"""The objects of a publication: all that readers are shown is made of them, and of nothing that is computed anew."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from analysis import disclosure, withdrawals
from analysis.disclosure import Withheld
from analysis.models import AnalysisRun, Publication, ReportObject, Unit
from analysis.models.readers import ReportLink
from analysis.models.results import ItemResult, ScaleResult
from analysis.publication import files, links, objects, served
from analysis.publication.publishing import publish
from analysis.reports.groups import load_groups
from analysis.reports.material import Material, read_material
from analysis.reports.shown import OverUnits, pack, unpack_academy, unpack_study, unpack_unit
from analysis.reports.team import team_report
from analysis.reports.wide import academy_report, study_report
from surveys.models import Collection
from teams.models import Academy, Institution, Participation, Study, Team
from tests.analysis.builders import make_study, make_team, seal
from tests.analysis.test_reader_pages import leader_of
from tests.analysis.test_reports import analyse, varied

pytestmark = pytest.mark.django_db
SIZES = (6, 12, 7, 9, 4, 11, 3, 3, 8, 14, 6, 10)
MOST_QUERIES = 6


def a_wave(slug: str, sizes: tuple[int, ...] = SIZES, previous: Study | None = None) -> Study:
    """Teams of two academies, two of them together; one is too small, and one lets the director see it."""
    study = make_study(slug)
    Study.objects.filter(pk=study.pk).update(previous=previous, wave=2 if previous else 1)
    teams = [make_team(study, f"Team {n}", approached=15, academy=f"Academy {n // 6}") for n in range(len(sizes))]
    for n, (team, size) in enumerate(zip(teams, sizes, strict=True)):
        seal(team, varied(size, n + len(slug)))
    Participation.objects.filter(pk=teams[1].pk).update(director_sees_team=True)
    unit = Unit.objects.create(study=study, academy=teams[6].team.academy, name="together")
    unit.participations.set(teams[6:8])
    return Study.objects.get(pk=study.pk)


def participations(study: Study) -> list[Participation]:
    teams = Participation.objects.filter(study=study).select_related("study", "team__academy__institution")
    return list(teams.order_by("pk"))


@pytest.mark.parametrize("language", ["nl", "en"])
def test_what_is_read_is_what_was_published_in_every_report_of_two_waves(language: str):
    first = a_wave("first")
    publish(analyse(first), None)
    second = a_wave("second", SIZES[::-1], first)
    publish(analyse(second), None)
    n_figures = 0
    for study in (first, second):
        run = Publication.objects.get(study=study).run
        for participation in participations(study):
            report = team_report(run, participation, language)
            assert served.of_team(participation).report(language) == report
            n_figures += not isinstance(report.scales, Withheld)
        for academy in Academy.objects.all():
            now, before = served.of_academy(study, academy).report(language), academy_report(run, academy.pk, language)
            assert (now.scales, now.base, now.benchmark, now.findings) == (
                before.scales,
                before.base,
                before.benchmark,
                before.findings,
            )
            assert [name for name, _team in now.teams] == [name for name, _team in before.teams]
            assert [shown_of(team) for _name, team in now.teams] == [shown_of(team) for _name, team in before.teams]
        assert served.of_study(study).report(language) == study_report(run, language)
    assert n_figures > 10
    assert served.of_team(participations(second)[1]).report(language).has_previous


def shown_of(team: object) -> object:
    return team if isinstance(team, Withheld) else [scale.shown for scale in team.scales]


def test_a_result_that_changes_after_publication_changes_no_report():
    study = a_wave("first")
    run = analyse(study)
    publish(run, None)
    team = participations(study)[1]
    before = served.of_team(team).report("en"), served.of_study(study).report("en")
    ScaleResult.objects.filter(run=run).update(mean=4.0, sd=0.1, n=99)
    ItemResult.objects.filter(run=run).update(counts=[0, 0, 0, 99])
    assert (served.of_team(team).report("en"), served.of_study(study).report("en")) == before


def test_objects_hold_no_name_and_a_renamed_team_reads_its_new_one():
    study = a_wave("first")
    publish(analyse(study), None)
    names = [
        *Team.objects.values_list("name", flat=True),
        *Academy.objects.values_list("name", flat=True),
        *Institution.objects.values_list("name", flat=True),
        study.title,
        *Participation.objects.values_list("leader_email", flat=True),
    ]
    kept = " ".join(json.dumps(report_object.content) for report_object in ReportObject.objects.all())
    assert [name for name in names if name in kept] == []
    team = participations(study)[1]
    files.make_files(Publication.objects.get().pk)
    assert files.is_ready(served.of_team(team), "nl")
    Team.objects.filter(pk=team.team_id).update(name="Renamed")
    team = participations(study)[1]
    assert served.of_team(team).report("nl").team == "Renamed"
    assert "Renamed" in dict(served.of_academy(study, team.team.academy).report("nl").teams)
    assert not files.is_ready(served.of_team(team), "nl"), "its PDF has the old name"
    assert files.make_anew() == 4, "of the team and of its director, in two languages"
    files.make_files(Publication.objects.get().pk)
    assert files.is_ready(served.of_team(team), "nl")


def test_a_publication_from_before_objects_were_kept_gets_its_own_by_a_worker():
    study = a_wave("first")
    publication = publish(analyse(study), None)
    team = participations(study)[1]
    before = served.of_team(team).report("en")
    ReportObject.objects.all().delete()
    assert served.of_team(team) is None
    page = leader_of(team).get(reverse("team_report", args=[team.pk])).content.decode()
    assert "voorbereid" in page
    assert files.wake_for_due() == [publication.pk]
    files.make_files(publication.pk)
    assert served.of_team(team).report("en") == before
    assert objects.make_missing(publication) is False


def test_a_count_that_is_corrected_hides_the_team_from_its_own_rows_alone():
    study = a_wave("first")
    publish(analyse(study), None)
    team, other = participations(study)[1], participations(study)[3]
    before = served.of_team(other).report("en")
    Collection.objects.filter(participation=team).update(n_links=2, n_confirmed=2)
    assert not served.of_team(team).has_results
    assert served.of_team(other).report("en") == before


def test_deleting_the_study_of_the_wave_before_takes_its_means_along():
    first = a_wave("first")
    publish(analyse(first), None)
    second = a_wave("second", SIZES[::-1], first)
    publish(analyse(second), None)
    assert served.of_team(participations(second)[1]).report("en").has_previous
    Study.objects.filter(previous=first).update(previous=None)
    Publication.objects.filter(study=first).delete()
    assert not ReportObject.objects.filter(publication__study=first).exists()
    assert not served.of_team(participations(second)[1]).report("en").has_previous


def test_every_kind_of_figure_is_kept_exactly():
    study = a_wave("first", (6, 25, 7, 9, 4, 11, 3, 3, 8, 14, 6, 10))
    material = read_material(analyse(study))
    for group in load_groups(AnalysisRun.objects.get()):
        shown = material.unit_shown(group)
        assert unpack_unit(json.loads(json.dumps(pack(shown)))) == shown
    for academy in material.academies:
        of_academy = material.academy_shown(academy)
        assert unpack_academy(json.loads(json.dumps(pack(of_academy)))) == of_academy
    assert unpack_study(json.loads(json.dumps(pack(material.study_shown)))) == material.study_shown


def test_objects_of_the_first_shape_are_read_for_ever():
    """As the first release that kept objects wrote them: no later one may make them anew."""
    unit = unpack_unit(
        {
            "unit": ["unit:3", [[7, 6, 7, 12], [9, 8, 8, 15]], "2026-11-30T10:00:00+00:00", True],
            "sector": "health",
            "scales": [
                [
                    ["score", 2.6, 2.3, 2.9, False],
                    ["agreement", "largely_agree"],
                    [["mean", 2.5], ["answers", 2.7, [10, 30, 40, 20]], ["nearly", 3], ["withheld", "too_few"]],
                ],
                [["capped", 3.8, True], ["withheld", "too_few"], [["capped", 3.8, True]]],
            ],
        }
    )
    first, second = unit.scales
    assert (unit.unit.key, unit.unit.analysed, unit.unit.released) == ("unit:3", 14, True)
    assert first.shown == disclosure.MeanShown(2.6, 2.3, 2.9)
    assert first.agreement == disclosure.Agreement.LARGELY_AGREE
    assert first.items == (
        disclosure.ItemMean(2.5),
        disclosure.ItemDistribution(2.7, (10, 30, 40, 20)),
        disclosure.NearlyAll(3),
        Withheld(disclosure.Reason.TOO_FEW),
    )
    assert second.shown == second.items[0] == disclosure.Capped(3.8, upper=True)
    wide = [["score", 2.61, None, None, True], 40, 0.08], [[["score", 2.55, None, None, False], 20, 0.006]], [2.5, None]
    study = unpack_study(
        {
            "k": 5,
            "points": 4,
            "scorings": [["AA", [["AA1", False], ["AA2", True]], [0.5, 60, True]]],
            "withheld": None,
            "outsider": ["withheld", "few_teams"],
            "base": [4, 5, 40],
            "counts": [60, 44],
            "sectors": ["health"],
            "like": False,
            "scales": [list(wide)],
        }
    )
    assert (study.scorings[0].items, study.base.n_teams, study.returned) == ((("AA1", False), ("AA2", True)), 5, 44)
    assert study.scales[0].items == (2.5, None)
    assert study.scales[0].mean == OverUnits(disclosure.MeanShown(2.61, None, None, about=True), 40, 0.08)
    assert study.scorings[0].spread == disclosure.Spread(0.5, 60)
    academy = unpack_academy(
        {"units": [], "benchmark": ["withheld", "remainder"], "base": [0, 1, 0], "like": False, "scales": [list(wide)]}
    )
    assert academy.benchmark == Withheld(disclosure.Reason.REMAINDER)


# ------------------------------------------------------------------------------------------------ what reading costs
def a_link(study: Study, **of: object) -> ReportLink:
    return ReportLink.objects.create(
        study=study, nonce="a" * 32, expires_on=timezone.localdate() + timedelta(days=1), **of
    )


def n_queries(client: Client, address: str) -> int:
    client.get(address)  # the first visit fills caches
    with CaptureQueriesContext(connection, ) as queries:  # fmt: skip
        answer = client.get(address)
    assert answer.status_code == 200, address
    return sum("django_session" not in query["sql"] for query in queries)


def test_no_page_of_a_report_reads_more_than_six_times_however_many_teams_there_are():
    """Beside the session and the account of who is signed in."""
    counts = []
    for slug, sizes in (("few", SIZES), ("many", SIZES * 3)):
        first = a_wave(f"{slug} first", sizes)
        publish(analyse(first), None)
        second = a_wave(f"{slug} second", sizes, first)
        publication = publish(analyse(second), None)
        files.make_files(publication.pk)
        team = participations(second)[1]
        team.team.leader_email = f"{slug}@university.example"
        of_team, of_academy = a_link(second, participation=team), a_link(second, academy=team.team.academy)
        of_study = a_link(second)
        found = {}
        for name, link in (("team", of_team), ("director", of_academy), ("study", of_study)):
            client = Client()
            client.get(links.path_of(link))
            for page in ("shared_report", "shared_report_pdf"):
                found[name, page] = n_queries(client, reverse(page, args=[link.pk]))
            if name == "team":
                found["talk", "shared_talk"] = n_queries(client, reverse("shared_talk", args=[link.pk]) + "?n=1")
        leader = leader_of(team)
        for page in ("team_report", "team_talk", "team_report_pdf"):
            found["leader", page] = n_queries(leader, reverse(page, args=[team.pk])) - 1  # the account
        counts.append(found)
    assert counts[0] == counts[1]
    assert {name: n for name, n in counts[0].items() if n > MOST_QUERIES} == {}


@pytest.mark.parametrize(("n_whole", "shown"), [(1, False), (3, False), (4, True)])
def test_a_mean_of_one_subject_is_of_as_many_teams_as_a_mean_of_all(n_whole: int, shown: bool):
    """Six teams of five: in all but some of them somebody left a question of the first subject open."""
    study = make_study("first")
    for n in range(6):
        rows = varied(5, n)
        if n >= n_whole:
            del rows[0]["AA1"]
        seal(make_team(study, f"Team {n}", approached=5), rows)
    publish(analyse(study), None)
    everybody = served.of_study(study).report("en").scales
    academy = served.of_academy(study, Academy.objects.get()).report("en").scales
    # a director is in none of them: three teams that are not seen apart are enough
    for (first, second, *_others), enough in ((everybody, shown), (academy, n_whole >= 3)):
        assert isinstance(first.shown, Withheld) is not enough
        assert (first.items[0].mean is None) is not enough
        assert not isinstance(second.shown, Withheld)
        assert None not in [item.mean for item in second.items]


@pytest.mark.parametrize("agreed", ["before", "after"])
def test_a_director_sees_no_subject_of_which_only_one_hidden_team_is_left(agreed: str):
    """Whenever the leaders agreed that their teams are seen by themselves: also after it was published."""
    study = make_study("first")
    teams = [make_team(study, f"Team {n}", approached=5) for n in range(6)]
    seen = Participation.objects.filter(pk__in=[team.pk for team in teams[:2]])
    if agreed == "before":
        seen.update(director_sees_team=True)
    for n, team in enumerate(teams):
        rows = varied(5, n)
        if n > 2:
            del rows[0]["AA1"]
        seal(team, rows)
    publish(analyse(study), None)
    academy = Academy.objects.get()
    if agreed == "after":
        first, *_others = served.of_academy(study, academy).report("en").scales
        assert not isinstance(first.shown, Withheld)
        assert first.items[0].mean is not None
        seen.update(director_sees_team=True)
    first, second, *_others = served.of_academy(study, academy).report("en").scales
    assert isinstance(first.shown, Withheld)
    assert not isinstance(second.shown, Withheld)
    assert first.items[0].mean is None
    assert second.items[0].mean is not None


def test_all_teams_stand_beside_an_academy_on_no_subject_that_tells_on_the_team_outside():
    """Of the four teams of the other academy one has a score there: the mean of all less the academy's would be that team's."""
    study = make_study("first")
    for n in range(10):
        rows = varied(5, n)
        if n > 6:
            del rows[0]["AA1"]
        seal(make_team(study, f"Team {n}", approached=5, academy=f"Academy {n // 6}"), rows)
    publish(analyse(study), None)
    report = served.of_academy(study, Academy.objects.get(name="Academy 0")).report("en")
    first, second, *_others = report.scales
    assert not isinstance(report.benchmark, Withheld)
    assert (first.benchmark, first.beside_all) == (None, None)
    assert not isinstance(first.shown, Withheld)
    assert second.benchmark is not None


def test_an_object_of_an_older_release_says_nothing_of_a_subject_that_not_all_units_have():
    """It does not say which units are behind a mean, so that nobody can judge it."""
    study = make_study("first")
    for n in range(6):
        rows = varied(5, n)
        if n > 2:
            del rows[0]["AA1"]
        seal(make_team(study, f"Team {n}", approached=5), rows)
    publish(analyse(study), None)
    academy = Academy.objects.get()
    row = ReportObject.objects.get(reader=f"academy:{academy.pk}")
    row.content["scales"] = [scale[:3] for scale in row.content["scales"]]
    row.schema = 1
    row.save()
    first, second, *_others = served.of_academy(study, academy).report("en").scales
    assert isinstance(first.shown, Withheld)
    assert not isinstance(second.shown, Withheld)
    assert None not in [item.mean for item in second.items]


def test_a_pdf_made_with_the_wave_before_is_not_given_out_when_that_waves_object_is_gone():
    first = a_wave("first")
    publish(analyse(first), None)
    second = a_wave("second", SIZES, first)
    publication = publish(analyse(second), None)
    files.make_files(publication.pk)
    team = participations(second)[1]
    assert served.of_team(team).report("en").has_previous
    assert files.is_ready(served.of_team(team), "nl")
    before = Participation.objects.get(study=first, team=team.team)
    withdraw_after_publication(before)
    assert not served.of_team(team).report("en").has_previous
    assert not files.is_ready(served.of_team(team), "nl")
    assert files.make_anew() >= 2


def test_a_pdf_with_days_that_were_corrected_since_is_made_anew():
    study = a_wave("first")
    publication = publish(analyse(study), None)
    files.make_files(publication.pk)
    Study.objects.filter(pk=study.pk).update(starts_on="2026-02-01")
    team = participations(study)[1]
    assert not files.is_ready(served.of_team(team), "nl")
    assert not files.is_ready(served.of_study(team.study), "nl")
    assert files.make_anew() > 4


def withdraw_after_publication(team: Participation) -> None:
    Participation.objects.filter(pk=team.pk).update(state=Participation.State.WITHDRAWN)
    assert withdrawals.carry_out() == 1


def test_what_a_director_does_not_see_by_itself_any_more_is_no_rest_of_a_mean_either():
    """All of an academy's teams were seen by themselves; then one withdraws, or its counts are corrected."""
    study = a_wave("first")
    teams = participations(study)
    academy = teams[0].team.academy
    inside = [team for team in teams if team.team.academy_id == academy.pk]
    Participation.objects.filter(study=study).update(director_sees_team=True)
    publish(analyse(study), None)
    assert not isinstance(served.of_academy(study, academy).report("en").scales, Withheld)
    Collection.objects.filter(participation=inside[1]).update(n_links=2, n_confirmed=2)
    assert isinstance(served.of_academy(study, academy).report("en").scales, Withheld)
    Collection.objects.filter(participation=inside[1]).update(n_links=15, n_confirmed=15)
    assert not isinstance(served.of_academy(study, academy).report("en").scales, Withheld)
    withdraw_after_publication(inside[1])
    assert isinstance(served.of_academy(study, academy).report("en").scales, Withheld)


def test_a_director_still_reads_a_combination_whose_first_team_withdrew():
    study = a_wave("first")
    first, other = participations(study)[6:8]
    Participation.objects.filter(pk__in=[first.pk, other.pk]).update(director_sees_team=True)
    publish(analyse(study), None)
    withdraw_after_publication(first)
    shown = dict(served.of_academy(study, other.team.academy).report("en").teams)["Team 6 + Team 7"]
    assert not isinstance(shown, Withheld)
    assert not isinstance(shown.scales, Withheld)


def test_objects_made_late_are_none_of_a_team_that_withdrew_while_they_were_made(monkeypatch):
    study = a_wave("first")
    publication = publish(analyse(study), None)
    ReportObject.objects.all().delete()
    team = participations(study)[1]

    def then_it_withdraws(run: AnalysisRun) -> Material:
        made = read_material(run)
        withdraw_after_publication(team)
        return made

    monkeypatch.setattr(objects, "read_material", then_it_withdraws)
    assert objects.make_missing(publication)
    assert not ReportObject.objects.filter(reader=objects.team_key(team.pk)).exists()
    assert ReportObject.objects.exists()
