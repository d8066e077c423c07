# Ordinal models and tables that the main oracle files do not have: two categories, mixed numbers of categories, empty cells,
# few respondents, second-order factors, residual covariances, equality and fixed values, groups.
#
# Run with R >= 4.2 and lavaan 0.6-14 or later, from this folder:   Rscript ordinal_models.R
# Writes ordinal_models.json: per fit the model, the options, fitMeasures and parameterEstimates.
# The data are those of hs1939_ordinal.csv with answers merged or taken away by rules of the row and column number, so that
# a test can make the same data without random numbers.
suppressMessages({library(lavaan); library(jsonlite)})

three <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
two <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6"
items <- paste0("x", 1:9)
cases <- list(
  std_lv = list(model = three, std.lv = TRUE, estimators = c("WLSMV", "ULSMV")),
  second_order = list(model = paste0(three, "\nability =~ visual + textual + speed"), estimators = "WLSMV"),
  residual_covariances = list(model = paste0(three, "\nx7 ~~ x8\nx1 ~~ x4"), estimators = "WLSMV"),
  cross_loading = list(model = paste0(three, "\nvisual =~ x9"), estimators = "WLSMV"),
  labels = list(model = "visual =~ NA*x1 + a*x1 + a*x2 + x3\ntextual =~ x4 + x5 + x6\nvisual ~~ 1*visual",
                estimators = "WLSMV"),
  fixed_loadings = list(model = "f =~ 1*x1 + 1*x2 + 1*x3 + 1*x4", estimators = "WLSMV"),
  uncorrelated = list(model = paste0(three, "\nvisual ~~ 0*textual"), estimators = "WLSMV"),
  correlation_one = list(model = paste0(three, "\nvisual ~~ 1*textual"), std.lv = TRUE, estimators = "WLSMV"),
  saturated = list(model = "f =~ x1 + x2 + x3", estimators = "WLSMV"),
  two_categories = list(model = three, data = "binary", estimators = c("WLSMV", "ULSMV")),
  mixed_categories = list(model = three, data = "mixed", estimators = "WLSMV"),
  skewed = list(model = two, data = "skewed", estimators = "WLSMV"),
  empty_cells = list(model = two, data = "skewed", head = 60, estimators = "WLSMV"),
  few_respondents = list(model = two, head = 40, estimators = "WLSMV"),
  pairwise = list(model = three, data = "gaps", missing = "pairwise", estimators = c("WLSMV", "ULSMV")),
  listwise = list(model = three, data = "gaps", estimators = "WLSMV"),
  groups = list(model = two, group = "school", estimators = c("WLSMV", "ULSMV")),
  group_loadings = list(model = two, group = "school", group.equal = "loadings", estimators = "WLSMV"),
  group_loadings_std_lv = list(model = two, group = "school", std.lv = TRUE, group.equal = "loadings",
                               estimators = "WLSMV"),
  group_pairwise = list(model = two, data = "gaps", group = "school", missing = "pairwise", estimators = "WLSMV")
)

change <- function(data, how) {
  x <- as.matrix(data[, items])
  if (how == "binary") x <- ifelse(x >= 3, 2, 1)
  if (how == "mixed") {
    x[, c(1, 4, 7)] <- ifelse(x[, c(1, 4, 7)] >= 3, 2, 1)
    x[, c(2, 5)] <- pmin(x[, c(2, 5)], 3)
  }
  # all who chose 1 or 2 and two of three who chose 3 are put into the lowest category; two categories remain, one of them rare
  if (how == "skewed") x <- ifelse(x == 4 & (row(x) + col(x)) %% 3 != 0, 2, 1)
  if (how == "gaps") x[(7 * row(x) + 3 * col(x)) %% 23 == 0] <- NA
  data[, items] <- x
  data
}

plain <- c("npar", "fmin", "chisq", "df", "chisq.scaled", "df.scaled", "pvalue.scaled", "chisq.scaling.factor", "srmr")
fits <- list()
for (name in names(cases)) for (estimator in cases[[name]]$estimators) {
  case <- cases[[name]]
  data <- read.csv("hs1939_ordinal.csv")
  if (!is.null(case$data)) data <- change(data, case$data)
  if (!is.null(case$head)) data <- head(data, case$head)
  options <- case[intersect(names(case), c("std.lv", "group", "group.equal", "missing"))]
  arguments <- c(list(model = case$model, data = data, ordered = TRUE, estimator = estimator,
                      control = list(rel.tol = 1e-15), optim.force.converged = TRUE), options)
  fit <- suppressWarnings(do.call("cfa", arguments))
  # 0.6-14 stops where a polychoric matrix is not positive definite, so that there are no robust measures
  measures <- tryCatch(suppressWarnings(fitMeasures(fit)),
                       error = function(e) fitMeasures(fit, plain))
  measures <- measures[!grepl("gfi", names(measures))]  # redefined in lavaan 0.7
  rows <- parameterEstimates(fit, standardized = TRUE, remove.nonfree = FALSE)
  rows$std.all.se <- standardizedSolution(fit)$se
  rows <- rows[, intersect(c("lhs", "op", "rhs", "group", "est", "se", "std.lv", "std.all", "std.all.se"), names(rows))]
  fits[[paste0(name, "__", tolower(estimator))]] <- list(
    model = case$model, data = case$data, options = options, head = case$head, n_obs = lavInspect(fit, "ntotal"),
    fit = as.list(unclass(measures)), parameters = rows
  )
}
meta <- list(R = R.version.string, lavaan = as.character(packageVersion("lavaan")), data = "hs1939_ordinal.csv")
writeLines(toJSON(list(meta = meta, fits = fits), digits = 15, auto_unbox = TRUE, na = "null", null = "null"),
           "ordinal_models.json")
