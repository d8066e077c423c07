"""What a report says first: four or five findings in plain sentences, each with the marks of the chart that shows it.

Made of the shown figures only, by fixed rules; texts are short, and say nothing of persons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.disclosure import Agreement, MeanShown, ShownScale, Withheld
from analysis.reports.objects import Benchmark, Finding, Mark, ScaleReport, WideScale
from analysis.reports.sentences import Beside, beside, beside_target, number, score, since, value_of

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

S = TypeVar("S", ScaleReport, WideScale)
K = TypeVar("K", Beside, Agreement)
_AGREEMENT = (
    (Agreement.LARGELY_AGREE, gettext_lazy("You largely agree on %(scales)s.")),
    (Agreement.SOMEWHAT_DIFFERENT, gettext_lazy("Your views differ somewhat on %(scales)s.")),
    (Agreement.WIDELY_DIFFERENT, gettext_lazy("Your views differ widely on %(scales)s.")),
)
_CHANGES = (
    (Beside.HIGHER, gettext_lazy("The score has risen on %(scales)s.")),
    (Beside.LOWER, gettext_lazy("The score has fallen on %(scales)s.")),
    (Beside.SAME, gettext_lazy("There is no clear difference on %(scales)s.")),
)
_COMPARISONS = (
    (Beside.HIGHER, gettext_lazy("The score is higher than the mean of all teams on %(scales)s.")),
    (Beside.LOWER, gettext_lazy("The score is lower than the mean of all teams on %(scales)s.")),
    (Beside.SAME, gettext_lazy("The score is about the same as the mean of all teams on %(scales)s.")),
)
_REACHED = (
    (Beside.HIGHER, gettext_lazy("You reached your own target on %(scales)s.")),
    (Beside.SAME, gettext_lazy("You are close to it on %(scales)s.")),
    (Beside.LOWER, gettext_lazy("You are not there yet on %(scales)s.")),
)
_SECTOR = (
    (Beside.HIGHER, gettext_lazy("You score higher than teams in the same sector on %(scales)s.")),
    (Beside.LOWER, gettext_lazy("You score lower than teams in the same sector on %(scales)s.")),
    (Beside.SAME, gettext_lazy("Teams in the same sector score about the same on %(scales)s.")),
)
CLOSE = 0.05  # scores that differ less than this look the same when rounded


def findings(
    scales: Sequence[ScaleReport],
    benchmark: Benchmark | Withheld,
    no_benchmark: str,
    returned: int,
    approached: int,
    n_points: int,
    k: int,
) -> tuple[Finding, ...]:
    """The findings of a team's report. ``no_benchmark`` says why there is no comparison with other teams."""
    made = [
        Finding(_("Where you stand"), tuple(_standing(scales, n_points)), (Mark.OWN,)),
        Finding(
            _("How sure this is"),
            tuple(_certainty(scales, returned, approached, n_points, k)),
            (Mark.OWN, Mark.INTERVAL),
        ),
    ]
    if any(scale.target is not None for scale in scales):
        said = _sorted(scales, lambda scale: beside_target(scale.shown, scale.target, n_points))
        made.append(Finding(_("Your own target"), tuple(_say(said, _REACHED)), (Mark.OWN, Mark.TARGET)))
    if any(value_of(scale.previous) is not None for scale in scales):
        said = _sorted(scales, lambda scale: since(scale.shown, scale.previous, n_points))
        made.append(
            Finding(
                _("Compared with the previous measurement"),
                (*_changes(said), _("Not exactly the same colleagues answered both times.")),
                (Mark.OWN, Mark.INTERVAL, Mark.PREVIOUS),
            )
        )
    made.append(_others(scales, benchmark, no_benchmark, n_points))
    return tuple(made)


def wide_findings(scales: Sequence[WideScale], base: Benchmark, has_benchmark: bool) -> tuple[Finding, ...]:
    """The findings of a report over several teams."""
    known = [(scale.name, value) for scale in scales if (value := value_of(scale.shown)) is not None]
    if not known:
        return ()
    made = [
        Finding(_("Where the teams stand"), tuple(_extremes(known, 2)), (Mark.OWN,)),
        _wide_certainty(scales, base),
    ]
    if any(isinstance(scale.previous, MeanShown) for scale in scales):
        said = _sorted(scales, lambda scale: since(scale.shown, scale.previous, 0))
        made.append(
            Finding(
                _("Compared with the previous measurement"),
                tuple(_changes(said)),
                (Mark.OWN, Mark.INTERVAL, Mark.PREVIOUS),
            )
        )
    if has_benchmark:
        said = _sorted(scales, lambda scale: beside(scale.shown, scale.benchmark, 0))
        made.append(
            Finding(
                _("Compared with all teams"),
                tuple(_say(said, _COMPARISONS)),
                (Mark.OWN, Mark.INTERVAL, Mark.BENCHMARK),
            )
        )
    return tuple(made)


def _wide_certainty(scales: Sequence[WideScale], base: Benchmark) -> Finding:
    text = (
        _("These are means of %(units)s teams, with %(n)s teachers.")
        if base.n_units == base.n_teams
        else _("These are means of %(units)s of the %(teams)s teams, with %(n)s teachers.")
    )
    behind = text % {"units": base.n_units, "teams": base.n_teams, "n": base.n_respondents}
    if not any(isinstance(scale.shown, MeanShown) and scale.shown.low is not None for scale in scales):
        few = _("With so few teams we cannot say how sure these means are.")
        return Finding(_("How sure this is"), (behind, few), ())
    bar = _("The bar shows where the mean would probably be if other teams like these had taken part.")
    return Finding(_("How sure this is"), (behind, bar), (Mark.OWN, Mark.INTERVAL))


