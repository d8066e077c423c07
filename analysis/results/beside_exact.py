"""What readers see of a team, beside the exact figures of the run, and why the two differ: for researchers, who know both.

Readers see a score that follows from the questions as shown (docs/methods.md, What the reports say in words); the run holds the mean of
persons' scores. Figures that are hidden from researchers elsewhere are hidden here too (data/small_teams.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from analysis import disclosure
from analysis.data.small_teams import hidden_teams
from analysis.disclosure import Capped, ItemDistribution, ItemMean, MeanShown, Withheld
from analysis.models import AnalysisRun
from analysis.models.results import ScaleSet
from analysis.reports.groups import GroupFigures, as_seen
from analysis.reports.objects import ScaleReport, TeamReport
from analysis.reports.sentences import scale_value

SAME = 0.0005  # figures that are printed with three decimals


@dataclass(frozen=True)
class Beside:
    """One scale: as readers see it, the score before rounding, and the run's n, mean and SD; None where it is hidden."""

    name: str
    shown: str
    score: float | None
    n: int | None
    mean: float | None
    sd: float | None
    why: tuple[str, ...]


def beside_exact(run: AnalysisRun, group: GroupFigures, report: TeamReport) -> list[Beside]:
    """Each scale of a report that shows figures."""
    if isinstance(report.scales, Withheld):
        return []
    teams = {team.participation.pk for team in group.teams}
    seen_early = bool(teams & as_seen(run).keys())
    return [
        _beside(
            group, scale, report, hidden=bool(teams & hidden_teams(run, ScaleSet.FINAL, scale.code)), early=seen_early
        )
        for scale in report.scales
    ]


def _beside(group: GroupFigures, scale: ScaleReport, report: TeamReport, *, hidden: bool, early: bool) -> Beside:
    items = [(item.shown, item.reverse_keyed) for item in scale.items]
    score = disclosure.scale_score(items, group.group.analysed, report.n_points, report.k)
    value, figures = float(score.value) if score else None, group.scale(scale.code)
    if hidden:
        why = [
            _(
                "The exact figures of this team are hidden here, as on the page of all teams: those of too few people would follow."
            )
        ]
        return Beside(scale.name, scale_value(scale.shown, 1), value, None, None, None, tuple(why))
    differs = value is not None and figures.mean is not None and abs(value - figures.mean) >= SAME
    why = list(_why(group, scale, report.k, differs=differs))
    if early:
        why.append(_("The team keeps the figures that it saw in its meeting, of the people of then: these are theirs."))
    return Beside(scale.name, scale_value(scale.shown, 1), value, figures.n, figures.mean, figures.sd, tuple(why))


def _why(group: GroupFigures, scale: ScaleReport, k: int, *, differs: bool) -> Iterator[str]:
    """The reasons that hold, in sentences; that readers see one decimal goes without saying where there is another."""
    shown = scale.shown
    if isinstance(shown, Withheld):
        yield _("Readers see nothing of this subject: a question of it is not shown, or too few people have a score.")
        return
    if isinstance(shown, Capped):
        yield _(
            "Near an end of the scale readers see a limit: the mean would tell what those who answered differently said."
        )
    if any(not isinstance(item.shown, ItemMean | ItemDistribution) for item in scale.items):
        yield _(
            "A question is shown as “almost everyone” or as a limit: it enters by a fixed table, not by its exact mean."
        )
    elif differs and _some_left_open(group, scale):
        yield _(
            "Readers see the mean of the questions' means, the run the mean of persons' scores: some left questions open."
        )
    if differs and _enter_rounded(group, scale, k):
        yield _("Some questions enter with their mean as shown, rounded to one decimal.")
    if not differs and isinstance(shown, MeanShown):
        yield _("The same figure, rounded to one decimal.")


def _some_left_open(group: GroupFigures, scale: ScaleReport) -> bool:
    counts = (group.item(item.code) for item in scale.items)
    return any(figures is not None and figures.n != group.group.analysed for figures in counts)


def _enter_rounded(group: GroupFigures, scale: ScaleReport, k: int) -> bool:
    """Whether a question's mean as it enters the score is another than its exact mean."""
    n = group.group.analysed
    for item in scale.items:
        figures = group.item(item.code)
        entered = disclosure.item_score(item.shown, n, len(figures.counts), k) if figures else None
        if figures and figures.n and entered and not entered.about and abs(float(entered.value) - figures.mean) >= SAME:
            return True
    return False
