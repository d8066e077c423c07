"""What a run is doing, and what its factor models are called, in words for the researcher's pages."""

from __future__ import annotations

from django.utils.translation import gettext as _

from analysis.models import AnalysisRun, ScreeningDecision
from analysis.models.results import ScaleSet
from analysis.psychometrics.entry import verdicts
from analysis.runs.names import FINAL, OWN, THEORETICAL
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import Definition


def step_in_words(name: str) -> str:
    """The step of a run, as ``AnalysisRun.step_name`` holds it."""
    words = {
        "reading": _("reading the answers"),
        "screening": _("setting aside by the rules of the plan"),
        "scores": _("scale scores"),
        "items": _("items"),
        "reliability": _("reliability"),
        "agreement": _("agreement within teams"),
        "correlations": _("correlations"),
        "estimates": _("team means with their intervals"),
        "groups": _("comparing groups of teams"),
        "nonresponse": _("who did not answer"),
        "waves": _("comparing with the previous wave"),
        "storing": _("storing the results"),
    }
    first, _rest, scale_set = name.partition(" ")
    if scale_set in ScaleSet.values:
        return f"{words.get(first, first)} ({ScaleSet(scale_set).label})"
    if name.startswith("model "):
        _model, model, estimator = name.split(" ", 2)
        return _("factor model: %(model)s (%(estimator)s)") % {"model": model_in_words(model), "estimator": estimator}
    return words.get(name, "")


def model_in_words(name: str) -> str:
    """A factor model's name: which point of the path it stands for."""
    if name == THEORETICAL:
        return _("scales of the plan")
    if name == FINAL:
        return _("final scales")
    if name.startswith(OWN):
        return _("own model %(n)s") % {"n": name.removeprefix(OWN)}
    return _("after decision %(n)s") % {"n": name.removeprefix("after_")}


def verdict_in_words(verdict: str | None) -> str:
    """Whether two scales can be told apart (Rönkkö and Cho 2022)."""
    return {
        verdicts.CANNOT_BE_TOLD_APART: _("cannot be told apart"),
        verdicts.HARDLY_TOLD_APART: _("can hardly be told apart"),
        verdicts.CAN_BE_TOLD_APART: _("can be told apart"),
    }.get(verdict or "", "–")


def state_in_words(run: AnalysisRun) -> str:
    """One line about how far a run is."""
    state = AnalysisRun.State
    if run.state == state.RUNNING and run.n_steps:
        return _("step %(step)s of %(steps)s: %(name)s") % {
            "step": run.step,
            "steps": run.n_steps,
            "name": step_in_words(run.step_name),
        }
    return {
        state.QUEUED: _("waiting for a worker"),
        state.RUNNING: _("starting"),
        state.DONE: _("done"),
        state.FAILED: _("failed"),
        state.CANCELLED: _("cancelled"),
    }[state(run.state)]


def failure_in_words(run: AnalysisRun) -> str:
    """Why a run failed, in the reader's language; what the program said itself stands in ``run.error``."""
    known = run.failure
    step = step_in_words(str(known.get("step_name", "")))
    if known.get("code") == "stopped":
        text = _("The program stopped %(attempts)s times, the last time at step %(step)s of %(steps)s.") % {
            "attempts": known.get("attempts"),
            "step": known.get("step"),
            "steps": known.get("n_steps"),
        }
    elif known.get("code") == "error":
        text = _(
            "Something went wrong in the program. Start the analysis again; if it fails again, tell the administrator."
        )
    else:
        return ""
    busy = _("It was busy with: %(step)s.") % {"step": step}  # outside the f-string: texts inside one are not collected
    return f"{text} {busy}" if step else text


def screening_in_words(row: ScreeningDecision, definition: Definition) -> str:
    """What a rule saw: the answer to the first question, or how many questions were left open."""
    if row.rule == ScreeningDecision.Rule.NOT_ELIGIBLE and definition.eligibility:
        choices = {choice.code: choice.text for choice in definition.eligibility.choices}
        return in_language(dict(choices[row.value])) if row.value in choices else row.value
    return row.value
