"""The simulated demo study has the figures of the article: counts exactly, statistics within the bounds stated here."""

import time
from collections import Counter
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.demo.simulation import (
    FINAL_SCALES,
    ITEMS,
    SCALES,
    Form,
    Mode,
    Participation,
    Reason,
    Sector,
    SimulatedStudy,
    SimulatedWave,
    item_codes,
    response_frame,
    simulate,
)
from analysis.psychometrics import FitResult, fit
from analysis.psychometrics.scales.reliability import reliability
from analysis.psychometrics.scales.scoring import score_scales
from analysis.psychometrics.scales.screening import apply_rules
from analysis.psychometrics.teams.icc import nesting

MEANS_AND_SDS = {"GV": (2.58, 0.61), "OD": (2.71, 0.60), "CH": (2.89, 0.55), "ER": (2.29, 0.59)}
FINAL_ITEMS = {code: item_codes(*scales) for code, scales in FINAL_SCALES.items()}
THEORETICAL_ITEMS = {scale: item_codes(scale) for scale in SCALES}


def analysed(wave: SimulatedWave) -> pd.DataFrame:
    """The eligible responses that the default screening rule keeps."""
    frame = response_frame(wave)
    eligible = frame[frame["eligibility"] == "yes"]
    return eligible[~apply_rules(eligible, list(ITEMS)).set_aside].reset_index(drop=True)


def participating(wave: SimulatedWave) -> list[Participation]:
    return [participation for participation in wave.participations if participation.state == "participating"]


@pytest.fixture(scope="module")
def study() -> SimulatedStudy:
    return simulate()


@pytest.fixture(scope="module")
def main(study: SimulatedStudy) -> pd.DataFrame:
    return analysed(study.main)


@pytest.fixture(scope="module")
def scores(main: pd.DataFrame) -> pd.DataFrame:
    return score_scales(main, FINAL_ITEMS)


@pytest.fixture(scope="module")
def theoretical(main: pd.DataFrame) -> pd.DataFrame:
    return score_scales(main, THEORETICAL_ITEMS)


# --- who takes part ---------------------------------------------------------------------------------------------------


def test_institutions_academies_teams(study):
    academies = [academy for institution in study.institutions for academy in institution.academies]
    teams = [team for academy in academies for team in academy.teams]
    assert len(study.institutions) == 8
    assert {academy.sector for academy in academies} == set(Sector)
    assert len(teams) == 42
    assert {p.team_code for p in study.main.participations} == {team.code for team in teams}

    contacts = [team.leader for team in teams] + [academy.director for academy in academies]
    assert all(contact.email.isascii() and contact.email.endswith(".example") for contact in contacts)
    for values in (
        [institution.name for institution in study.institutions],
        [academy.code for academy in academies],
        [team.code for team in teams],
        [contact.name for contact in contacts],
        [contact.email for contact in contacts],
    ):
        assert len(set(values)) == len(values)
    for academy in academies:
        assert len({(team.programme, team.form) for team in academy.teams}) == len(academy.teams)


def test_teams_that_take_part_and_decline(study):
    taking_part = {p.team_code for p in participating(study.main)}
    teams = {team.code: team for i in study.institutions for academy in i.academies for team in academy.teams}
    assert len(taking_part) == 36
    assert sum(teams[code].form == Form.PART_TIME for code in taking_part) == 2

    ((declined_academy, refusal),) = study.main.declined_academies.items()
    assert refusal.reason == Reason.REORGANISATION
    (academy,) = (a for i in study.institutions for a in i.academies if a.code == declined_academy)
    declined = {p.team_code: p for p in study.main.participations if p.state == "declined"}
    by_director = {code for code, p in declined.items() if p.declined_by == "director"}
    assert len(by_director) == 5
    assert by_director == {team.code for team in academy.teams}
    assert [p.declined_by for code, p in declined.items() if code not in by_director] == ["leader"]
    for participation in declined.values():
        assert participation.refusal is not None
        assert participation.refusal.explanation
        assert (participation.approached, participation.returned) == (0, 0)


@pytest.mark.parametrize("key", ["main", "earlier"])
def test_counts_of_each_team_fit_together(study, key):
    for team in participating(getattr(study, key)):
        assert team.approached >= team.returned
        if team.mode == Mode.ONLINE:
            assert team.present == 0
        else:
            assert team.approached >= team.present >= team.returned


