# CPU seconds that R with lavaan and psych needs for the tasks of bench/psychometrics.py, on the machine it runs on.
# Usage: Rscript psychometrics_peer.R DATA.csv   prints one line per task: name, CPU seconds of R, median of runs
suppressPackageStartupMessages({library(lavaan); library(psych)})
data <- read.csv(commandArgs(trailingOnly = TRUE)[1])
scales <- c("ia", "id", "er", "st", "co", "le")
items <- lapply(scales, function(s) paste0(s, 1:6))
names(items) <- scales
line <- function(factor, of) paste(factor, "=~", paste(of, collapse = " + "))
six <- paste(mapply(line, scales, items), collapse = "\n")
four <- paste(c(line("info", unlist(items[1:3])), mapply(line, scales[4:6], items[4:6])), collapse = "\n")
twolevel <- paste("level: 1", line("stw", items$st), "level: 2", line("stb", items$st), sep = "\n")

icc1 <- function(x, team) {
  table <- anova(aov(x ~ factor(team)))
  k <- length(x) / length(unique(team))
  (table[1, 3] - table[2, 3]) / (table[1, 3] + (k - 1) * table[2, 3])
}
core <- function() {
  for (model in c(four, six)) {
    fitMeasures(cfa(model, data, estimator = "ML"))
    fitMeasures(cfa(model, data, estimator = "MLR", cluster = "team_id"))
  }
  for (s in scales) {
    suppressWarnings(alpha(data[items[[s]]], warnings = FALSE))
    icc1(rowMeans(data[items[[s]]]), data$team_id)
  }
}
seconds <- function(run, times) {
  suppressWarnings(run())  # the first run compiles
  median(replicate(times, {
    time <- system.time(suppressWarnings(run()))
    time[["user.self"]] + time[["sys.self"]]
  }))
}
report <- function(name, value) cat(name, format(value, digits = 6), "\n")
report("version", 0)
cat("lavaan", as.character(packageVersion("lavaan")), "\n")
report("core", seconds(core, 3))
report("wlsmv", seconds(function() fitMeasures(cfa(six, data, estimator = "WLSMV", ordered = TRUE)), 2))
report("twolevel", seconds(function() fitMeasures(cfa(twolevel, data, cluster = "team_id")), 2))
report("ml_six", seconds(function() fitMeasures(cfa(six, data, estimator = "ML")), 3))
