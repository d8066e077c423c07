# Expected values for the demo study, from R with lavaan and psych as Debian 12 ships them.
#
# The answers are those of the main wave of analysis.simulation: who said yes to the first question and left at most a
# quarter of the 36 items open. They are written by
#   python -m tests.oracles.demo_answers tests/oracles/demo.csv
# and the expected values by
#   Rscript tests/oracles/demo.R tests/oracles/demo.csv tests/oracles/demo.json
#
# lavaan's optimiser stops some 1e-6 short of the optimum, so every fit is refined by Newton steps on lavaan's own
# gradient and observed information before its results are taken, as for the other oracles (README.md).
suppressPackageStartupMessages({library(lavaan); library(psych); library(jsonlite)})
arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
scales <- c("GV", "IV", "IS", "OD", "CH", "ER")
items <- lapply(scales, function(s) paste0(s, 1:6))
names(items) <- scales
line <- function(factor, of) paste(factor, "=~", paste(of, collapse = " + "))
lines <- function(which) paste(mapply(line, which, items[which]), collapse = "\n")
models <- list(
  `6f` = lines(scales),
  `5f` = lines(setdiff(scales, "IV")),
  `4f` = paste(lines(c("GV", "OD", "CH")), line("ER", c(items$IS, items$ER)), sep = "\n"),
  OD = line("OD", items$OD),
  OD_twolevel = paste("level: 1", line("ODw", items$OD), "level: 2", line("ODb", items$OD), sep = "\n")
)

polished <- function(...) {
  fit <- cfa(...)
  for (step in 1:20) {
    gradient <- lavTech(fit, "gradient")
    if (max(abs(gradient)) < 1e-11) break
    table <- parTable(fit)
    free <- table$free > 0
    unit <- lavTech(fit, "information.observed")
    move <- solve(unit, gradient)
    table$est[free] <- table$est[free] - as.vector(move)[table$free[free]]
    table$ustart <- table$est
    table$start <- NULL
    table$se <- NULL
    arguments <- list(...)
    arguments[[1]] <- table
    fit <- do.call("cfa", c(arguments, list(optim.method = "none")))
  }
  attr(fit, "polish") <- max(abs(lavTech(fit, "gradient")))
  fit
}

results <- function(fit) {
  columns <- c("lhs", "op", "rhs", "level", "est", "se", "std.all")
  parameters <- parameterEstimates(fit, standardized = TRUE, remove.nonfree = FALSE)
  measures <- suppressWarnings(fitMeasures(fit))
  list(
    grad = attr(fit, "polish"), n_obs = lavInspect(fit, "ntotal"), n_free_parameters = lavInspect(fit, "npar"),
    fit = as.list(setNames(as.numeric(measures), names(measures))),
    parameters = parameters[intersect(columns, names(parameters))],
    modification_indices_top5 = head(suppressWarnings(modindices(fit, sort. = TRUE)), 5)
  )
}

fits <- list()
take <- function(name, ...) {
  message(name)
  fits[[name]] <<- suppressWarnings(results(polished(...)))
}
for (name in c("6f", "5f", "4f")) {
  take(paste0(name, "__ml"), models[[name]], data, estimator = "ML")
  take(paste0(name, "__mlr_cluster"), models[[name]], data, estimator = "MLR", cluster = "team")
}
take("4f__mlm", models[["4f"]], data, estimator = "MLM")
take("OD__fiml", models$OD, data, missing = "ml", em.h1.tol = 1e-11, em.h1.iter.max = 20000)
take("OD__fiml_mlr_cluster", models$OD, data, missing = "ml", estimator = "MLR", cluster = "team",
  em.h1.tol = 1e-11, em.h1.iter.max = 20000)
take("OD_twolevel__ml", models$OD_twolevel, data, cluster = "team", em.h1.tol = 1e-9, em.h1.iter.max = 20000)

statistics <- lapply(items, function(of) {
  complete <- na.omit(data[c(of, "team")])
  score <- rowMeans(complete[of])
  table <- anova(aov(score ~ factor(complete$team)))
  k <- nrow(complete) / length(unique(complete$team))
  between <- table[1, 3]
  within <- table[2, 3]
  list(
    n = nrow(complete), mean = mean(score), sd = sd(score),
    alpha_raw = suppressWarnings(psych::alpha(complete[of], warnings = FALSE))$total$raw_alpha,
    icc1 = (between - within) / (between + (k - 1) * within), icc2 = (between - within) / between
  )
})
meta <- list(
  R = R.version.string, lavaan = as.character(packageVersion("lavaan")), psych = as.character(packageVersion("psych")),
  data_file = basename(arguments[1])
)
output <- list(meta = meta, models = models, fits = fits, scales = statistics)
writeLines(toJSON(output, auto_unbox = TRUE, digits = 15, na = "null", dataframe = "rows", pretty = TRUE), arguments[2])
