"""Reports and publishing on a small sealed study: what readers see, from result rows to the report object."""

import numpy as np
import pytest
from django.utils.translation import override

from analysis.data import dataset
from analysis.disclosure import Capped, ItemMean, MeanShown, NearlyAll, Reason, Spread, Withheld, show_aggregate
from analysis.models import AccountingDecision, AnalysisRun, Unit
from analysis.psychometrics.scales.scoring import score_scales
from analysis.psychometrics.teams.team_means import mean_over_respondents
from analysis.publication.publishing import PublishingRefused, publish
from analysis.publication.standing import published_run
from analysis.reports.groups import load_groups
from analysis.reports.objects import Benchmark
from analysis.reports.team import team_report
from analysis.reports.wide import academy_report
from analysis.reports.wording import caption, how_measured
from analysis.runs.execution import execute, request_run
from surveys.models import Collection, Survey
from teams.models import Participation, Study
from tests.analysis.builders import answers, make_study, make_team, seal

pytestmark = pytest.mark.django_db


def varied(size: int, shift: int = 0) -> list[dict[str, object]]:
    return [
        answers(*[(person * (item + 2) + shift + item // 3) % 4 + 1 for item in range(9)]) for person in range(size)
    ]


def analyse(study: Study) -> AnalysisRun:
    run = request_run(Survey.objects.get(study=study))
    assert execute(run.pk)
    return AnalysisRun.objects.select_related("survey__study", "survey__version", "plan").get(pk=run.pk)


@pytest.fixture
def study() -> Study:
    return make_study()


@pytest.fixture
def teams(study: Study) -> list[Participation]:
    """Four teams that may be shown and one of four people, in two academies."""
    made = []
    for number, size in enumerate((6, 12, 7, 9, 4)):
        team = make_team(study, f"Team{number}", approached=15, academy="Big" if number < 3 else "Small")
        seal(team, varied(size, number))
        made.append(team)
    return made


def scales(report):
    assert not isinstance(report.scales, Withheld)
    return {scale.code: scale for scale in report.scales}


def test_a_team_sees_means_and_a_benchmark_over_units_only(study, teams):
    run = analyse(study)
    report = team_report(run, teams[0], "en")
    assert report.benchmark == Benchmark(n_units=4, n_teams=5, n_respondents=34)
    first = scales(report)["AA"]
    assert isinstance(first.shown, MeanShown)
    assert isinstance(first.benchmark, MeanShown)
    assert first.shown.mean == round(first.shown.mean, 1)
    assert report.returned == 6
    assert all(isinstance(item.shown, (ItemMean, Capped)) for item in first.items), "no distributions below 2k"


def test_the_benchmark_equals_the_engine_on_single_scores(study, teams):
    run = analyse(study)
    groups = [group for group in load_groups(run) if group.group.analysed >= 5]
    data = dataset.load(run.survey)
    inside = np.isin(data.respondents["participation"], [t.participation.pk for g in groups for t in g.teams])
    items = ["BB1", "BB2", "BB3"]
    answers = dataset.as_table(data.codes[inside], data.items)
    scores = score_scales(answers, {"BB": items})["BB"]
    expected = mean_over_respondents(scores, data.respondents["participation"][inside])
    # made of the exact team means it is the engine's, rounded; readers get it from what is shown of the teams
    means = [(f.n, f.mean) for g in groups if (f := g.scale("BB")).mean is not None]
    ours = show_aggregate(means, 4, Spread(0.5, 100), like_these=True)
    assert ours.mean == pytest.approx(expected.mean, abs=0.005)
    assert (ours.low, ours.high) == (
        pytest.approx(expected.ci_lower, abs=0.01),  # rounded outward
        pytest.approx(expected.ci_upper, abs=0.01),
    )
    shown = scales(team_report(run, teams[0]))["BB"].benchmark
    assert shown.mean == pytest.approx(expected.mean, abs=0.05)


def test_a_team_below_k_gets_no_figures(study, teams):
    report = team_report(analyse(study), teams[4])
    assert report.scales == Withheld(Reason.TOO_FEW)


def test_where_everybody_answered_nobody_is_said_to_be_absent(study, teams):
    full = make_team(study, "Full", approached=10)
    seal(full, varied(10, 3))
    run = analyse(study)
    some, everybody = team_report(run, teams[1], "en"), team_report(run, full, "en")
    with override("en"):
        for report, said, unsaid in (
            (some, "did not answer, and may think otherwise.", "Everybody answered."),
            (everybody, "Everybody answered.", "did not answer"),
        ):
            words = " ".join([*report.findings[-1].sentences, *how_measured(report), caption(report)])
            assert said in words
            assert unsaid not in words
        assert any(
            line.startswith("With the lowest possible score of those who did not answer, yours on")
            for line in some.findings[-1].sentences
        )
        assert "if everybody had answered" not in " ".join([*how_measured(some), caption(some)]), (
            "the bar is about chance"
        )
        assert any("other way round" in line for line in how_measured(some)), "AA3 is reverse-keyed"


def test_sibling_teams_combined_get_one_report(study, teams):
    unit = Unit.objects.create(study=study, academy=teams[3].team.academy, name="Team3 and Team4")
    unit.participations.set([teams[3], teams[4]])
    run = analyse(study)
    small, large = team_report(run, teams[4]), team_report(run, teams[3])
    assert small.combined_with == ("Team3",)
    assert [s.shown for s in small.scales] == [s.shown for s in large.scales]
    assert small.benchmark == Benchmark(n_units=5, n_teams=5, n_respondents=38)


def test_more_answers_than_people_wait_for_a_researcher(study, teams):
    Collection.objects.filter(participation=teams[0]).update(n_links=5)
    run = analyse(study)
    assert team_report(run, teams[0]).scales == Withheld(Reason.COUNTS_OPEN)
    AccountingDecision.objects.create(participation=teams[0], reason="One colleague came in late.")
    assert not isinstance(team_report(run, teams[0]).scales, Withheld)


def test_nearly_everybody_alike_is_not_counted_out(study):
    team = make_team(study, "Alike", approached=12)
    seal(team, [answers(4, 4, 1, 4)] * 11 + [answers(4, 4, 2, 4)])
    run = analyse(study)
    scale = scales(team_report(run, team, "en"))["AA"]
    assert isinstance(scale.shown, MeanShown)
    assert (scale.shown.mean, scale.shown.about) == (3.9, True)
    assert [item.shown for item in scale.items] == [NearlyAll(4), NearlyAll(4), NearlyAll(1)]
    assert scale.sentences[0] == "You score about 3.9 on a scale from 1 to 4: clearly above the middle."


def test_an_academy_needs_three_units_and_a_team_its_leaders_word(study, teams):
    run = analyse(study)
    big = academy_report(run, teams[0].team.academy_id, "en")
    small = academy_report(run, teams[3].team.academy_id, "en")
    assert not isinstance(big.scales, Withheld)
    assert small.scales == Withheld(Reason.FEW_TEAMS)
    assert all(report == Withheld(Reason.NOT_AGREED) for _name, report in big.teams)


def test_publishing_is_once_per_run_and_readers_see_the_last(study, teams):
    first = analyse(study)
    assert published_run(study.pk) is None
    publication = publish(first, None)
    assert publish(first, None) == publication
    assert published_run(study.pk) == first
    again = analyse(study)
    publish(again, None)
    assert published_run(study.pk) == again
    overtaken = analyse(study)
    analyse(study)
    with pytest.raises(PublishingRefused, match="newer"):
        publish(overtaken, None)


def test_a_correction_of_one_answer_waits(study, teams):
    publish(analyse(study), None)
    # five more people in a new team may be added
    late = make_team(study, "Late")
    seal(late, varied(5, 2))
    run = analyse(study)
    publish(run, None)
    # one person turns out not to be eligible: whoever compares the two reports could work out what they answered
    collection = Collection.objects.get(participation=teams[0])
    response = collection.sealed_responses.first()
    assert response is not None
    response.eligibility = "no_other"
    response.save()
    with pytest.raises(PublishingRefused, match="wait"):
        publish(analyse(study), None)


def test_new_answers_need_a_new_run(study, teams):
    run = analyse(study)
    seal(make_team(study, "Late"), varied(5, 2))
    with pytest.raises(PublishingRefused, match="again"):
        publish(run, None)


def test_a_decision_on_counts_after_publication_waits_for_the_next(study, teams):
    Collection.objects.filter(participation=teams[0]).update(n_links=5)
    run = analyse(study)
    publish(run, None)
    AccountingDecision.objects.create(participation=teams[0], reason="One colleague came in late.")
    assert team_report(run, teams[0]).scales == Withheld(Reason.NOT_IN_VERSION)
    again = analyse(study)
    publish(again, None)
    assert isinstance(team_report(again, teams[0]).scales, tuple)


def test_a_count_corrected_after_publication_changes_no_mean_over_teams(study, teams):
    run = analyse(study)
    publish(run, None)
    before = team_report(run, teams[0], "en")
    Collection.objects.filter(participation=teams[1]).update(n_present=1, n_links=0, n_paper=0)
    assert team_report(run, teams[1], "en").scales == Withheld(Reason.COUNTS_OPEN)
    after = team_report(run, teams[0], "en")
    assert after.benchmark == before.benchmark
    assert scales(after) == scales(before)


def test_a_measured_spread_behind_the_intervals_stays_as_first_published(study, teams):
    for team, size in zip(("One", "Two"), (10, 12), strict=True):
        seal(make_team(study, team, approached=15), varied(size, size))
    publication = publish(analyse(study), None)
    assert {scale: spread["df"] for scale, spread in publication.spreads.items()} == {"AA": 50, "BB": 50, "CC": 50}
    seal(make_team(study, "Late"), [answers(1, 4, 1, 4, 1, 4, 1, 4, 1)] * 6)
    assert publish(analyse(study), None).spreads == publication.spreads


def test_over_few_answers_no_spread_is_measured(study, teams):
    assert publish(analyse(study), None).spreads == {}
