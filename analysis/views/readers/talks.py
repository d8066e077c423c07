"""The page for the team talk: the report on screens, one for each subject, and what the team writes down.

All screens are in one page: a script shows one at a time, so that the talk goes on where the network is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from analysis import svg
from analysis.disclosure import MeanShown, Withheld
from analysis.forms.readers import GoalForm
from analysis.publication.talks import goals_of, own_words, write_goal
from analysis.reports import charts
from analysis.reports.objects import Mark, ScaleReport, TeamReport
from analysis.reports.pdf import team_marks
from analysis.reports.team import Goal, Goals
from analysis.reports.wording import SAID, change, chart_words, differences, mean_row
from analysis.views.readers.reports import figures_table, item_rows
from teams.base import once, typed
from teams.base.numbers import whole_number
from teams.forms.filled import hold
from teams.models import Participation

ROOM = 480  # pixels: shown larger than it is drawn, to be read from the back of the room


def step_of(request: HttpRequest, n_scales: int) -> int:
    """Which page of the talk: 0 the beginning, then the scales, then what was agreed."""
    asked = request.GET.get("n", "0")
    if (number := whole_number(asked)) is None or number > n_scales + 1:
        raise Http404
    return number


def written(
    request: HttpRequest, report: TeamReport, participation: Participation, address: str, back: str
) -> tuple[GoalForm, HttpResponse | None]:
    """Write down what was typed on one subject, before whatever its button leads to; the form again if it is not right.

    "Next" and "Previous" are buttons of the form too, so that nothing is lost by going on; the script of the page sends the
    form by itself while somebody types.
    """
    assert isinstance(report.scales, tuple)
    n = step_of(request, len(report.scales))
    if not 1 <= n <= len(report.scales):
        raise Http404
    code, page = report.scales[n - 1].code, request.POST.get(once.FIELD, "")
    hold(request, participation)
    own = own_words(participation, code, page)
    initial = initial_of(participation, code)
    auto_id = f"id_{n}_%s"
    form = GoalForm(request.POST, initial=initial, n_points=report.n_points, own_words=own, auto_id=auto_id)
    if not form.is_valid():
        return form, _not_written(form) if typed.is_autosave(request) else None
    # who only goes on writes nothing down
    typed_here = set(initial) & set(form.changed_data)
    stands = not typed_here or write_goal(participation, code, **form.cleaned_data, page=page)
    refused = _("The next wave has been published: what you agreed before it can no longer be changed.")
    if typed.is_autosave(request):
        if not stands:
            return form, typed.not_autosaved([refused], 409)
        now = GoalForm(initial=initial_of(participation, code), n_points=report.n_points)
        return form, typed.autosaved(now.as_it_is(), form.others_words())
    to = request.POST.get("to", "")
    if not stands:
        messages.error(request, refused)
    elif not to:
        messages.success(request, _("Saved: your team sees it, and it comes back in the next report."))
    if stands and to == "report":
        return form, redirect(back)
    if not stands or (number := whole_number(to)) is None or number > len(report.scales) + 1:
        number = n
    return form, redirect(f"{address}?n={number}")


def _not_written(form: GoalForm) -> HttpResponse:
    """Why nothing was written by itself."""
    if form.conflicts:
        return typed.two_texts(form.two_texts(), form.others_words())
    return typed.not_autosaved(typed.reasons_of(form))


def initial_of(participation: Participation, scale: str) -> dict[str, Any]:
    """What stands there on one subject, as the form shows it."""
    goal = goals_of(participation).get(scale, Goal(None))
    return {"target": goal.target, "next_steps": goal.next_steps}


def talk_page(
    request: HttpRequest,
    report: TeamReport,
    participation: Participation,
    goals: Goals,
    extra: Mapping[str, Any],
    form: GoalForm | None = None,
    *,
    writes: bool,
) -> HttpResponse:
    """One page of the talk. ``goals``: what the team wrote down; ``writes``: whether this reader may write too."""
    assert isinstance(report.scales, tuple)
    last = len(report.scales) + 1
    n = step_of(request, len(report.scales))
    context: dict[str, Any] = {
        "study": participation.study,
        "report": report,
        "n": n,
        "last": last,
        "before": max(n - 1, 0),
        "after": min(n + 1, last),
        "scale": report.scales[n - 1] if 1 <= n < last else None,
        "screens": [
            screen(report, number, goals.get(scale.code, Goal(None)), form if number == n else None)
            for number, scale in enumerate(report.scales, start=1)
        ],
        "something_agreed": any(goal.target is not None or goal.next_steps for goal in goals.values()),
        "colours": list(zip(report.options, charts.diverging(report.n_points), strict=True)),
        "writes": writes,
        **extra,
    }
    return render(request, "analysis/talk.html", context)


def screen(report: TeamReport, n: int, goal: Goal, form: GoalForm | None) -> dict[str, Any]:
    """One subject on one screen. ``form``: what was sent and not taken."""
    assert isinstance(report.scales, tuple)
    scale = report.scales[n - 1]
    marks = marks_of(report, scale)
    beside = differences(scale)
    initial = {"target": goal.target, "next_steps": goal.next_steps}
    return {
        "n": n,
        "scale": scale,
        "chart": drawings(report, scale, marks) if marks else None,
        "figures": figures_table(report, [scale], team_marks(report)),
        "items": item_rows(scale, report),
        "bars": scale.has_distributions,
        "said": scale.sentences[:SAID],
        "all_said": [*scale.sentences, *beside],
        "change": change(scale),
        "goal": goal,
        "form": form or GoalForm(initial=initial, n_points=report.n_points, auto_id=f"id_{n}_%s"),
    }


def drawings(report: TeamReport, scale: ScaleReport, marks: Sequence[Mark]) -> dict[str, str]:
    """The chart of one subject for the room and for a phone. Its name stands above it, so that its row has none."""
    rows, words = [replace(mean_row(scale), label="")], chart_words(report)
    return {
        name: svg.as_data_uri(charts.means_chart(rows, words, report.n_points, width, marks))
        for name, width in (("narrow", svg.NARROW), ("wide", ROOM))
    }


def marks_of(report: TeamReport, scale: ScaleReport) -> list[Mark]:
    """The marks that a chart of this subject holds: its legend names no other."""
    row = mean_row(scale)
    there = set(row.beside)
    if not isinstance(scale.shown, Withheld):
        there.add(Mark.OWN)
    if isinstance(scale.shown, MeanShown) and scale.shown.low is not None:
        there.add(Mark.INTERVAL)
    return [mark for mark in team_marks(report) if mark in there]
