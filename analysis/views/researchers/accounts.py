"""The accounts of a study: where everyone who was asked ended, on a page and in files; corrections of the counts."""

from datetime import date
from itertools import accumulate

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis import svg
from analysis.data.accounting import accounts as accounts_of
from analysis.data.accounting import submitted_per_day
from analysis.exports.result_tables import csv_lines
from analysis.results import flow_diagram
from analysis.results import response_tables as tables
from analysis.results.figures import days_chart
from surveys.access import collection_for_researcher
from surveys.collecting.counts import correct_counts
from surveys.forms.collecting import CountsForm
from teams import access
from teams.forms.filled import hold
from teams.models.languages import current_language
from teams.text.directions import isolated

ROWS_PER_PAGE = 100
DAYS_WIDE = 640  # pixels of the chart of days: a table stands beside it
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
def accounts(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    group = request.GET.get("by", "")
    if group not in tables.GROUPS:
        group = "institution"
    study_accounts = accounts_of(study)
    waves = tables.waves_of(study, access.signed_in(request)) if group == "wave" else []
    page = Paginator(tables.rows(study_accounts, group, study, waves), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    days = submitted_per_day(study)
    totals = accumulate(n for _day, n in days)
    context = {
        "study": study,
        "accounts": study_accounts,
        "total": study_accounts.total,
        "groups": tables.GROUPS.items(),
        "group": group,
        "group_name": tables.GROUPS[group],
        "page": page,
        "days": list(zip((day for day, _n in days), (n for _day, n in days), totals, strict=True)),
        "days_narrow": _days(days, svg.NARROW),
        "days_wide": _days(days, DAYS_WIDE),
        "flow": svg.as_data_uri(flow_diagram.draw(study_accounts, _("From invited to analysed"))),
    }
    return render(request, "analysis/accounts.html", context)


@require_safe
def accounts_flow(request: HttpRequest, slug: str) -> HttpResponse:
    """The flow diagram, to put into a paper."""
    study = access.study_for_researcher(request.user, slug)
    return _file(flow_diagram.draw(accounts_of(study), study.title), "image/svg+xml", f"{slug}-flow.svg")


@require_safe
def export_accounts(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """Every level in one file: CSV, or XLSX with sheets for the invitations and the days beside it."""
    study = access.study_for_researcher(request.user, slug)
    study_accounts = accounts_of(study)
    lines = tables.export_rows(study_accounts, study, tables.waves_of(study, access.signed_in(request)))
    if form == "csv":
        return _file("".join(csv_lines(lines)), "text/csv; charset=utf-8", f"{slug}-response.csv")
    sheets = [
        ("response", lines),
        ("invitations", tables.invitation_rows(study_accounts)),
        ("days", tables.day_rows(submitted_per_day(study))),
    ]
    return _file(tables.workbook(sheets), XLSX, f"{slug}-response.xlsx")


@require_http_methods(["GET", "HEAD", "POST"])
def account_counts(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """How many teachers of a team were approached and refused, corrected with a reason."""
    collection = collection_for_researcher(request.user, slug, pk)
    hold(request, collection)
    study, team = collection.survey.study, collection.participation.team
    initial = {"approached": collection.approached, "refused": collection.refused}
    form = CountsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        if correct_counts(collection, **form.cleaned_data, by=access.signed_in(request)):
            messages.success(request, _("The counts of %(team)s have been corrected.") % {"team": isolated(team)})
        else:
            messages.warning(request, _("Nothing was changed."))
        return redirect("accounts", slug)
    return render(request, "analysis/account_counts.html", {"study": study, "team": team, "form": form})


def _days(days: list[tuple[date, int]], width: int) -> str:
    drawn = days_chart(days, _("Handed in altogether"), width, current_language()) if days else ""
    return svg.as_data_uri(drawn)


def _file(content: str | bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
