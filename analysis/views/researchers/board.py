"""The study board: how far the study is, what waits, and the accounts of everyone who was asked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analysis.board import looked_back, steps, waiting
from analysis.data.accounting import accounts
from surveys.collecting import agenda
from teams import access

MOST_MEETINGS = 20  # of this week on the board; the page of meetings has all


@require_safe
def board(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    all_steps = steps(study)
    return render(
        request,
        "analysis/board.html",
        {
            "study": study,
            "steps": all_steps,
            "next_step": next((step for step in all_steps if not step.done), None),
            "waiting": waiting(study),
            "looked_back": looked_back(study),
            "week": agenda.looked_at(agenda.this_week(study)[:MOST_MEETINGS]),
            "n_week": agenda.this_week(study).count(),
            "accounts": accounts(study),
        },
    )