def test_ways_of_collecting(study):
    modes = Counter(team.mode for team in participating(study.main))
    assert modes[Mode.CONTACT] > modes[Mode.ONLINE]
    assert modes[Mode.RESEARCHER] > modes[Mode.ONLINE]
    assert 2 <= modes[Mode.ONLINE] <= 5


# --- who answered -----------------------------------------------------------------------------------------------------


def test_totals_are_those_of_the_article(study, main):
    frame = response_frame(study.main)
    eligible = frame[frame["eligibility"] == "yes"]
    screening = apply_rules(eligible, list(ITEMS))
    assert sum(team.approached for team in participating(study.main)) == 748
    assert len(frame) == 495
    assert len(frame) - len(eligible) == 14
    assert screening.n_by_first_rule == {"unanswered": 5}
    assert len(main) == 476


def test_analysed_per_team(study, main):
    sizes = main["team"].value_counts()
    assert len(sizes) == 36
    assert sizes.sum() == 476
    assert [int((sizes == n).sum()) for n in (4, 6, 14)] == [1, 1, 1]
    assert (sizes < 5).sum() == 1
    assert 5 <= (sizes < 10).sum() <= 9


def test_academies_that_disclosure_has_to_deal_with(main):
    teams_of = {academy: set(group["team"]) for academy, group in main.groupby("academy")}
    sizes = main["team"].value_counts()
    (smallest,) = sizes[sizes == 4].index
    (fourteen,) = sizes[sizes == 14].index
    assert {smallest, fourteen} in teams_of.values()
    assert 5 in {len(teams) for teams in teams_of.values()}


def test_raw_answers(study):
    for wave in (study.main, study.earlier):
        for response in (response for team in wave.participations for response in team.responses):
            assert tuple(response.answers) == ITEMS
            assert set(response.answers.values()) <= {1, 2, 3, 4, "x", None}
            if response.eligibility == "yes":
                assert any(isinstance(answer, int) for answer in response.answers.values())
            else:
                assert response.eligibility in {"no_too_short", "no_other"}
                assert set(response.answers.values()) == {None}
                assert (response.tenure, response.appointment, response.counsellor) == (None, None, None)


def test_background(study):
    responses = [r for team in study.main.participations for r in team.responses if r.eligibility == "yes"]
    tenure = Counter(response.tenure for response in responses)
    appointment = Counter(response.appointment for response in responses)
    counsellor = Counter(response.counsellor for response in responses)
    assert set(tenure) == {"under_1", "1_to_3", "4_to_10", "over_10", None}
    assert set(appointment) == {"under_0.5", "0.5_to_0.8", "over_0.8", None}
    assert set(counsellor) == {"yes", "no", None}
    assert all(counts[None] < 0.06 * len(responses) for counts in (tenure, appointment, counsellor))


def test_few_items_are_left_open(study, main):
    answers = [
        answer
        for team in study.main.participations
        for response in team.responses
        if response.eligibility == "yes" and sum(not isinstance(a, int) for a in response.answers.values()) <= 9
        for answer in response.answers.values()
    ]
    assert len(answers) == 476 * 36
    assert sum(answer == "x" for answer in answers) > 50
    assert sum(answer is None for answer in answers) > 50
    assert main[list(ITEMS)].isna().to_numpy().mean() == pytest.approx(0.015, abs=0.003)


def test_rows_have_no_order(study):
    """Neither who is not eligible nor who was screened out stands at the end of the team."""
    last = [
        team.responses[-1] for team in participating(study.main) if any(r.eligibility != "yes" for r in team.responses)
    ]
    assert any(response.eligibility == "yes" for response in last)


# --- the figures of the scales ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", list(MEANS_AND_SDS))
def test_final_scales(code, main, scores):
    score = scores[code]
    mean, sd = MEANS_AND_SDS[code]
    assert score.notna().all()
    assert score.mean() == pytest.approx(mean, abs=0.02)
    assert score.std(ddof=1) == pytest.approx(sd, abs=0.02)
    assert (score.min(), score.max()) == (1.0, 4.0)
    assert 0.08 <= nesting(score, main["team"]).icc1 <= 0.14


@pytest.mark.parametrize("items", [*THEORETICAL_ITEMS.values(), FINAL_ITEMS["ER"]], ids=[*THEORETICAL_ITEMS, "IS+ER"])
def test_alpha(items, main):
    assert 0.75 <= reliability(main[items]).alpha_raw <= 0.90


@pytest.mark.parametrize("item", ITEMS)
def test_every_option_of_every_item_is_used(item, main):
    assert set(main[item].dropna()) == {1, 2, 3, 4}


