"""How far the paper forms of collections are: handed in, typed, and what keeps a collection from being sealed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from surveys.models import Collection, Meeting, PaperForm
from teams.models import Study

State = PaperForm.State


@dataclass(frozen=True, slots=True)
class PaperCounts:
    """Counts of one collection. ``handed_in`` is what whoever led the meeting counted; None where nobody did."""

    handed_in: int | None
    once: int = 0  # begun, or typed once
    different: int = 0
    ready: int = 0
    written: int = 0

    @property
    def typed(self) -> int:
        return self.once + self.different + self.ready + self.written

    @property
    def missing(self) -> int:
        """Forms that were handed in and of which nothing is typed."""
        return max((self.handed_in or 0) - self.typed, 0)

    @property
    def unfinished(self) -> int:
        """Forms whose answers would be lost if the collection were sealed now."""
        return self.missing + self.once + self.different + self.ready

    def why_not_seal(self) -> str:
        """What must be done before sealing, in a sentence; blank if nothing."""
        if self.once:
            return ngettext(
                "%(n)s paper form is not typed twice yet. Type it again, or throw it away, before you seal.",
                "%(n)s paper forms are not typed twice yet. Type them again, or throw them away, before you seal.",
                self.once,
            ) % {"n": self.once}
        if self.different:
            return ngettext(
                "%(n)s paper form was typed in two ways. Type what differs before you seal.",
                "%(n)s paper forms were typed in two ways. Type what differs before you seal.",
                self.different,
            ) % {"n": self.different}
        if self.ready:
            return ngettext(
                "%(n)s paper form is typed twice but not added to the answers yet. Add it before you seal.",
                "%(n)s paper forms are typed twice but not added to the answers yet. Add them before you seal.",
                self.ready,
            ) % {"n": self.ready}
        if self.missing:
            return _(
                "%(handed_in)s paper forms were handed in and %(typed)s are entered. Enter the others, or correct the "
                "number that was handed in, before you seal."
            ) % {"handed_in": self.handed_in, "typed": self.typed}
        return ""


def paper_counts(collections: Iterable[Collection]) -> dict[int, PaperCounts]:
    """The counts of collections by primary key, in two queries however many there are. Sealed ones have none."""
    live = [c.pk for c in collections if c.state != Collection.State.SEALED]
    handed_in = dict(Meeting.objects.filter(collection__in=live).values_list("collection", "paper"))
    counts: dict[int, dict[str, int]] = {}
    rows = PaperForm.objects.filter(collection__in=live).order_by().values_list("collection", "state")
    for pk, state, n in rows.annotate(n=Count("pk")):
        counts.setdefault(pk, {})[state] = n
    return {
        pk: PaperCounts(
            handed_in=handed_in.get(pk),
            once=sum(counts.get(pk, {}).get(state, 0) for state in (State.FIRST, State.ONCE, State.SECOND)),
            different=counts.get(pk, {}).get(State.DIFFERENT, 0),
            ready=counts.get(pk, {}).get(State.READY, 0),
            written=counts.get(pk, {}).get(State.WRITTEN, 0),
        )
        for pk in live
    }


def with_paper_left(study: Study) -> QuerySet[Collection]:
    """The collections of a study whose sealing waits for paper forms. One query however many teams there are."""
    forms = PaperForm.objects.filter(collection=OuterRef("pk")).order_by()
    typed = forms.values("collection").annotate(n=Count("pk")).values("n")
    left = Q(Exists(forms.exclude(state=State.WRITTEN))) | Q(meeting__paper__gt=Coalesce(Subquery(typed), 0))
    return Collection.objects.filter(left, survey__study=study).exclude(state=Collection.State.SEALED)


def paper_counts_of(collection: Collection) -> PaperCounts:
    """The counts of one collection; a sealed one has none left."""
    return paper_counts([collection]).get(collection.pk, PaperCounts(None))
