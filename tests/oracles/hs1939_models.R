# Models that the main oracle files do not have: second-order factors, a bifactor model, residual covariances, equality
# and fixed values by label and by group, mean structures, clusters, scaled-shifted tests over groups.
#
# Run with R >= 4.2 and lavaan 0.6-14 or later, from this folder:   Rscript hs1939_models.R
# Writes hs1939_models.json: per fit the model, the options, fitMeasures and parameterEstimates.
# lavaan's optimiser stops early by default; rel.tol = 1e-15 runs it into rounding, which it reports as "false
# convergence", hence optim.force.converged.
suppressMessages({library(lavaan); library(jsonlite)})

three <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
two <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6"
cases <- list(
  second_order = list(model = paste0(three, "\nability =~ visual + textual + speed"), estimators = c("ML", "MLM", "MLR")),
  second_order_std_lv = list(model = paste0(three, "\nability =~ visual + textual + speed"), std.lv = TRUE,
                             estimators = c("ML", "MLR")),
  second_order_cluster = list(model = paste0(three, "\nability =~ visual + textual + speed"), cluster = "team",
                              estimators = "MLR"),
  bifactor = list(model = paste("g =~ x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9", "t =~ x4 + x5 + x6",
                                "s =~ x7 + x8 + x9", "g ~~ 0*t + 0*s", "t ~~ 0*s", sep = "\n"),
                  std.lv = TRUE, estimators = c("ML", "MLM", "MLR")),
  residual_covariances = list(model = paste0(three, "\nx7 ~~ x8\nx1 ~~ x4"), estimators = c("ML", "MLM", "MLR")),
  single_indicator = list(model = "f =~ x1\ng =~ x4 + x5 + x6", estimators = c("ML", "MLM", "MLR")),
  cross_loading = list(model = paste0(three, "\nvisual =~ x9"), estimators = c("ML", "MLM", "MLR")),
  labels = list(model = paste("visual =~ NA*x1 + a*x1 + a*x2 + x3", "textual =~ x4 + x5 + x6", "visual ~~ 1*visual",
                              "x4 ~~ e*x4", "x5 ~~ e*x5", sep = "\n"), estimators = c("ML", "MLM", "MLMV", "MLR")),
  fixed_loadings = list(model = "f =~ 1*x1 + 1*x2 + 1*x3 + 1*x4", estimators = c("ML", "MLM", "MLR")),
  parallel = list(model = paste("f =~ a*x4 + a*x5 + a*x6", "x4 ~~ v*x4", "x5 ~~ v*x5", "x6 ~~ v*x6", sep = "\n"),
                  std.lv = TRUE, estimators = c("ML", "MLM", "MLR")),
  uncorrelated = list(model = paste0(three, "\nvisual ~~ 0*textual"), estimators = c("ML", "MLM", "MLR")),
  correlation_one = list(model = paste0(three, "\nvisual ~~ 1*textual"), std.lv = TRUE,
                         estimators = c("ML", "MLM", "MLR")),
  factor_mean = list(model = paste0(two, "\nx1 ~ 0*1\nvisual ~ NA*1\nx2 ~ 4*1"), estimators = c("ML", "MLM", "MLR")),
  mean_structure = list(model = paste0(two, "\nx1 ~ 1"), estimators = c("ML", "MLM", "MLR")),
  saturated = list(model = "f =~ x1 + x2 + x3", estimators = c("ML", "MLM", "MLR")),
  groups = list(model = two, group = "school", estimators = c("ML", "MLM", "MLR")),
  group_modifiers = list(model = paste("visual =~ x1 + c(0.5, NA)*x2 + c(a, a)*x3",
                                       "textual =~ x4 + c(b1, b2)*x5 + d*x6", "x1 ~ c(i, i)*1", sep = "\n"),
                         group = "school", estimators = c("ML", "MLM", "MLR")),
  group_loadings_std_lv = list(model = two, group = "school", std.lv = TRUE, group.equal = "loadings",
                               estimators = c("ML", "MLM", "MLR")),
  group_intercepts_std_lv = list(model = two, group = "school", std.lv = TRUE,
                                 group.equal = c("loadings", "intercepts"), estimators = c("ML", "MLMV", "MLR")),
  group_cluster = list(model = two, group = "school", cluster = "team", group.equal = "loadings", estimators = "MLR"),
  few_respondents = list(model = "f =~ x1 + x2 + x3 + x4", head = 25, estimators = c("ML", "MLM", "MLR"))
)

fits <- list()
for (name in names(cases)) for (estimator in cases[[name]]$estimators) {
  case <- cases[[name]]
  data <- read.csv("hs1939.csv")
  data$team <- (seq_len(nrow(data)) * 7) %% 41
  if (!is.null(case$head)) data <- head(data, case$head)
  options <- case[intersect(names(case), c("std.lv", "group", "group.equal", "cluster"))]
  arguments <- c(list(model = case$model, data = data, estimator = estimator, control = list(rel.tol = 1e-15),
                      optim.force.converged = TRUE), options)
  fit <- suppressWarnings(do.call("cfa", arguments))
  measures <- suppressWarnings(fitMeasures(fit))
  measures <- measures[!grepl("gfi", names(measures))]  # redefined in lavaan 0.7
  rows <- parameterEstimates(fit, standardized = TRUE, remove.nonfree = FALSE)
  rows$std.all.se <- standardizedSolution(fit)$se
  rows <- rows[, intersect(c("lhs", "op", "rhs", "group", "est", "se", "std.lv", "std.all", "std.all.se"), names(rows))]
  fits[[paste0(name, "__", tolower(estimator))]] <- list(
    model = case$model, options = options, head = case$head, n_obs = lavInspect(fit, "ntotal"),
    fit = as.list(unclass(measures)), parameters = rows
  )
}
meta <- list(R = R.version.string, lavaan = as.character(packageVersion("lavaan")), data = "hs1939.csv",
             note = "team = (row * 7) mod 41")
writeLines(toJSON(list(meta = meta, fits = fits), digits = 15, auto_unbox = TRUE, na = "null"), "hs1939_models.json")
