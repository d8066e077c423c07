"""A script for R that computes the run anew with lavaan and psych, and compares: scores, alphas, factor models.

The script is written out per study, so that it reads like the analysis it repeats. It stops with an error when a number
differs from the page's by more than the tolerance that stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO

from django.conf import settings
from django.utils.translation import override

from analysis.exports.archives import write_zip
from analysis.exports.csv_file import write_csv
from analysis.exports.result_tables import csv_lines
from analysis.exports.rows import ReleasedRows
from analysis.models import AnalysisRun
from analysis.models.results import FactorModelResult, ReliabilityResult, ScaleResult
from analysis.plan.plans import ScalePlan
from analysis.reports.quality import Caution, reliability_figures
from analysis.results.model_fit import fit_of
from analysis.results.models_of_run import fitted_models, scales_of
from teams.files.tables import Cell
from teams.text.directions import in_one_line

#: Fit measures that are compared, by lavaan's names. Which a model has depends on its estimator.
MEASURES = (
    "chisq",
    "df",
    "pvalue",
    "cfi",
    "tli",
    "rmsea",
    "srmr",
    "chisq.scaled",
    "cfi.robust",
    "tli.robust",
    "rmsea.robust",
)
README = """\
responses.csv   one row per response, without names; cannot judge is x, no answer is empty
analysis.R      computes scale scores, alphas and factor models with R (lavaan, psych)
expected.csv    what Teamspiegel's page shows for the same data (analysis {run}, plan {plan})

In this folder:  Rscript analysis.R
It prints the largest difference per kind of number and stops with an error when one is above its tolerance.
{marks}"""
BEGINNING = """\
# {title}
# Repeats analysis {run} of Teamspiegel (plan {plan}) with lavaan and psych, and compares.
# R packages: install.packages(c("lavaan", "psych")).  Run:  Rscript analysis.R
suppressPackageStartupMessages({{library(lavaan); library(psych)}})

data <- read.csv("responses.csv", fileEncoding = "UTF-8-BOM", na.strings = "", stringsAsFactors = FALSE,
                 check.names = FALSE)
data <- data[is.na(data$set_aside), ]  # the rules of the plan set the others aside
highest <- {points}  # answers are 1 to this

"""
SCORES = """
# Answers as numbers: "x" (cannot judge) is no answer.
items <- unique(unlist(lapply(scale_sets, function(set) lapply(set, `[[`, "items"))))
data[items] <- lapply(data[items], function(answers) suppressWarnings(as.numeric(answers)))
keyed <- data
for (item in unique(unlist(lapply(scale_sets, function(set) lapply(set, `[[`, "reverse"))))) {
  keyed[[item]] <- highest + 1 - keyed[[item]]
}
found <- list()
add <- function(set, name, statistic, value) {
  found[[length(found) + 1]] <<- data.frame(set = set, name = name, statistic = statistic, value = as.numeric(value))
}

# Scale scores: the mean of the answered items, if enough were answered.
scores <- data.frame(row.names = seq_len(nrow(keyed)))
for (set in names(scale_sets)) for (name in names(scale_sets[[set]])) {
  scale <- scale_sets[[set]][[name]]
  answers <- keyed[scale$items]
  score <- rowMeans(answers, na.rm = TRUE)
  score[rowSums(!is.na(answers)) < scale$minimum] <- NA
  scores[[paste(set, name, sep = ".")]] <- score
  add(set, name, "n", sum(!is.na(score)))
  add(set, name, "mean", mean(score, na.rm = TRUE))
  add(set, name, "sd", sd(score, na.rm = TRUE))
  alpha <- suppressWarnings(psych::alpha(na.omit(answers), warnings = FALSE, check.keys = FALSE))
  add(set, name, "alpha", alpha$total$raw_alpha)
}
write.csv(scores, "scores.csv", row.names = FALSE)

# Factor models: respondents who answered all items of the model.
for (model in models) {
  arguments <- list(model = model$syntax, data = keyed, estimator = model$estimator)
  if (model$cluster) arguments$cluster <- "team"
  fit <- suppressWarnings(do.call("cfa", arguments))
  label <- paste(model$name, model$estimator)
  measures <- suppressWarnings(fitMeasures(fit))
  for (measure in names(measures)) add("fit", label, measure, measures[[measure]])
  parameters <- parameterEstimates(fit, standardized = TRUE)
  parameters <- parameters[parameters$op %in% c("=~", "~~"), ]
  for (row in seq_len(nrow(parameters))) {
    parameter <- paste(parameters$lhs[row], parameters$op[row], parameters$rhs[row])
    for (column in c("est", "se", "std.all")) {
      add("parameter", paste(label, parameter), column, parameters[[column]][row])
    }
  }
}

