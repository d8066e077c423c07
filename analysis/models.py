"""From answers to results: plans, runs, decisions and publications. What a run writes is in result_models.py."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from surveys.models import Survey
from teams.models import Academy, Leased, Participation, Study


class AnalysisPlan(models.Model):
    """The rules fixed before the data are seen. Locked when the survey opens; a later one is an amendment."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="plans")
    number = models.PositiveIntegerField(default=1)
    content: "models.JSONField[dict[str, Any]]" = models.JSONField()
    content_hash = models.CharField(max_length=64)
    locked_at = models.DateTimeField(null=True, blank=True)
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    amendment_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["study", "-number"]
        constraints = [
            models.UniqueConstraint("study", "number", name="plan_number_once"),
            models.CheckConstraint(condition=Q(number=1) | ~Q(amendment_reason=""), name="amendment_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.study}: {self.number}"


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


class Decision(models.Model):
    """A recorded decision about a scale or an item, taken after the factor models, never part of the plan."""

    class Kind(models.TextChoices):
        SET_ASIDE = "set_aside", _("set a scale aside")
        MERGE = "merge", _("merge a scale into another")
        DROP = "drop", _("drop an item")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    subject = models.CharField(max_length=20)  # code of the scale or item it is about
    target = models.CharField(max_length=20, blank=True)  # of a merge: the scale that takes the items
    reason = models.TextField(_("reason"))
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["decided_at", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_reason"),
            models.CheckConstraint(
                condition=(Q(kind="merge") & ~Q(target="")) | (~Q(kind="merge") & Q(target="")), name="merge_has_target"
            ),
            models.UniqueConstraint(
                "study", "kind", "subject", condition=Q(undone_at__isnull=True), name="decision_stands_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.target}".strip()


class OwnModel(models.Model):
    """A factor model that a researcher added after the plan was locked: fitted in every run, marked as exploratory."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="own_models")
    name = models.CharField(_("name"), max_length=30)
    syntax = models.TextField(_("model"))
    estimator = models.CharField(_("estimator"), max_length=20)
    reason = models.TextField(_("why this model"))
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                "study", Lower("name"), condition=Q(removed_at__isnull=True), name="own_model_name_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="own_model_has_reason"),
        ]

    def __str__(self) -> str:
        return self.name


class Criterion(models.Model):
    """A figure per team from outside the study, such as what students reported: cases are chosen on it."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="criterion")
    name = models.CharField(_("name"), max_length=120)
    source = models.CharField(_("where it comes from"), max_length=300)
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    imported_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class CriterionValue(models.Model):
    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, related_name="values")
    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="+")
    value = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint("criterion", "participation", name="criterion_value_once")]

    def __str__(self) -> str:
        return str(self.value)


class CaseNote(models.Model):
    """What interviews in a team found about one phase (scale): the latest text stands."""

    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="case_notes")
    scale = models.CharField(max_length=20)
    text = models.TextField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    written_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint("participation", "scale", name="case_note_once")]

    def __str__(self) -> str:
        return f"{self.scale}: {self.text[:40]}"


class Unit(models.Model):
    """A recorded combination of sibling teams, made before publication so that together they reach k: docs/data-protection.md."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="units")
    academy = models.ForeignKey(Academy, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    participations = models.ManyToManyField(Participation, related_name="units")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Publication(models.Model):
    """A run whose reports are given to the readers. A later one replaces it, if disclosure/ allows the difference."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="publications")
    run = models.OneToOneField(AnalysisRun, on_delete=models.PROTECT, related_name="publication")
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)
    # per scale its items and the SD and df behind the intervals: later publications keep them (disclosure/)
    spreads: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.study}: {self.published_at:%Y-%m-%d}"


class PublishedGroup(models.Model):
    """The analysed respondents of a published unit: what every later version is held against, as it was shown then."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="groups")
    group = models.CharField(max_length=60)
    members: "models.JSONField[list[str]]" = models.JSONField(default=list)  # keys of the sealed responses
    # per item and scale that was shown: the places in ``members`` of those who are not behind the figure
    missing: "models.JSONField[dict[str, list[int]]]" = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint("publication", "group", name="published_group_once")]

    def __str__(self) -> str:
        return self.group


class AccountingDecision(models.Model):
    """A researcher's word on a collection whose counts do not add up: it holds the team's publication until then."""

    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="accounting_decisions")
    reason = models.TextField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="accounting_decision_has_reason")]

    def __str__(self) -> str:
        return f"{self.participation}: {self.reason[:40]}"


# Django looks for an app's models here
from analysis.comparison_models import KnownComposition, WaveDifference  # noqa: E402, F401
from analysis.release_models import PreparedFile, PreparedPart, ResultRelease, RowRelease  # noqa: E402, F401
from analysis.report_models import ReportFile, ReportLink, TeamGoal  # noqa: E402, F401
from analysis.result_models import (  # noqa: E402, F401
    AgreementResult,
    FactorModelResult,
    ItemResult,
    ReliabilityResult,
    ResultTable,
    ScaleResult,
    TeamCount,
    TeamEstimate,
)
from analysis.text_models import TextReview  # noqa: E402, F401