def test_gathering_information_belongs_to_the_organisation(main, theoretical):
    gathering = theoretical["IV"]
    others = theoretical.drop(columns="IV")
    by_institution = gathering.groupby(main["institution"]).transform("mean")
    assert nesting(gathering, main["institution"]).p_value < 0.05
    assert abs(nesting(gathering - by_institution, main["team"]).icc1) < 0.03
    team_icc = nesting(gathering, main["team"]).icc1
    assert team_icc < 0.06
    assert all(team_icc < nesting(others[scale], main["team"]).icc1 for scale in others)
    # It is also less related to the other scales than any two of those are.
    assert others.corrwith(gathering).max() < np.min(others.corr().to_numpy())


# --- the factor models ------------------------------------------------------------------------------------------------


def fitted(scales: Mapping[str, list[str]], main: pd.DataFrame) -> FitResult:
    model = "\n".join(f"{code} =~ {' + '.join(items)}" for code, items in scales.items())
    return fit(model, main, estimator="MLR", cluster="team", std_lv=True)


def correlation_intervals(
    result: FitResult, scales: Mapping[str, list[str]]
) -> dict[tuple[str, str], tuple[float, float]]:
    """95 % intervals of the factor correlations, which are the factor covariances where factor variances are 1."""
    rows = {pair: result.parameter(pair[0], "~~", pair[1]) for pair in combinations(scales, 2)}
    return {pair: (row.ci_lower, row.ci_upper) for pair, row in rows.items()}


FIVE_FACTORS = {scale: item_codes(scale) for scale in ("GV", "IS", "OD", "CH", "ER")}


@pytest.fixture(scope="module")
def five_factors(main: pd.DataFrame) -> FitResult:
    return fitted(FIVE_FACTORS, main)


@pytest.fixture(scope="module")
def four_factors(main: pd.DataFrame) -> FitResult:
    return fitted(FINAL_ITEMS, main)


@pytest.mark.parametrize("scales", [THEORETICAL_ITEMS, FIVE_FACTORS, FINAL_ITEMS], ids=["six", "five", "four"])
def test_factor_models_converge_properly(scales, main):
    result = fitted(scales, main)
    assert result.converged
    # Set aside: rows with open items are dropped, and 36 teams are fewer than the parameters; neither is improper.
    assert {problem.code for problem in result.problems} <= {"cases_dropped", "fewer_clusters_than_parameters"}
    assert np.linalg.eigvalsh(np.asarray(result.factor_correlations[""].values)).min() > 0


def test_disseminating_cannot_be_told_apart_from_evaluating(five_factors):
    intervals = correlation_intervals(five_factors, FIVE_FACTORS)
    low, high = intervals.pop(("IS", "ER"))
    assert low < 1 <= high
    assert len(intervals) == 9
    assert all(upper < 0.90 for _, upper in intervals.values())


def test_merged_model_fits_as_well(five_factors, four_factors):
    """Scaled difference of chi-squares (Satorra and Bentler 2001)."""
    chisq, df, scaling = (
        np.array([model.fit[name] for model in (four_factors, five_factors)])
        for name in ("chisq", "df", "chisq.scaling.factor")
    )
    df_difference = df[0] - df[1]
    scaling_difference = (df[0] * scaling[0] - df[1] * scaling[1]) / df_difference
    assert df_difference == 4
    assert scaling_difference > 0
    assert stats.chi2.sf((chisq[0] - chisq[1]) / scaling_difference, df_difference) > 0.05


def test_four_factor_model_fits(four_factors):
    measures = four_factors.fit
    assert all(measures[name] > 0.95 for name in ("cfi", "cfi.scaled", "cfi.robust"))
    assert all(0 < measures[name] < 0.05 for name in ("rmsea", "rmsea.scaled", "rmsea.robust"))
    assert measures["srmr"] < 0.06


# --- the wave of the year before --------------------------------------------------------------------------------------


def test_earlier_wave(study, main, scores):
    earlier = analysed(study.earlier)
    earlier_scores = score_scales(earlier, FINAL_ITEMS)
    assert set(earlier["team"]) < set(main["team"])
    assert earlier["team"].nunique() == 24
    assert len(earlier) < len(main)
    for code in MEANS_AND_SDS:
        assert 0.03 <= scores[code].mean() - earlier_scores[code].mean() <= 0.15


# --- the generator ----------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_study():
    assert simulate(7) == simulate(7)
    assert simulate(7) != simulate(8)


def test_quick():
    start = time.process_time()
    simulate()
    assert time.process_time() - start < 3