def _standing(scales: Sequence[ScaleReport], n_points: int) -> list[str]:
    known = [(scale.name, scale.shown) for scale in scales if value_of(scale.shown) is not None]
    if not known:
        return [_("There are too few answers about each subject to show them.")]
    values = sorted(known, key=lambda one: value_of(one[1]) or 0.0)
    (_lowest, low), (_highest, high) = values[0], values[-1]
    made = []
    if len(values) == 1 or (value_of(high) or 0) - (value_of(low) or 0) < CLOSE:
        made.append(
            _("You score %(score)s out of %(points)s on %(scales)s.")
            % {"score": score(high), "points": n_points, "scales": joined([name for name, _shown in known])}
        )
    else:
        made.append(
            _("You score highest on %(highest)s (%(high)s out of %(points)s), lowest on %(lowest)s (%(low)s).")
            % {
                "highest": joined(_as_shown(known, high)),
                "high": score(high),
                "points": n_points,
                "lowest": joined(_as_shown(known, low)),
                "low": score(low),
            }
        )
    middle = (1 + n_points) / 2
    said = _sorted(scales, lambda scale: beside(scale.shown, middle, n_points))
    words = {"middle": number(middle, 2)}
    for where, text in (
        (Beside.HIGHER, _("Clearly above the middle of the scale (%(middle)s): %(scales)s.")),
        (Beside.LOWER, _("Clearly below the middle of the scale (%(middle)s): %(scales)s.")),
    ):
        if said[where]:
            made.append(text % {**words, "scales": joined(said[where])})
    return made


def _as_shown(known: Sequence[tuple[str, ShownScale]], figure: ShownScale) -> list[str]:
    """The scales that show this very figure."""
    return [name for name, shown in known if score(shown) == score(figure)]


def _certainty(scales: Sequence[ScaleReport], returned: int, approached: int, n_points: int, k: int) -> list[str]:
    made = []
    if returned < approached:
        made.append(_("Not everybody answered. The others may think otherwise."))
        made.append(_("The bar shows where the score would probably be if everybody had answered."))
    else:
        made.append(_("Everybody answered."))
        made.append(_("Chance still plays a part. The bar shows how much the score could have been different."))
    agreed = {word: [s.name for s in scales if s.agreement == word] for word in Agreement}
    if any(agreed.values()):
        made += _say(agreed, _AGREEMENT)
    else:
        made.append(
            _("How far your views lie apart is shown from %(n)s answers on, so that nobody can be recognised.")
            % {"n": 2 * k}
        )
    return made


def _others(
    scales: Sequence[ScaleReport], benchmark: Benchmark | Withheld, no_benchmark: str, n_points: int
) -> Finding:
    title = _("Compared with other teams")
    if isinstance(benchmark, Withheld):
        return Finding(title, (_("There is no comparison with other teams."), no_benchmark), ())
    made = _say(_sorted(scales, lambda scale: beside(scale.shown, scale.benchmark, n_points)), _COMPARISONS)
    marks = [Mark.OWN, Mark.INTERVAL, Mark.BENCHMARK]
    if any(isinstance(scale.sector, MeanShown) for scale in scales):
        marks.append(Mark.SECTOR)
        said = _sorted(scales, lambda scale: beside(scale.shown, scale.sector, n_points))
        made += _say(
            said,
            _SECTOR,
        )
    return Finding(title, tuple(made), tuple(marks))


def _extremes(known: Sequence[tuple[str, float]], decimals: int) -> list[str]:
    low, high = min(value for _name, value in known), max(value for _name, value in known)
    if high - low < CLOSE / 10:
        return [
            _("The mean is %(score)s on %(scales)s.")
            % {"score": number(high, decimals), "scales": joined([name for name, _value in known])}
        ]
    return [
        _("The mean is highest on %(highest)s (%(high)s) and lowest on %(lowest)s (%(low)s).")
        % {
            "highest": joined([name for name, value in known if value == high]),
            "high": number(high, decimals),
            "lowest": joined([name for name, value in known if value == low]),
            "low": number(low, decimals),
        }
    ]


def _sorted(scales: Sequence[S], judge: Callable[[S], Beside | None]) -> dict[Beside, list[str]]:
    said: dict[Beside, list[str]] = {where: [] for where in Beside}
    for scale in scales:
        if where := judge(scale):
            said[where].append(scale.name)
    return said


def _changes(said: dict[Beside, list[str]]) -> list[str]:
    """What rose and fell; where nothing clearly did, that in so many words, and when a difference is clear."""
    clear = said[Beside.HIGHER] or said[Beside.LOWER]
    made = _say(said, _CHANGES) if clear else [_("There is no clear difference on any subject.")]
    if said[Beside.SAME]:
        made.append(_("A difference is clear only where the two bars do not touch."))
    return made


def _say(said: Mapping[K, list[str]], templates: Sequence[tuple[K, _StrPromise]]) -> list[str]:
    total = sum(len(names) for names in said.values())
    return [
        text % {"scales": _("all subjects") if len(said[where]) == total > 1 else joined(said[where])}
        for where, text in templates
        if said[where]
    ]


def joined(names: Sequence[str]) -> str:
    """“A”, “B” and “C”."""
    quoted = [f"“{name}”" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return _("%(first)s and %(last)s") % {"first": ", ".join(quoted[:-1]), "last": quoted[-1]}