# The comparison. lavaan's optimiser stops a little short of the optimum: hence two tolerances.
expected <- read.csv("expected.csv", fileEncoding = "UTF-8-BOM", stringsAsFactors = FALSE)
marked <- expected[nzchar(expected$mark), c("set", "name", "statistic", "value", "mark")]
if (nrow(marked) > 0) {
  cat("Figures with a mark (README.txt says what each means):\\n")
  print(marked[marked$set != "parameter", ], row.names = FALSE)
}
both <- merge(expected, do.call(rbind, found), by = c("set", "name", "statistic"), suffixes = c(".page", ".R"))
if (nrow(both) != nrow(expected)) stop("R computed ", nrow(both), " of the ", nrow(expected), " numbers of the page")
both$difference <- abs(both$value.page - both$value.R) / pmax(1, abs(both$value.page))
both$kind <- ifelse(both$set %in% names(scale_sets), "scores and alphas", "factor models")
both$tolerance <- ifelse(both$kind == "scores and alphas", 1e-9, 1e-4)
print(aggregate(difference ~ kind, both, max))
print(aggregate(value.page ~ kind, both, length))
off <- both[both$difference > both$tolerance, ]
if (nrow(off) > 0) {
  print(off[order(-off$difference), ], row.names = FALSE)
  stop(nrow(off), " numbers differ from the page's by more than the tolerance")
}
cat("All", nrow(both), "numbers equal those of the page within the tolerance.\\n")
"""


def write_r(rows: ReleasedRows, run: AnalysisRun, out: IO[bytes]) -> None:
    """Write data, script and the page's numbers as one archive."""
    clustered = rows.team is not None
    expected = "".join(csv_lines(expected_rows(run, clustered=clustered)))
    write_zip(
        out,
        {
            "README.txt": README.format(
                run=run.pk, plan=run.plan.content_hash[:12], marks=_marks_in_words(run, clustered=clustered)
            ),
            "responses.csv": lambda file: write_csv(rows, file),
            "analysis.R": script(run, clustered=clustered),
            "expected.csv": expected,
        },
    )


def _marks_in_words(run: AnalysisRun, *, clustered: bool) -> str:
    """What the marks in expected.csv mean, of those that stand there."""
    rows = list(expected_rows(run, clustered=clustered))[1:]
    marks = {mark for row in rows for mark in str(row[-1]).split()}
    with override(settings.SOURCE_LANGUAGE):
        lines = [f"  {caution}: {caution.explanation}" for caution in Caution if caution in marks]
    return "\n".join(["", "Marks of figures in expected.csv:", *lines, ""]) if lines else ""


def script(run: AnalysisRun, *, clustered: bool) -> str:
    """The script. Without the team in the file (``clustered`` False) models with errors robust to teams are left out."""
    survey = run.survey
    parts = [
        BEGINNING.format(
            title=in_one_line(survey.study.title),
            run=run.pk,
            plan=run.plan.content_hash[:12],
            points=len(run.survey.version.content["options"]),
        ),
        "scale_sets <- list(\n",
        ",\n".join(f"  {of.scale_set} = list(\n{_scales(of.scales)}\n  )" for of in scales_of(run)),
        "\n)\n\nmodels <- list(\n",
        ",\n".join(_models(run, clustered)),
        "\n)\n",
    ]
    if not clustered:
        parts.append("# MLR is left out: its errors are robust to teams, and the team is not in this release.\n")
    return "".join([*parts, SCORES])


def _scales(scales: Sequence[ScalePlan]) -> str:
    return ",\n".join(
        f'    "{scale.code}" = list(items = {_vector(scale.items)}, reverse = {_vector(scale.reverse_keyed)}, '
        f"minimum = {scale.minimum_answered})"
        for scale in scales
    )


def _models(run: AnalysisRun, clustered: bool) -> list[str]:
    return [
        f'  list(name = "{row.name}", estimator = "{row.estimator}", cluster = {"TRUE" if _cluster(row) else "FALSE"},\n'
        f'    syntax = "{row.syntax}")'
        for row in fitted_models(run)
        if clustered or not _cluster(row)
    ]


def _cluster(row: FactorModelResult) -> bool:
    return row.estimator == "MLR"


def _vector(codes: Sequence[str]) -> str:
    return "c(" + ", ".join(f'"{code}"' for code in codes) + ")" if codes else "character(0)"


def expected_rows(run: AnalysisRun, *, clustered: bool) -> Iterator[Sequence[Cell]]:
    """The numbers of the page that the script computes too, with all their digits."""
    yield ("set", "name", "statistic", "value", "mark")
    for scores in ScaleResult.objects.filter(run=run, participation=None).order_by("pk"):
        for statistic in ("n", "mean", "sd"):
            value = getattr(scores, statistic)
            if value is not None:
                yield (scores.scale_set, scores.scale, statistic, value, "")
    for reliability in ReliabilityResult.objects.filter(run=run).order_by("pk"):
        alpha = reliability_figures(reliability).alpha
        if alpha.value is not None:
            yield (reliability.scale_set, reliability.scale, "alpha", alpha.value, " ".join(alpha.cautions))
    for model in fitted_models(run):
        if _cluster(model) and not clustered:
            continue
        label = f"{model.name} {model.estimator}"
        mark = " ".join(fit_of(model).cautions)
        for measure in MEASURES:
            if model.fit.get(measure) is not None:
                yield ("fit", label, measure, float(model.fit[measure]), mark)
        for parameter in model.content["parameters"]:
            if parameter["op"] not in ("=~", "~~"):
                continue
            name = f"{label} {parameter['lhs']} {parameter['op']} {parameter['rhs']}"
            for column in ("est", "se", "std.all"):
                if parameter[column] is not None:
                    yield ("parameter", name, column, float(parameter[column]), mark)
