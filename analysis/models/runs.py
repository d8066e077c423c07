"""Runs and their steps, and whom a rule of the plan set aside."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analysis.models.plans import AnalysisPlan
from surveys.models import Survey
from teams.models import Leased, Participation


class RunQuerySet(models.QuerySet["AnalysisRun"]):
    """Runs as pages ask for them."""

    def done_of(self, study_id: int) -> "RunQuerySet":
        """The finished runs of a study, the last one first."""
        return self.filter(survey__study=study_id, state=AnalysisRun.State.DONE).order_by("-pk")

    def last_done(self, study_id: int) -> "AnalysisRun | None":
        """What readers of a study look at: its last finished run, with its plan and its frozen questionnaire."""
        return self.done_of(study_id).select_related("survey__version__questionnaire", "survey__study", "plan").first()


class AnalysisRun(Leased):
    """One analysis of one data set by one plan. The row is the queue: claimed once, renewed, repeatable."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="runs")
    plan = models.ForeignKey(AnalysisPlan, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    n_seals = models.PositiveIntegerField()  # of the survey when the run was asked for
    step = models.PositiveSmallIntegerField(default=0)  # step n of n_steps, as shown while it runs
    step_name = models.CharField(max_length=40, blank=True)
    n_steps = models.PositiveSmallIntegerField(default=0)
    fingerprint = models.CharField(max_length=64, blank=True)  # of the data set
    versions = models.JSONField(default=dict)  # of the libraries that computed
    counts = models.JSONField(default=dict)  # accounting at the time of the run
    error = models.CharField(max_length=500, blank=True)  # of a failure: what the program said
    failure: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict, blank=True)  # code and figures of it
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "lease_until"], name="run_due")]
        constraints = [
            # two requests at once leave one waiting run: the second meets this and uses the first
            models.UniqueConstraint("survey", condition=Q(state="queued"), name="one_queued_run_per_survey"),
            models.CheckConstraint(condition=~Q(state="done") | ~Q(fingerprint=""), name="done_run_has_fingerprint"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.survey}"


class RunStep(Leased):
    """One step of a run: what went in (as a hash), how far it is, and what came out, staged until the run is stored.

    A step whose input hash was computed before is not computed again. Steps that stand by themselves (factor models) are
    claimed one by one, so that several workers do them side by side.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=80)
    input_hash = models.CharField(max_length=64)
    shared = models.BooleanField(default=False)  # stands by itself: any worker may claim it
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    reused = models.BooleanField(default=False)  # taken from an earlier run of the same input
    seconds = models.FloatField(null=True)
    staged = models.BinaryField(null=True)  # kept until a later run of the survey is done

    class Meta:
        ordering = ["run", "number"]
        indexes = [models.Index(fields=["input_hash"], name="step_input")]
        constraints = [models.UniqueConstraint("run", "number", name="step_number_once")]

    def __str__(self) -> str:
        return f"{self.number} {self.name}: {self.state}"


class ScreeningDecision(models.Model):
    """A response that a rule of the plan set aside. Nothing is deleted."""

    class Rule(models.TextChoices):
        NOT_ELIGIBLE = "not_eligible", _("not eligible")
        UNANSWERED = "unanswered", _("too many questions unanswered")

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="screening")
    response_key = models.CharField(max_length=43)
    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="+")
    rule = models.CharField(max_length=20, choices=Rule.choices)
    rule_version = models.PositiveSmallIntegerField(default=1)
    value = models.CharField(max_length=40)
    # signs of careless answering, for information: they set nobody aside
    flags: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("run", "response_key", name="set_aside_once_per_run")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.value}"
