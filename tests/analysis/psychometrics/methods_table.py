"""The tables of docs/methods.md: our numbers beside those of R, computed from the oracle files.

``python -m tests.analysis.psychometrics.methods_table`` writes them into the document, between its two marks;
test_methods_table.py fails when they are no longer what the code computes.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analysis.psychometrics import FitResult, fit
from analysis.psychometrics.scales.reliability import omega_total, reliability
from analysis.psychometrics.teams.agreement import agreement
from analysis.psychometrics.teams.icc import nesting
from tests.analysis.psychometrics.conftest import load_data, load_oracle

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "methods.md"
BEGIN = "<!-- computed by tests/analysis/psychometrics/methods_table.py -->"
END = "<!-- end of what is computed -->"

#: Oracle file, data set, fit and the options it takes.
FITS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("hs1939_cfa", "hs1939", "3f__ml", {}),
    ("hs1939_cfa", "hs1939", "3f__mlm", {"estimator": "MLM"}),
    ("hs1939_cfa", "hs1939", "3f__mlr", {"estimator": "MLR"}),
    ("hs1939_cfa", "hs1939_missing", "3f__fiml", {"missing": "fiml"}),
    ("hs1939_cfa", "hs1939_missing", "3f__fiml_mlr", {"missing": "fiml", "estimator": "MLR"}),
    ("hs1939_cfa", "hs1939_ordinal", "3f__wlsmv", {"estimator": "WLSMV", "ordered": True}),
    ("bfi_cfa", "bfi", "5f__ml", {}),
    ("bfi_cfa", "bfi", "5f__mlr", {"estimator": "MLR"}),
    ("bfi_cfa", "bfi", "5f__fiml_mlr", {"missing": "fiml", "estimator": "MLR"}),
    ("simstudy_cfa", "simstudy_complete", "6f__ml", {}),
    ("simstudy_cfa", "simstudy_complete", "6f__mlm", {"estimator": "MLM"}),
    ("simstudy_cfa", "simstudy_complete", "6f__mlr", {"estimator": "MLR"}),
    ("simstudy_cfa", "simstudy_complete", "6f__mlr_cluster", {"estimator": "MLR", "cluster": "team_id"}),
    ("simstudy_cfa", "simstudy_complete", "6f__wlsmv", {"estimator": "WLSMV", "ordered": True}),
    ("simstudy_cfa", "simstudy_complete", "4f__ml", {}),
    ("simstudy_fiml", "simstudy_missing", "6f__fiml", {"missing": "fiml"}),
    ("simstudy_fiml", "simstudy_missing", "6f__fiml_mlr_cluster",
     {"missing": "fiml", "estimator": "MLR", "cluster": "team_id"}),
    ("simstudy_twolevel", "simstudy_complete", "one_factor_er__ml", {"cluster": "team_id"}),
    ("simstudy_twolevel", "simstudy_complete", "two_within_one_between__ml", {"cluster": "team_id"}),
    ("demo", "demo", "6f__ml", {}),
    ("demo", "demo", "4f__mlr_cluster", {"estimator": "MLR", "cluster": "team"}),
)  # fmt: skip
MEASURES = (
    "chisq",
    "chisq.scaled",
    "cfi",
    "cfi.robust",
    "tli",
    "rmsea",
    "rmsea.ci.upper",
    "rmsea.robust",
    "srmr",
    "logl",
)
SCALES = {
    "hs1939": ("visual", ["x1", "x2", "x3"], None),
    "simstudy_complete": ("er", [f"er{i}" for i in range(1, 7)], "team_id"),
}


def below(difference: float) -> str:
    """The power of ten that a difference stays under: digits that agree, not the noise of the last ones."""
    exponent = math.floor(math.log10(difference)) + 1 if difference > 0.0 else -9
    return f"< 1e{max(exponent, -9)}"


def relative(mine: float, theirs: float) -> float:
    return abs(mine - theirs) / max(1.0, abs(theirs))


def fit_rows() -> Iterator[str]:
    yield "| Data | Model and variant | N | χ² (scaled where robust): ours | lavaan | Fit measures | Estimates | SE, relative |"
    yield "| --- | --- | ---: | ---: | ---: | --- | --- | --- |"
    for file, data, name, options in FITS:
        oracle = load_oracle(file)
        expected = oracle["fits"][name]
        model = expected.get("model") or oracle["models"][name.partition("__")[0]]
        result = fit(model, load_data(data), modification=False, **options)
        chisq = "chisq.scaled" if "chisq.scaled" in expected["fit"] else "chisq"
        measures = max(
            relative(result.fit[measure], expected["fit"][measure])
            for measure in MEASURES
            if expected["fit"].get(measure) is not None
        )
        estimates, errors = differences(result, expected["parameters"])
        yield (
            f"| {data} | {name} | {result.n_obs} | {result.fit[chisq]:.4f} | {expected['fit'][chisq]:.4f} "
            f"| {below(measures)} | {below(estimates)} | {below(errors)} |"
        )


def differences(result: FitResult, parameters: list[dict[str, Any]]) -> tuple[float, float]:
    """Largest difference of estimates, and largest relative one of standard errors."""
    estimates = errors = 0.0
    for row in parameters:
        own = result.parameter(row["lhs"], row["op"], row["rhs"], level=row.get("level"))
        estimates = max(estimates, abs(own.est - row["est"]))
        if own.free and row["se"]:
            errors = max(errors, abs(own.se / row["se"] - 1.0))
    return estimates, errors


def scale_rows() -> Iterator[str]:
    yield "| Data | Scale | Quantity | Ours | R | Differs by |"
    yield "| --- | --- | --- | ---: | ---: | --- |"
    for data, (scale, items, team) in SCALES.items():
        oracle, frame = load_oracle(f"{data}_descriptives"), load_data(data)
        expected = oracle["scales"][scale]
        ours = reliability(frame[items])
        omega, _ = omega_total(frame[items])
        rows = [
            ("alpha", ours.alpha_raw, expected["listwise"]["alpha_raw"]),
            ("alpha, lower limit (Feldt)", ours.feldt_lower, expected["listwise"]["alpha_ci95_feldt_lower"]),
            ("lambda 6", ours.lambda6, expected["listwise"]["guttman_lambda6_smc"]),
            ("omega total", omega.omega_model, expected["omega_ml_listwise"]["omega_model"]),
        ]
        if team is not None:
            complete = frame.dropna(subset=items)
            anova = nesting(complete[items].mean(axis=1), complete[team])
            grouping = oracle["grouping"][scale]["scale_score"]
            uniform = agreement(frame[items], frame[team]).nulls["uniform"]
            rows += [
                ("ICC(1)", anova.icc1, grouping["icc1"]),
                ("ICC(2)", anova.icc2, grouping["icc2"]),
                ("ICC(1), REML", anova.icc1_reml, grouping["icc1_reml"]),
                ("design effect", anova.design_effect, grouping["design_effect"]),
                ("rwg(j), uniform, mean", uniform.mean, oracle["grouping"][scale]["rwg_j"]["uniform"]["mean"]),
            ]
        for quantity, mine, theirs in rows:
            yield f"| {data} | {scale} | {quantity} | {mine:.6f} | {theirs:.6f} | {below(abs(mine - theirs))} |"


def tables() -> str:
    """Both tables as Markdown."""
    return "\n".join([*fit_rows(), "", *scale_rows()])


def with_tables(document: str) -> str:
    """The document with the tables as they are computed now."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
