"""Why a run cannot be published: said by the page at once, or by a worker that found out later, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Why(StrEnum):
    REMOVED = "removed"
    NOT_DONE = "not_done"
    EMPTY = "empty"
    NEWER = "newer"
    ON_ITS_WAY = "on_its_way"
    WITHDREW = "withdrew"
    OTHER_PLAN = "other_plan"
    OTHER_SCALES = "other_scales"
    SEALED_SINCE = "sealed_since"
    CHANGED = "changed"
    NOT_STUCK = "not_stuck"
    TELLS = "tells"  # with n figures, and the names of the teams that it is about


SENTENCES = {
    Why.REMOVED: _("A team withdrew after this analysis, so the analysis was removed. Run the analysis again first."),
    Why.NOT_DONE: _("Only a finished analysis can be published."),
    Why.EMPTY: _(
        "There is not one answer in this analysis, so there is nothing to publish. A team's answers come in first."
    ),
    Why.NEWER: _("There is a newer analysis. Publish that one."),
    Why.ON_ITS_WAY: _("An analysis is waiting or being made. When it is done, publish that one."),
    Why.WITHDREW: _("A team withdrew after this analysis. Run the analysis again first."),
    Why.OTHER_PLAN: _("The plan was changed after this analysis. Run the analysis again first."),
    Why.OTHER_SCALES: _(
        "A decision on the scales was taken or undone after this analysis. Run the analysis again first."
    ),
    Why.SEALED_SINCE: _("Answers were sealed after this analysis. Run the analysis again first."),
    Why.CHANGED: _(
        "Something has changed in the meantime: the settings, counts, which teams are combined, a team that "
        "withdrew, or somebody published. Look again, then publish."
    ),
    Why.NOT_STUCK: _(
        "Only teams of which few people are left since they were published can be left out. Look again, then publish."
    ),
    Why.TELLS: _(
        "The correction has to wait: compared with what was published before, so few people differ in "
        "%(n)s figures, or they answered so much alike, that readers could work out what they answered. "
        "It is about: %(teams)s."
    ),
}


class PublishingRefused(Exception):
    """A run cannot be published; as a string the sentence for the researcher.

    Args:
        n_figures: how many figures would tell too much.
        about: the units that these figures are of.
        units: those without which it could be tried.
        names: of the units, by their keys.
    """

    def __init__(
        self,
        why: Why,
        *,
        n_figures: int = 0,
        about: Sequence[str] = (),
        units: Sequence[str] = (),
        names: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(why)
        self.why, self.n_figures, self.about, self.units = why, n_figures, tuple(about), tuple(units)
        self.names = names or {}

    def __str__(self) -> str:
        teams = ", ".join(self.names.get(key, key) for key in self.about)
        return str(SENTENCES[self.why] % {"n": self.n_figures, "teams": teams})

    def packed(self) -> dict[str, Any]:
        """What is kept of it: keys, no name."""
        return {"why": str(self.why), "n": self.n_figures, "told": list(self.about), "units": list(self.units)}


def unpacked(kept: Mapping[str, Any], names: Mapping[str, str]) -> PublishingRefused:
    """A refusal that was kept, with the names of the units as they are now."""
    return PublishingRefused(
        Why(kept["why"]), n_figures=kept["n"], about=kept["told"], units=kept["units"], names=names
    )
