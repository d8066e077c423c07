"""Collecting in all teams of a study: a page of teams with their counts, and the totals, however many teams there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from surveys.collecting.counts import Counts, counts_of
from surveys.models import Collection, Meeting, Response
from teams.models import Participation, Study

PER_PAGE = 50
SMALL, NOT_OPEN = "small", "not_open"
# what the list can be narrowed to
STATES = {
    **dict(Collection.State.choices),
    NOT_OPEN: _("not open yet"),
    SMALL: _("not sealed, with fewer answers than a report needs"),
}


@dataclass(frozen=True, slots=True)
class Row:
    participation: Participation
    collection: Collection | None
    meeting: Meeting | None
    counts: Counts | None


@dataclass(frozen=True, slots=True)
class CollectingList:
    rows: tuple[Row, ...]
    page: Page[Participation]
    totals: Mapping[str, int]

    @property
    def n_opened(self) -> int:
        return self.totals["open"] + self.totals["closed"] + self.totals["sealed"]


def list_collecting(
    study: Study, search: str = "", state: str = "", mode: str = "", page: str | int | None = 1
) -> CollectingList:
    """A page of the teams that take part, by institution, academy and name; ten queries however many there are."""
    shown = study.participations.filter(state=Participation.State.ACCEPTED)
    if state == NOT_OPEN:
        shown = shown.filter(collection__isnull=True)
    elif state == SMALL:
        shown = shown.filter(collection__in=small(study))
    elif state:
        shown = shown.filter(collection__state=state)
    if mode:
        shown = shown.filter(mode=mode)
    if search:
        names = ("team__name", "team__academy__name", "team__academy__institution__name", "leader_name")
        either = Q()
        for name in names:
            either |= Q(**{f"{name}__icontains": search})
        shown = shown.filter(either)
    shown = shown.select_related("team__academy__institution", "collection__meeting").order_by(
        "team__academy__institution__name", "team__academy__name", "team__name", "pk"
    )
    page_of_teams = Paginator(shown, PER_PAGE).get_page(page)
    collections = {participation.pk: getattr(participation, "collection", None) for participation in page_of_teams}
    counted = counts_of(collection for collection in collections.values() if collection is not None)
    rows = tuple(
        Row(
            participation,
            collection,
            getattr(collection, "meeting", None),
            counted[collection.pk] if collection else None,
        )
        for participation in page_of_teams
        for collection in [collections[participation.pk]]
    )
    return CollectingList(rows, page_of_teams, _totals(study))


def small(study: Study) -> QuerySet[Collection]:
    """Collections that are not sealed and have fewer answers than are shown of."""
    submitted = Count("responses", filter=Q(responses__state=Response.State.SUBMITTED))
    taking_part = Collection.objects.filter(
        survey__study=study, participation__state=Participation.State.ACCEPTED
    ).exclude(state=Collection.State.SEALED)
    return taking_part.annotate(n_in=submitted).filter(n_in__lt=study.k)


def _totals(study: Study) -> dict[str, int]:
    """Of all teams that take part, whatever the filter; two queries."""
    taking_part = Q(survey__study=study, participation__state=Participation.State.ACCEPTED)
    sealed = Q(state=Collection.State.SEALED)
    totals = Collection.objects.filter(taking_part).aggregate(
        approached=Sum("approached", default=0),
        started=Sum("n_started", filter=sealed, default=0),
        submitted=Sum("n_submitted", filter=sealed, default=0),
        **{state: Count("pk", filter=Q(state=state)) for state in Collection.State.values},
    )
    live = Collection.objects.filter(taking_part).exclude(sealed).values("pk")
    begun = Response.objects.filter(collection__in=live).aggregate(
        started=Count("pk"), submitted=Count("pk", filter=Q(state=Response.State.SUBMITTED))
    )
    return {
        **totals,
        "started": totals["started"] + begun["started"],
        "submitted": totals["submitted"] + begun["submitted"],
    }
