"""The answers of the simulated demo study: from factors of teams and persons to four options and open items.

The model, for item i of scale s, answered by respondent r of team t:

    y = loading_i · (team_ts + person_rs) + team-item_ti + residual_ri,   person_r ~ multivariate t with 4 df
    answer = round(centre_s + offset_i + spread_s · y), cut at 1 and 4

A multilevel factor model whose heavy-tailed person part brings every scale to both ends of its range. `calibrate`
finds centre and spread, so that the final scale scores have the means and standard deviations of the article whatever
the seed.

Everyone who said yes to the first question ("eligible") is one row of the arrays here, in the order of the counts of
the field work; within a team those who will be screened out come last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.demo.counts import Fieldwork
from analysis.demo.people import INSTITUTIONS

Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

SCALES = ("GV", "IV", "IS", "OD", "CH", "ER")
ITEMS_PER_SCALE = 6


def item_codes(*scales: str) -> list[str]:
    """GV1 … GV6 and so on for the scales given."""
    return [f"{scale}{number}" for scale in scales for number in range(1, ITEMS_PER_SCALE + 1)]


ITEMS = tuple(item_codes(*SCALES))
# The scales that remain after the two decisions of the article, each with the scales whose items it holds.
FINAL_SCALES: Mapping[str, tuple[str, ...]] = {"GV": ("GV",), "OD": ("OD",), "CH": ("CH",), "ER": ("IS", "ER")}
# Mean and SD of the final scale scores in the article; for IV, which the article sets aside, our own.
TARGETS: Mapping[str, tuple[float, float]] = {
    "GV": (2.58, 0.61),
    "OD": (2.71, 0.60),
    "CH": (2.89, 0.55),
    "ER": (2.29, 0.59),
    "IV": (2.46, 0.54),
}

# Correlations of the factors, the same within and between teams: IS and ER can hardly be told apart (.99).
FACTOR_CORRELATIONS: Floats = np.array(
    # GV    IV    IS    OD    CH    ER
    [
        [1.00, 0.32, 0.67, 0.66, 0.60, 0.68],
        [0.32, 1.00, 0.36, 0.28, 0.26, 0.36],
        [0.67, 0.36, 1.00, 0.64, 0.58, 0.99],
        [0.66, 0.28, 0.64, 1.00, 0.70, 0.63],
        [0.60, 0.26, 0.58, 0.70, 1.00, 0.58],
        [0.68, 0.36, 0.99, 0.63, 0.58, 1.00],
    ]
)
# Chosen so that six items reach an alpha of about .80 and the twelve items of the merged scale stay below .90.
LOADINGS: Floats = np.array([0.76, 0.66, 0.72, 0.70, 0.64, 0.74])
DEGREES_OF_FREEDOM = 4
# Share of the factor variance between teams; that of IV lies between institutions, not between the teams of one.
TEAM_SHARE = 0.10
INSTITUTION_SHARE = 0.05
# Variance of what a team has in common on one item beyond the factor.
TEAM_ITEM_VARIANCE = 0.008
# Pairs of items with a likeness in wording share this much of their variance beyond the factor: the factor models of
# the demo fit well, but not perfectly.
LIKE_WORDED = (("GV1", "GV2"), ("OD3", "OD5"), ("CH2", "CH4"))
LIKE_WORDED_VARIANCE = 0.10
# How much easier (in scale points) an item is agreed with than its scale as a whole; rotated from scale to scale.
ITEM_OFFSETS: Floats = np.array([0.14, -0.06, 0.04, -0.16, -0.08, 0.12])
# News gets round more readily than results are evaluated: within the merged scale IS lies above ER.
SCALE_OFFSETS: Mapping[str, float] = {"IS": 0.10, "ER": -0.10}

# What became of an item: answered, passed over, or "cannot judge".
ANSWERED, PASSED_OVER, CANNOT_JUDGE = 0, 1, 2
# About one analysed respondent in seven leaves items open, mostly a few: 1.5 % of all answers. Spread evenly over
# everyone, the same number would leave hardly a complete row for a listwise factor model.
OPEN_ITEMS_RESPONDENTS = 0.145
OPEN_ITEMS_BEYOND_ONE = 2.8
# At most two open items of a scale, so that every analysed respondent has all scale scores (4 of 6 answered).
OPEN_ITEMS_PER_SCALE = 2
# More than a quarter of the items open: screened out by the default rule.
MOST_OPEN_ITEMS = len(ITEMS) // 4
# Items about what not every teacher sees are left open more often, by this factor; a scale code means all its items.
HARD_TO_JUDGE: Mapping[str, float] = {"IV": 2.0, "ER1": 3.0, "ER2": 4.0, "ER6": 3.0, "IS1": 2.0, "GV6": 2.0}


# --- factors ----------------------------------------------------------------------------------------------------------


def standardised(draws: Floats) -> Floats:
    """Shift and rotate draws (cases × variables) to mean 0 and covariance I in this very sample.

    36 teams, and 8 institutions even more so, would otherwise scatter their variance widely around the one put in, and
    the ICC of the demo with it.
    """
    centred = draws - draws.mean(axis=0)
    root = np.linalg.cholesky(centred.T @ centred / len(draws))
    rotated: Floats = np.linalg.solve(root, centred.T).T
    return rotated


def draw_team_effects(rng: np.random.Generator, n_teams: int) -> Floats:
    """Team parts of the factors, teams × scales; none for IV, which is about the institution."""
    root = np.linalg.cholesky(FACTOR_CORRELATIONS)
    effects: Floats = np.sqrt(TEAM_SHARE) * standardised(rng.standard_normal((n_teams, len(SCALES)))) @ root.T
    effects[:, SCALES.index("IV")] = 0.0
    return effects


def draw_institution_effects(rng: np.random.Generator) -> Floats:
    """The institutions' part of IV, repeated for each of their teams: teams × scales, 0 for the other scales."""
    draws = np.sqrt(INSTITUTION_SHARE) * standardised(rng.standard_normal((len(INSTITUTIONS), 1)))[:, 0]
    n_teams = [sum(len(academy.teams) for academy in institution.academies) for institution in INSTITUTIONS]
    effects = np.zeros((sum(n_teams), len(SCALES)))
    effects[:, SCALES.index("IV")] = np.repeat(draws, n_teams)
    return effects


