"""What was given to readers: combined teams, publications, and who stood behind each figure."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analysis.models.runs import AnalysisRun
from teams.models import Academy, Leased, Participation, Study


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
    # of all that its PDFs follow from, when they were last held against it (publication/standing.py)
    basis = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.study}: {self.published_at:%Y-%m-%d}"


class PublishingJob(Leased):
    """The wish to publish a run, and how far a worker is with it. The row is the queue; one of a study is open at a time.

    ``confirmed``: a fingerprint of what the page showed when somebody confirmed it: something else is never published.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        WORKING = "working", _("being published")
        DONE = "done", _("published")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="publishing_jobs")
    run = models.ForeignKey(AnalysisRun, on_delete=models.SET_NULL, null=True, related_name="+")  # none: removed since
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    without: "models.JSONField[list[str]]" = models.JSONField(default=list)  # keys of the units that are left out
    confirmed = models.CharField(max_length=64)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    step = models.PositiveSmallIntegerField(default=0)
    n_made = models.PositiveIntegerField(default=0)  # reports, of all
    n_reports = models.PositiveIntegerField(default=0)
    refusal: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)  # publication/refusals.py
    error = models.CharField(max_length=80, blank=True)  # of a failure: the kind of error
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                "study", condition=Q(state__in=["waiting", "working"]), name="one_publishing_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run}: {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.WORKING)


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


class ReportObject(models.Model):
    """What a publication shows one reader: made once, with the publication, and what every page, talk, PDF and link is made of.

    It holds figures and keys, in no language and without a name (reports/shown.py, which also reads the shape of an older
    release). Whether it may still be shown the judge is asked each time (publication/served.py). That of a team goes when the
    team withdraws; all go with their publication.
    """

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="objects_shown")
    reader = models.CharField(max_length=40)  # as of a ReportFile: team:… (a participation), academy:… or study
    schema = models.PositiveSmallIntegerField()
    content: "models.JSONField[dict[str, Any]]" = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint("publication", "reader", name="report_object_once")]

    def __str__(self) -> str:
        return self.reader
