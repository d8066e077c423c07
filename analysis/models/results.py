"""The rows that a run writes: scales, items, reliability, agreement, factor models, and tables that pages read whole."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from teams.models import Participation


class ScaleSet(models.TextChoices):
    THEORETICAL = "theoretical", _("scales of the plan")
    FINAL = "final", _("scales after the recorded decisions")


def once(name: str, *fields: str) -> list[models.BaseConstraint]:
    """One row per team and one over all: two constraints, since SQLite holds two NULLs for different."""
    return [
        models.UniqueConstraint("run", *fields, "participation", name=f"{name}_once_per_team"),
        models.UniqueConstraint("run", *fields, condition=Q(participation__isnull=True), name=f"{name}_once_over_all"),
    ]


class Result(models.Model):
    """What every result row carries: its run, its scale set, and the team (none: over all respondents)."""

    run = models.ForeignKey("analysis.AnalysisRun", on_delete=models.CASCADE, related_name="%(class)ss")
    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True


class ScaleResult(Result):
    scale_set = models.CharField(max_length=12, choices=ScaleSet.choices)
    scale = models.CharField(max_length=20)
    n = models.PositiveIntegerField()
    mean = models.FloatField(null=True)
    sd = models.FloatField(null=True)
    minimum = models.FloatField(null=True)
    maximum = models.FloatField(null=True)
    ci_low = models.FloatField(null=True)
    ci_high = models.FloatField(null=True)
    # over all: the unweighted mean of the team means, their standard deviation and interval
    n_teams = models.PositiveIntegerField(null=True)
    teams_mean = models.FloatField(null=True)
    teams_sd = models.FloatField(null=True)
    teams_low = models.FloatField(null=True)
    teams_high = models.FloatField(null=True)

    class Meta:
        constraints = once("scale_result", "scale_set", "scale")

    def __str__(self) -> str:
        return f"{self.scale}: {self.mean}"


class ItemResult(Result):
    item = models.CharField(max_length=20)
    n = models.PositiveIntegerField()
    mean = models.FloatField(null=True)
    sd = models.FloatField(null=True)
    counts = models.JSONField(default=list)  # answers per category, lowest first
    n_cannot_judge = models.PositiveIntegerField(default=0)
    n_missing = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = once("item_result", "item")

    def __str__(self) -> str:
        return f"{self.item}: {self.mean}"


class ReliabilityResult(models.Model):
    run = models.ForeignKey("analysis.AnalysisRun", on_delete=models.CASCADE, related_name="reliabilityresults")
    scale_set = models.CharField(max_length=12, choices=ScaleSet.choices)
    scale = models.CharField(max_length=20)
    n = models.PositiveIntegerField()
    alpha = models.FloatField(null=True)
    alpha_low = models.FloatField(null=True)
    alpha_high = models.FloatField(null=True)
    omega = models.FloatField(null=True)
    items = models.JSONField(default=dict)  # code → {"item_rest": r, "alpha_if_deleted": a}
    problems = models.JSONField(default=list)  # of the model behind omega: [{"code": …, "subject": …}]

    class Meta:
        constraints = [models.UniqueConstraint("run", "scale_set", "scale", name="reliability_once")]

    def __str__(self) -> str:
        return f"{self.scale}: {self.alpha}"


class AgreementResult(Result):
    """Nesting and agreement: ICC over all teams (no participation), rwg(j) and AD per team."""

    scale_set = models.CharField(max_length=12, choices=ScaleSet.choices)
    scale = models.CharField(max_length=20)
    icc1 = models.FloatField(null=True)
    icc1_n0 = models.FloatField(null=True)
    icc2 = models.FloatField(null=True)
    design_effect = models.FloatField(null=True)
    var_between = models.FloatField(null=True)  # of the teams' means, by REML
    var_within = models.FloatField(null=True)
    rwg = models.JSONField(default=dict)  # of a team: rwg(j) by the names of the plan's nulls
    ad = models.FloatField(null=True)

    class Meta:
        constraints = once("agreement", "scale_set", "scale")

    def __str__(self) -> str:
        return f"{self.scale}: {self.icc1 if self.participation_id is None else self.ad}"


class FactorModelResult(models.Model):
    """A factor model as fitted: syntax, estimator, and the whole result under the engine's key names."""

    run = models.ForeignKey("analysis.AnalysisRun", on_delete=models.CASCADE, related_name="factormodels")
    name = models.CharField(max_length=40)
    syntax = models.TextField()
    estimator = models.CharField(max_length=20)
    converged = models.BooleanField()
    fit = models.JSONField(default=dict)
    content = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint("run", "name", "estimator", name="factor_model_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.estimator})"


class TeamCount(Result):
    """What came back from a team: responses, gaps in them, and how many carry a sign of careless answering."""

    n_returned = models.PositiveIntegerField()
    n_analysed = models.PositiveIntegerField()
    n_unanswered = models.PositiveIntegerField()  # of all questions in the plan, over the team's returned responses
    n_cannot_judge = models.PositiveIntegerField()  # of those unanswered: "cannot judge"
    n_flagged = models.PositiveIntegerField()

    class Meta:
        constraints = once("team_count")

    def __str__(self) -> str:
        return f"{self.n_analysed}/{self.n_returned}"


class TeamEstimate(Result):
    """A team's empirical-Bayes mean on a final scale with its interval, and the interval of its rank."""

    scale = models.CharField(max_length=20)
    reliability = models.FloatField(null=True)
    mean = models.FloatField(null=True)
    ci_low = models.FloatField(null=True)
    ci_high = models.FloatField(null=True)
    rank_low = models.PositiveIntegerField(null=True)  # 1 is the highest mean
    rank_high = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = once("team_estimate", "scale")

    def __str__(self) -> str:
        return f"{self.scale}: {self.mean}"


class ResultTable(models.Model):
    """A table of a run that pages read as a whole: correlations, groups, waves, difference tests, gaps."""

    run = models.ForeignKey("analysis.AnalysisRun", on_delete=models.CASCADE, related_name="tables")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=40, blank=True)
    content: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint("run", "kind", "name", name="result_table_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()
