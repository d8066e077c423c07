"""Codes that the rows of a run hold, in words for researchers: its steps, states, models, signs, groups, verdicts.

One function for each kind of code, named for it. What the psychometrics engine finds wrong is put into words by
engine_words.py; what readers of reports are told is written by another room (analysis/reports/).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from analysis.models import AnalysisRun, ScreeningDecision
from analysis.models.results import ScaleSet
from analysis.psychometrics.entry import verdicts
from analysis.runs.names import FINAL, OWN, THEORETICAL
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import Definition
from teams.models import Participation, Sector, Team


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
        state.QUEUED: _("waiting for its turn"),
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


def sign_in_words(sign: str) -> str:
    """A sign of careless answering."""
    return {
        "longstring": _("the same answer to half of all questions in a row"),
        "even_odd": _("halves of the scales do not go together (below .30)"),
        "mahalanobis": _("an unusual combination of answers (p < .001)"),
    }[sign]


def group_in_words(factor: str, group: str) -> str:
    """The name of a group of teams."""
    labels: Mapping[str, Any] = {
        "sector": dict(Sector.choices),
        "mode": dict(Participation.Mode.choices),
        "form": dict(Team.Form.choices),
    }[factor]
    return str(labels.get(group, group))


def factor_in_words(factor: str) -> str:
    """What teams are compared by."""
    return {"sector": _("Sector"), "mode": _("Way of collecting"), "form": _("Full-time or part-time")}[factor]


def withheld_in_words(reason: str) -> str:
    """Why the answers to a question are not counted here."""
    return {
        "teams": _(
            "Nothing is shown: with fewer than three teams, or with one or two more than last time, the numbers "
            "would give away something about one team."
        ),
        "nobody": _("Nobody answered this question."),
        "answers": _("Nothing is shown: too few people gave any but the most frequent answer."),
        "bands": _(
            "Nothing is shown: next to the bands of earlier tables, these would give away something about a few people."
        ),
    }[reason]


def test_in_words(test: Mapping[str, Any]) -> str:
    """What the test of respondents beside a population says: how large the difference is, or why there is no test."""
    if not test["known"]:
        return ""
    if test["problem"] == "empty_category":
        return _("Not tested: respondents gave an answer that, by these numbers, nobody in the population could give.")
    if test["p"] is None:
        return _("Not tested: the teams or their answers differ too little.")
    if test["w"] < 0.1:
        size = _("The difference is smaller than what is called small (w below 0.10).")
    elif test["w"] < 0.3:
        size = _("The difference is small (w from 0.10).")
    elif test["w"] < 0.5:
        size = _("The difference is medium (w from 0.30).")
    else:
        size = _("The difference is large (w from 0.50).")
    return size
