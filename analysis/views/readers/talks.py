"""The page for the team talk: the report scale by scale in large type, and what the team writes down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from analysis.forms.readers import GoalForm
from analysis.publication.talks import goals_of, is_own_word, write_goal
from analysis.reports import charts
from analysis.reports.objects import TeamReport
from analysis.reports.pdf import team_marks
from analysis.reports.team import Goal, Goals
from analysis.reports.wording import change, differences
from analysis.views.readers.reports import figures_table, item_rows, means_charts
from teams.base import once, typed
from teams.base.numbers import whole_number
from teams.forms.filled import hold
from teams.models import Participation


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
    own_word = is_own_word(participation, code, page)
    initial = initial_of(participation, code)
    form = GoalForm(request.POST, initial=initial, n_points=report.n_points, own_word=own_word)
    if not form.is_valid():
        return form, typed.not_autosaved(_reasons(form)) if typed.is_autosave(request) else None
    # who only goes on writes nothing down
    typed_here = set(initial) & set(form.changed_data)
    stands = not typed_here or write_goal(participation, code, **form.cleaned_data, page=page)
    refused = _("The next wave has been published: what you agreed before it can no longer be changed.")
    if typed.is_autosave(request):
        return form, typed.autosaved() if stands else typed.not_autosaved([refused], 409)
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


def _reasons(form: GoalForm) -> list[str]:
    """Why nothing was written by itself: a choice between two texts needs a page that shows them."""
    if form.conflicts:
        return [_("This has been changed elsewhere in the meantime: press “Save” to see both texts.")]
    return typed.reasons_of(form)


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
    n = step_of(request, len(report.scales))
    scale = report.scales[n - 1] if 1 <= n <= len(report.scales) else None
    context: dict[str, Any] = {
        "study": participation.study,
        "report": report,
        "n": n,
        "last": len(report.scales) + 1,
        "before": n - 1,
        "after": n + 1 if n <= len(report.scales) else None,
        "scale": scale,
        "writes": writes,
        **extra,
    }
    if scale:
        goal = goals.get(scale.code, Goal(None))
        initial = {"target": goal.target, "next_steps": goal.next_steps}
        context |= {
            "chart": means_charts(report, [scale], team_marks(report)),
            "figures": figures_table(report, [scale], team_marks(report)),
            "items": item_rows(scale, report),
            "bars": scale.has_distributions,
            "differences": differences(scale),
            "change": change(scale),
            "colours": list(zip(report.options, charts.diverging(report.n_points), strict=True)),
            "goal": goal,
            "form": form or GoalForm(initial=initial, n_points=report.n_points),
        }
    elif n:
        context["agreed"] = [(s, goals.get(s.code, Goal(None))) for s in report.scales]
        context["something_agreed"] = any(goal.target is not None or goal.next_steps for goal in goals.values())
    return render(request, "analysis/talk.html", context)
