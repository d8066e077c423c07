"""What happens to answers and results: the kinds of event of this app. They are recorded by teams/history.py."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.models import Decision, TextReview
from teams.base.security_log import Act
from teams.history import EventKind, tells


class Happened(EventKind):
    """To answers, results and reports."""

    PLAN_LOCKED = "plan_locked", gettext_lazy("Plan locked")
    PLAN_AMENDED = "plan_amended", gettext_lazy("Plan amended")
    DECISION_SET_ASIDE = "decision_set_aside", gettext_lazy("Scale set aside")
    DECISION_MERGE = "decision_merge", gettext_lazy("Scales merged")
    DECISION_DROP = "decision_drop", gettext_lazy("Item dropped")
    DECISION_UNDONE = "decision_undone", gettext_lazy("Decision undone")
    ANSWERS_NOT_USED_ANY_MORE = (
        "answers_not_used_any_more",
        gettext_lazy("The answers of the team are no longer used in any analysis"),
    )
    WITHDRAWAL_REPEATED = (
        "withdrawal_repeated",
        gettext_lazy("Withdrawal carried out again after a backup was restored"),
    )
    MODEL_ADDED = "model_added", gettext_lazy("Own factor model added")
    MODEL_REMOVED = "model_removed", gettext_lazy("Own factor model removed")
    TEAMS_COMBINED = "teams_combined", gettext_lazy("Teams combined into one report")
    TEAMS_SEPARATED = "teams_separated", gettext_lazy("Combined teams separated again")
    PICTURE_MADE = (  # also of one that is withheld
        "picture_made",
        gettext_lazy("The team's own figures were computed for its meeting, and shown there where that is allowed"),
    )
    PUBLISHED = "published", gettext_lazy("Reports published"), Act.PUBLISHED
    STUDY_BEFORE_DELETED = "study_before_deleted", gettext_lazy("The wave before this one was deleted")
    PERSON_REMOVED = "person_removed", gettext_lazy("A person was removed"), Act.PERSON_REMOVED
    REPORT_SHARED = "report_shared", gettext_lazy("Report shared by a link")
    ANSWERS_IMPORTED = "answers_imported", gettext_lazy("Answers imported (responses / teams)")
    RESPONSES_DOWNLOADED = "responses_downloaded", gettext_lazy("Responses downloaded"), Act.EXPORTED
    TEXT_REVIEWED = "text_reviewed", gettext_lazy("Open answer reviewed")
    TEXT_REVIEW_UNDONE = "text_review_undone", gettext_lazy("Review of an open answer undone")
    TEXTS_DOWNLOADED = "texts_downloaded", gettext_lazy("Open answers downloaded"), Act.EXPORTED
    RESULTS_DOWNLOADED = "results_downloaded", gettext_lazy("Results downloaded"), Act.EXPORTED
    RESULTS_RELEASED = (
        "results_released",
        gettext_lazy("Results of very small teams released, with their purpose"),
        Act.EXPORTED,
    )
    ROWS_RELEASED = "rows_released", gettext_lazy("Responses released, with their purpose"), Act.EXPORTED
    COMPOSITION_ENTERED = "composition_entered", gettext_lazy("Numbers of the population entered")
    COMPOSITION_REMOVED = "composition_removed", gettext_lazy("Numbers of the population removed")


@tells(Happened.PUBLISHED)
def _published(detail: str) -> str:
    run, _separator, without = detail.partition(" – ")
    words = _("from analysis %(run)s") % {"run": run.removeprefix("run ")}
    if not without:
        return words
    return words + ", " + _("without: %(teams)s") % {"teams": without}


@tells(Happened.DECISION_UNDONE)
def _decision(detail: str) -> str:
    kind, _separator, subject = detail.partition(" ")
    return f"{dict(Decision.Kind.choices).get(kind, kind)}: {subject}"


@tells(Happened.PLAN_LOCKED)
def _plan(detail: str) -> str:
    return _("fingerprint %(hash)s") % {"hash": detail[:12]}


@tells(Happened.TEXT_REVIEWED)
def _review(detail: str) -> str:
    question, _separator, verdict = detail.rpartition(", ")
    return f"{question}: {dict(TextReview.Verdict.choices).get(verdict, verdict)}"
