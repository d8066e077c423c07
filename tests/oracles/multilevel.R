# Groups of teams compared by a random-intercept model (REML): lme4 for the fit, nlme for degrees of freedom and p.
# Run in this folder:  Rscript multilevel.R  > multilevel.json     Made with the versions that it prints at the end.
suppressPackageStartupMessages({library(lme4); library(nlme)})
data <- read.csv("simstudy_complete.csv")
scales <- list(st = paste0("st", 1:6), er = paste0("er", 1:6))
# two and three groups of teams, by the order of their names
teams <- sort(unique(data$team_id))
data$two <- c("a", "b")[1 + (match(data$team_id, teams) %% 2)]
data$three <- c("x", "y", "z")[1 + (match(data$team_id, teams) %% 3)]
number <- function(value) format(value, digits = 17, scientific = TRUE)
parts <- c()
for (scale in names(scales)) for (group in c("two", "three")) {
  data$y <- rowMeans(data[scales[[scale]]])
  fit <- lmer(as.formula(paste("y ~ 0 +", group, "+ (1 | team_id)")), data, REML = TRUE,
              control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12)))
  same <- lme(as.formula(paste("y ~", group)), random = ~ 1 | team_id, data = data, method = "REML",
              control = lmeControl(msTol = 1e-12, tolerance = 1e-12, niterEM = 100, opt = "optim", reltol = 1e-14))
  variances <- as.data.frame(VarCorr(fit))$vcov
  test <- anova(same)[2, ]
  table <- summary(same)$tTable
  parts <- c(parts, sprintf(
    '"%s %s": {"means": [%s], "se": [%s], "var_between": %s, "var_within": %s, "df2": %d, "f": %s, "p": %s, "t": %s, "p_t": %s}',
    scale, group, paste(number(fixef(fit)), collapse = ", "), paste(number(sqrt(diag(as.matrix(vcov(fit))))), collapse = ", "),
    number(variances[1]), number(variances[2]), as.integer(test$denDF), number(test$`F-value`), number(test$`p-value`),
    number(table[2, "t-value"]), number(table[2, "p-value"])))
}
cat("{", paste(parts, collapse = ",\n "), sprintf(',\n "versions": "R %s, lme4 %s, nlme %s"}\n', getRversion(),
    packageVersion("lme4"), packageVersion("nlme")), sep = "")
