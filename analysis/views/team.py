"""The team leader's pages: how the team takes part, its return while collecting, its report when published."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from analysis import charts, disclosure, pdf
from analysis.disclosure import Capped, ItemDistribution, MeanShown, NearlyAll, Withheld
from analysis.models import AnalysisRun
from analysis.publishing import published_run
from analysis.reports import ScaleReport, TeamReport, team_report
from analysis.wording import caption, chart_words, how_to_read, scale_value, withheld_text
from surveys import collections, links
from surveys.forms import AddressesForm
from surveys.models import Collection
from teams import access
from teams.models import Participation
from teams.planned import PlannedMeeting
from teams.planning import MEETING_MODES


def team(request: HttpRequest, pk: int) -> HttpResponse:
    """What a leader does and sees of one team in one study."""
    participation = access.participation_for_leader(request.user, pk)
    return _team_page(request, participation, AddressesForm())


@require_POST
def send_links(request: HttpRequest, pk: int) -> HttpResponse:
    """Mail a personal link to each pasted address; who has one already gets no second."""
    participation = access.participation_for_leader(request.user, pk)
    collection = _collection(participation)
    if collection is None or collection.state != Collection.State.OPEN:
        raise Http404
    form = AddressesForm(request.POST)
    if not form.is_valid():
        return _team_page(request, participation, form)
    n = links.issue_links(collection, form.cleaned_data["addresses"])
    messages.success(
        request,
        ngettext("%(n)s new link is on its way.", "%(n)s new links are on their way.", n) % {"n": n},
    )
    return redirect("team", pk)


def report(request: HttpRequest, pk: int) -> HttpResponse:
    """The team's report as last published."""
    participation = access.participation_for_leader(request.user, pk)
    run = published_run(participation.study_id)
    if run is None:
        return render(request, "analysis/report_waiting.html", {"study": participation.study, "team": participation})
    return render_report(request, run, participation)


def report_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The same report as a PDF."""
    participation = access.participation_for_leader(request.user, pk)
    run = published_run(participation.study_id)
    if run is None:
        raise Http404
    content = pdf.team_report_pdf(team_report(run, participation, get_language() or "nl"))
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="teamspiegel-{pk}.pdf"'
    return response


def render_report(
    request: HttpRequest, run: AnalysisRun, participation: Participation, preview: bool = False
) -> HttpResponse:
    """The report page, for the leader or as a researcher's preview."""
    language = get_language() or "nl"
    made = team_report(run, participation, language)
    scales = () if isinstance(made.scales, Withheld) else made.scales
    return render(
        request,
        "analysis/report.html",
        {
            "study": participation.study,
            "participation": participation,
            "report": made,
            "preview": preview,
            "chart": _means_charts(made, scales, language),
            "scales": [(scale, _item_rows(scale, made, language)) for scale in scales],
            "colours": list(zip(made.options, charts.diverging(made.n_points), strict=True)),
            "caption": caption(made),
            "how_to_read": how_to_read(made),
            "withheld": withheld_text(made.scales.reason, made.k) if isinstance(made.scales, Withheld) else "",
            "no_benchmark": withheld_text(made.benchmark.reason, made.k)
            if isinstance(made.benchmark, Withheld)
            else "",
            "has_previous": any(isinstance(scale.previous, MeanShown) for scale in scales),
        },
    )


def _means_charts(made: TeamReport, scales: tuple[ScaleReport, ...], language: str) -> dict[str, str]:
    rows = [charts.mean_row(scale) for scale in scales]
    words = chart_words(made)
    if not rows:
        return {}
    return {
        name: charts.as_data_uri(charts.means_chart(rows, words, made.n_points, width, language))
        for name, width in (("narrow", charts.NARROW), ("wide", charts.WIDE))
    }


def _item_rows(scale: ScaleReport, made: TeamReport, language: str) -> list[dict[str, object]]:
    rows = []
    for item in scale.items:
        row: dict[str, object] = {"item": item, "text": "–"}
        match item.shown:
            case ItemDistribution(_mean, percentages):
                row["bar"] = charts.as_data_uri(charts.answers_bar(percentages, made.options, language))
                row["text"] = "; ".join(f"{o} {p} %" for o, p in zip(made.options, percentages, strict=True))
            case Capped():
                row["text"] = _("mean %(value)s") % {"value": scale_value(item.shown, 1)}
            case NearlyAll(category):
                row["text"] = _("Everyone, all but two at most: “%(option)s”") % {"option": made.options[category - 1]}
            case Withheld(reason):
                row["text"] = withheld_text(reason, made.k)
        rows.append(row)
    return rows


def _team_page(request: HttpRequest, participation: Participation, form: AddressesForm) -> HttpResponse:
    collection = _collection(participation)
    counts = collections.counts(collection) if collection else None
    meeting = getattr(collection, "meeting", None) if collection else None
    return render(
        request,
        "analysis/team.html",
        {
            "study": participation.study,
            "participation": participation,
            "planned": PlannedMeeting.objects.filter(
                participation=participation, state=PlannedMeeting.State.CONFIRMED
            ).first(),
            "meets": participation.mode in MEETING_MODES,
            "collection": collection,
            "counts": counts,
            # rounded to tens while open: a leader who watches must not see a single answer come in
            "return_share": disclosure.round_share(counts.submitted, counts.approached) if counts else None,
            "facilitator_url": links.facilitator_url(meeting) if meeting else "",
            "form": form,
            "published": published_run(participation.study_id) is not None,
        },
    )


def _collection(participation: Participation) -> Collection | None:
    return Collection.objects.filter(participation=participation).select_related("meeting", "survey__study").first()