def draw_latent_answers(rng: np.random.Generator, effects: Floats, team_of: npt.NDArray[np.intp]) -> Floats:
    """Latent answers y, respondents × items, with variance 1: `effects` is teams × scales, `team_of` its row each."""
    n = len(team_of)
    normal = rng.standard_normal((n, len(SCALES))) @ np.linalg.cholesky(FACTOR_CORRELATIONS).T
    # Multivariate t: one chi-square for all factors of a person. Its variance, df / (df - 2), is brought back to 1.
    stretch = np.sqrt((DEGREES_OF_FREEDOM - 2) / rng.chisquare(DEGREES_OF_FREEDOM, n))
    person_share = np.array([1 - (INSTITUTION_SHARE if scale == "IV" else TEAM_SHARE) for scale in SCALES])
    factors = effects[team_of] + np.sqrt(person_share) * normal * stretch[:, None]

    loadings = np.concatenate([np.roll(LOADINGS, shift) for shift in range(len(SCALES))])
    team_item_variance = np.array([0.0 if item.startswith("IV") else TEAM_ITEM_VARIANCE for item in ITEMS])
    team_item = np.sqrt(team_item_variance) * rng.standard_normal((len(effects), len(ITEMS)))
    residual_variance = 1 - loadings**2 - team_item_variance
    like_worded = np.zeros((n, len(ITEMS)))
    for pair in LIKE_WORDED:
        columns = [ITEMS.index(item) for item in pair]
        like_worded[:, columns] = np.sqrt(LIKE_WORDED_VARIANCE) * rng.standard_normal((n, 1))
        residual_variance[columns] -= LIKE_WORDED_VARIANCE
    residual = np.sqrt(residual_variance) * rng.standard_normal((n, len(ITEMS)))
    from_factors = loadings * np.repeat(factors, ITEMS_PER_SCALE, axis=1)
    latent: Floats = from_factors + team_item[team_of] + like_worded + residual
    return latent


# --- from latent answers to the four options --------------------------------------------------------------------------


@dataclass(frozen=True)
class Scaling:
    """Where the answers to a scale lie among the options: round(centre + item offset + spread · y)."""

    centre: float
    spread: float


def _scales_of(code: str) -> tuple[str, ...]:
    return FINAL_SCALES.get(code, (code,))


