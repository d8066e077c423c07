# Return rates by ratio of team sums, a composition tested with teams as clusters, correlations of rates and scores.
# Run in this folder:  Rscript nonresponse.R  > nonresponse.json     Made with the versions that it prints at the end.
suppressPackageStartupMessages(library(survey))
data <- read.csv("simstudy_complete.csv")
data$score <- rowMeans(data[paste0("st", 1:6)])
number <- function(value) format(unname(value), digits = 17, scientific = TRUE)
listed <- function(values) paste0("[", paste(sapply(values, number), collapse = ", "), "]")
parts <- c()

# a category that teams share: by the team's number and the respondent's first answer
teams <- sort(unique(data$team_id))
data$category <- 1 + (match(data$team_id, teams) %% 4 + data$st1) %% 3
known <- c(300, 250, 450)
pi <- known / sum(known)
design <- svydesign(ids = ~team_id, data = data, weights = ~1)
shares <- svymean(~factor(category), design)
n <- nrow(data)
test <- chisq.test(table(data$category), p = pi)
lambda <- eigen(n * diag(1 / sqrt(pi)) %*% vcov(shares) %*% diag(1 / sqrt(pi)), symmetric = TRUE)$values
scale <- sum(lambda^2) / sum(lambda)
df <- sum(lambda)^2 / sum(lambda^2)
design_based <- svygofchisq(~factor(category), p = pi, design = design)
parts <- c(parts, sprintf('"composition": {"known": %s, "counts": %s, "chisq": %s, "scale": %s, "df": %s, "p": %s, "p_survey": %s}',
  listed(known), listed(table(data$category)), number(test$statistic), number(scale), number(df),
  number(pchisq(test$statistic / scale, df, lower.tail = FALSE)), number(design_based$p.value)))

# approached: the team's respondents and some who did not answer
returned <- as.vector(table(data$team_id))
approached <- returned + (seq_along(returned) * 7) %% 11
ratio <- svyratio(~returned, ~approached, svydesign(ids = ~team, data = data.frame(team = seq_along(returned), returned, approached), weights = ~1))
limits <- confint(ratio, df = length(returned) - 1)
parts <- c(parts, sprintf('"rate": {"returned": %s, "approached": %s, "rate": %s, "low": %s, "high": %s}',
  listed(returned), listed(approached), number(coef(ratio)), number(limits[1]), number(limits[2])))

rate <- returned / approached
score <- as.vector(tapply(data$score, data$team_id, mean))
pearson <- cor.test(rate, score)
spearman <- cor.test(rank(round(rate, 10)), rank(round(score, 10)))  # equal to 10 decimals is a tie; p by t
rho <- unname(spearman$estimate)
half <- qnorm(.975) * sqrt((1 + rho^2 / 2) / (length(rate) - 3))
parts <- c(parts, sprintf('"pearson": {"r": %s, "low": %s, "high": %s, "p": %s}',
  number(pearson$estimate), number(pearson$conf.int[1]), number(pearson$conf.int[2]), number(pearson$p.value)))
parts <- c(parts, sprintf('"spearman": {"r": %s, "low": %s, "high": %s, "p": %s}',
  number(rho), number(tanh(atanh(rho) - half)), number(tanh(atanh(rho) + half)), number(spearman$p.value)))
parts <- c(parts, sprintf('"versions": {"R": "%s", "survey": "%s"}', getRversion(), packageVersion("survey")))
cat("{", paste(parts, collapse = ",\n"), "}\n")
