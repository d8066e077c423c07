"""Data that allow little or nothing: every statistic gives a result or a named refusal, never a traceback or a warning."""

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis.psychometrics.entry.discriminant import distinguish
from analysis.psychometrics.entry.htmt import htmt
from analysis.psychometrics.entry.reliability_models import omega_with_missing_answers, ordinal_reliability
from analysis.psychometrics.ordinal.ordinal import fit_ordinal
from analysis.psychometrics.scales import correlations, descriptives, screening
from analysis.psychometrics.scales.reliability import omega_total, reliability
from analysis.psychometrics.scales.scoring import score_scales
from analysis.psychometrics.teams import agreement, icc, team_means

NAMES = list("abcdek")
MODEL = "f =~ a + b + c\ng =~ d + e + k"
SCALES = {"s": NAMES[:3], "t": NAMES[3:]}


def frames():
    generator = np.random.default_rng(0)
    base = pd.DataFrame(generator.integers(1, 5, (40, 6)).astype(float), columns=NAMES)
    gaps = base.mask(generator.random(base.shape) < 0.1)
    return {
        "good": base,
        "integers": base.astype(int),
        "nullable integers": gaps.astype("Int64"),
        "objects": gaps.astype(object),
        "booleans": base > 2,
        "no rows": base.iloc[:0],
        "one row": base.iloc[:1],
        "two rows": base.iloc[:2],
        "fewer rows than items": base.iloc[:5],
        "no answers": base * np.nan,
        "an item without variance": base.assign(a=2.0),
        "no variance at all": base * 0 + 3,
        "two items alike": base.assign(b=base["a"]),
        "two items opposed": base.assign(b=5 - base["a"]),
        "an item that is a sum": base.assign(c=base["a"] + base["b"]),
        "mostly gaps": base.mask(generator.random(base.shape) < 0.8),
        "items never answered together": base.assign(a=base["a"].where(base.index < 20), b=base["b"].where(base.index >= 20)),
        "two categories": (base > 2).astype(float),
        "a category chosen once": base.assign(a=np.where(base.index == 0, 4.0, 1.0)),
        "an index out of order": base.set_index(pd.Index(generator.permutation(40) + 100)),
        "an index of one value": base.set_index(pd.Index([7] * 40)),
    }  # fmt: skip


FRAMES = frames()


def statistics(items, team):
    score = items.mean(axis=1)
    clustered = items.assign(team=team.to_numpy())
    return {
        "score_scales": lambda: score_scales(items, SCALES),
        "apply_rules": lambda: screening.apply_rules(items, NAMES),
        "careless_flags": lambda: screening.careless_flags(items, SCALES),
        "describe": lambda: (descriptives.description_to_dict(items), descriptives.description_problems(items)),
        "distributions": lambda: descriptives.distributions(items, [1, 2, 3, 4]),
        "correlations": lambda: [correlations.correlation_matrix(items, missing=m) for m in ("listwise", "pairwise")],
        "factorability": lambda: (correlations.factorability(items), correlations.mardia(items)),
        "reliability": lambda: [reliability(items, missing=m).to_dict() for m in ("listwise", "pairwise")],
        "omega": lambda: omega_total(items),
        "omega with gaps": lambda: omega_with_missing_answers(items),
        "ordinal reliability": lambda: ordinal_reliability(items),
        "nesting": lambda: (icc.nesting(score, team), icc.level_correlations(items, team)),
        "agreement": lambda: agreement.agreement(items, team).to_dict(),
        "team_statistics": lambda: team_means.team_statistics(score, team),
        "means": lambda: (team_means.mean_over_respondents(score, team), team_means.mean_over_teams(score, team)),
        "shrunken means": lambda: team_means.shrunken_team_means(score, team, n_draws=20),
        "htmt": lambda: [htmt(items, SCALES, team, correlation=c, n_replicates=20) for c in ("pearson", "polychoric")],
        "WLSMV": lambda: [fit_ordinal(MODEL, items, missing=m).to_dict() for m in ("listwise", "pairwise")],
        "WLSMV with clusters": lambda: fit_ordinal(MODEL, clustered, cluster="team").to_dict(),
        "distinguish": lambda: distinguish(MODEL, clustered, cluster="team", n_replicates=20, pairs=[("f", "g")]).to_dict(),
    }  # fmt: skip


@pytest.mark.parametrize("teams", ["five teams", "no teams"])
@pytest.mark.parametrize("name", FRAMES)
def test_there_is_a_result(name, teams):
    items = FRAMES[name]
    names = [f"t{i % 5}" if teams == "five teams" else None for i in range(len(items))]
    team = pd.Series(names, index=items.index, dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for statistic, compute in statistics(items, team).items():
            try:
                compute()
            except Exception as error:
                raise AssertionError(f"{statistic} on {name} with {teams}") from error