def _columns(code: str) -> npt.NDArray[np.intp]:
    return np.array([ITEMS.index(item) for item in item_codes(*_scales_of(code))], dtype=np.intp)


def _options(latent: Floats, code: str, scaling: Scaling) -> Floats:
    """Cut the latent answers to the items of a final scale (or IV) into the options 1 to 4."""
    offsets = [np.roll(ITEM_OFFSETS, SCALES.index(scale)) + SCALE_OFFSETS.get(scale, 0.0) for scale in _scales_of(code)]
    options: Floats = np.clip(np.rint(scaling.centre + np.concatenate(offsets) + scaling.spread * latent), 1, 4)
    return options


def calibrate(latent: Floats, marks: Marks, analysed: Flags) -> dict[str, Scaling]:
    """Find for every final scale, and IV, the scaling that gives the analysed respondents the mean and SD of TARGETS.

    A damped fixed-point iteration. Answers are whole numbers, so mean and SD move in small steps and the iteration need
    not settle: the best of its steps is kept.
    """
    scalings = {}
    for code, (target_mean, target_sd) in TARGETS.items():
        part = latent[analysed][:, _columns(code)]
        answered = marks[analysed][:, _columns(code)] == ANSWERED
        scaling = best = Scaling(target_mean, 1.0)
        smallest_miss = np.inf
        for _ in range(60):
            scores = np.nanmean(np.where(answered, _options(part, code, scaling), np.nan), axis=1)
            mean, sd = float(scores.mean()), float(scores.std(ddof=1))
            miss = max(abs(mean - target_mean), abs(sd - target_sd))
            if miss < smallest_miss:
                best, smallest_miss = scaling, miss
            scaling = Scaling(
                scaling.centre + 0.7 * (target_mean - mean), scaling.spread * float((target_sd / sd) ** 0.7)
            )
        scalings[code] = best
    return scalings


def cut_answers(latent: Floats, scalings: Mapping[str, Scaling]) -> Floats:
    """The option, 1 to 4, for every latent answer."""
    options = np.empty_like(latent)
    for code, scaling in scalings.items():
        options[:, _columns(code)] = _options(latent[:, _columns(code)], code, scaling)
    return options


# --- items left open --------------------------------------------------------------------------------------------------


def analysed_rows(fieldwork: Fieldwork) -> Flags:
    """Which of the eligible respondents are analysed."""
    return np.concatenate(
        [np.arange(count.analysed + count.screened_out) < count.analysed for count in fieldwork.counts.values()]
    )


def draw_open_items(rng: np.random.Generator, analysed: Flags) -> Marks:
    """Which items each eligible respondent left open, and how: at most a quarter, or more where screened out."""
    weights = np.array([HARD_TO_JUDGE.get(item, HARD_TO_JUDGE.get(item[:2], 1.0)) for item in ITEMS])
    marks = np.full((len(analysed), len(ITEMS)), ANSWERED, dtype=np.int8)
    for row in range(len(analysed)):
        order = rng.choice(len(ITEMS), len(ITEMS), replace=False, p=weights / weights.sum())
        if not analysed[row]:
            if rng.random() < 0.6:
                # Stopped half-way, somewhere from the third scale to the fifth.
                marks[row, rng.integers(13, 26) :] = PASSED_OVER
            else:
                marks[row, order[: MOST_OPEN_ITEMS + rng.integers(2, 7)]] = CANNOT_JUDGE
        elif rng.random() < OPEN_ITEMS_RESPONDENTS:
            n_open = min(1 + int(rng.poisson(OPEN_ITEMS_BEYOND_ONE)), MOST_OPEN_ITEMS)
            for item in _at_most_per_scale(order)[:n_open]:
                marks[row, item] = rng.choice((PASSED_OVER, CANNOT_JUDGE))
    return marks


def _at_most_per_scale(order: npt.NDArray[np.int64]) -> list[int]:
    """The items of `order` without those beyond the first OPEN_ITEMS_PER_SCALE of their scale."""
    taken = dict.fromkeys(range(len(SCALES)), 0)
    kept = []
    for item in order.tolist():
        scale = item // ITEMS_PER_SCALE
        if taken[scale] < OPEN_ITEMS_PER_SCALE:
            taken[scale] += 1
            kept.append(item)
    return kept
