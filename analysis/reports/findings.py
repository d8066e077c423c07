"""What a report says first: four or five findings in plain sentences, what matters most first. A page unfolds three.

Made of the shown figures only, by fixed rules; texts are short, and say nothing of persons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis.disclosure import Agreement, Difference, IfAllHadAnswered, MeanShown, Reached, Verdict, Withheld
from analysis.reports.objects import Benchmark, Finding, ScaleReport, TeamReport, WideScale
from analysis.reports.sentences import joined, number, score, value_of
from teams.text.directions import isolated

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

S = TypeVar("S", ScaleReport, WideScale)
K = TypeVar("K", Verdict, Agreement, Reached)
_AGREEMENT = (
    (Agreement.LARGELY_AGREE, gettext_lazy("You largely agree on %(scales)s.")),
    (Agreement.SOMEWHAT_DIFFERENT, gettext_lazy("Your views differ somewhat on %(scales)s.")),
    (Agreement.WIDELY_DIFFERENT, gettext_lazy("Your views differ widely on %(scales)s.")),
)
_CHANGES = (
    (Verdict.HIGHER, gettext_lazy("The score is clearly higher on %(scales)s.")),
    (Verdict.LOWER, gettext_lazy("The score is clearly lower on %(scales)s.")),
    (Verdict.SLIGHTLY_HIGHER, gettext_lazy("The score is a little higher on %(scales)s.")),
    (Verdict.SLIGHTLY_LOWER, gettext_lazy("The score is a little lower on %(scales)s.")),
    (Verdict.EQUAL, gettext_lazy("The score is about the same on %(scales)s.")),
    (Verdict.CHANCE, gettext_lazy("The difference may be chance on %(scales)s.")),
)
_COMPARISONS = (
    (Verdict.HIGHER, gettext_lazy("The score is clearly higher than the mean of all teams on %(scales)s.")),
    (Verdict.LOWER, gettext_lazy("The score is clearly lower than the mean of all teams on %(scales)s.")),
    (Verdict.SLIGHTLY_HIGHER, gettext_lazy("The score is a little higher than the mean of all teams on %(scales)s.")),
    (Verdict.SLIGHTLY_LOWER, gettext_lazy("The score is a little lower than the mean of all teams on %(scales)s.")),
    (Verdict.EQUAL, gettext_lazy("The score is about the same as the mean of all teams on %(scales)s.")),
    (Verdict.CHANCE, gettext_lazy("The difference with the mean of all teams may be chance on %(scales)s.")),
)
_SECTOR = (
    (Verdict.HIGHER, gettext_lazy("The score is clearly higher than that of teams in the same sector on %(scales)s.")),
    (Verdict.LOWER, gettext_lazy("The score is clearly lower than that of teams in the same sector on %(scales)s.")),
    (
        Verdict.SLIGHTLY_HIGHER,
        gettext_lazy("The score is a little higher than that of teams in the same sector on %(scales)s."),
    ),
    (
        Verdict.SLIGHTLY_LOWER,
        gettext_lazy("The score is a little lower than that of teams in the same sector on %(scales)s."),
    ),
    (Verdict.EQUAL, gettext_lazy("Teams in the same sector score about the same on %(scales)s.")),
    (Verdict.CHANCE, gettext_lazy("The difference with teams in the same sector may be chance on %(scales)s.")),
)
_REACHED = (
    (Reached.YES, gettext_lazy("You reached your own target on %(scales)s.")),
    (Reached.ABOUT, gettext_lazy("You are about there on %(scales)s.")),
    (Reached.NO, gettext_lazy("You are not there yet on %(scales)s.")),
)
_MIDDLE = (
    (Verdict.HIGHER, gettext_lazy("Clearly above the middle of the scale (%(middle)s): %(scales)s.")),
    (Verdict.LOWER, gettext_lazy("Clearly below the middle of the scale (%(middle)s): %(scales)s.")),
)


def findings(report: TeamReport, scales: Sequence[ScaleReport], no_benchmark: str) -> tuple[Finding, ...]:
    """The findings of a team's report. ``no_benchmark`` says why there is no comparison with other teams."""
    made = [Finding(_("Where you stand"), tuple(_standing(scales, report)))]
    if any(scale.since is not None for scale in scales):
        made.append(Finding(_("Compared with the previous measurement"), tuple(_changes(scales))))
    if any(scale.reached is not None for scale in scales):
        reached = _sorted(scales, lambda scale: scale.reached, Reached)
        made.append(Finding(_("Your own target"), tuple(_say(reached, _REACHED, scales))))
    made.append(_others(scales, report.benchmark, no_benchmark))
    agreed = _agreed(scales)
    if any(agreed.values()):
        made.append(Finding(_("How far you agree"), tuple(_say(agreed, _AGREEMENT, scales))))
    made.append(Finding(_("How sure this is"), tuple(_certainty(scales, report))))
    return tuple(made)


def _agreed(scales: Sequence[ScaleReport]) -> dict[Agreement, list[str]]:
    """The names of the scales by how far a team agrees on them."""
    return {word: [scale.name for scale in scales if scale.agreement == word] for word in Agreement}


def wide_findings(
    scales: Sequence[WideScale], base: Benchmark, has_benchmark: bool, like_these: bool
) -> tuple[Finding, ...]:
    """The findings of a report over several teams."""
    if not any(isinstance(scale.shown, MeanShown) for scale in scales):
        return ()
    made = [Finding(_("Where the teams stand"), tuple(_wide_standing(scales)))]
    if any(scale.since is not None for scale in scales):
        made.append(Finding(_("Compared with the previous measurement"), tuple(_changes(scales))))
    if has_benchmark:
        said = _sorted(scales, lambda scale: verdict_of(scale.beside_all), Verdict)
        made.append(Finding(_("Compared with all teams"), tuple(_say(said, _COMPARISONS, scales))))
    return (*made, _wide_certainty(scales, base, like_these))


def _wide_certainty(scales: Sequence[WideScale], base: Benchmark, like_these: bool) -> Finding:
    text = (
        _("These are means of %(units)s teams, with %(n)s teachers.")
        if base.n_units == base.n_teams
        else _("These are means of %(units)s of the %(teams)s teams, with %(n)s teachers.")
    )
    behind = [text % {"units": base.n_units, "teams": base.n_teams, "n": base.n_respondents}]
    if fewer := [scale.name for scale in scales if scale.of_fewer]:
        behind.append(_("On %(scales)s fewer teams have a score.") % {"scales": joined(fewer)})
    if not any(isinstance(scale.shown, MeanShown) and scale.shown.low is not None for scale in scales):
        return Finding(
            _("How sure this is"), (*behind, _("With so few people we cannot say how sure these means are."))
        )
    bar = (
        _("The bar shows where the mean would probably be if other teams like these had taken part.")
        if like_these
        else _("The bar shows how much chance there is in the mean of these teams. It says nothing of other teams.")
    )
    return Finding(_("How sure this is"), (*behind, bar))


def _standing(scales: Sequence[ScaleReport], report: TeamReport) -> Iterator[str]:
    known = [scale for scale in scales if value_of(scale.shown) is not None]
    if not known:
        yield _("There are too few answers about each subject to show them.")
        return
    for scale in known:
        words = {"scale": isolated(scale.name), "score": score(scale.shown), "points": report.n_points}
        if scale.highest:
            yield _("You score highest on “%(scale)s”: %(score)s on a scale from 1 to %(points)s.") % words
        if scale.lowest:
            yield _("You score lowest on “%(scale)s”: %(score)s on a scale from 1 to %(points)s.") % words
    if len(known) == len(scales) > 1 and not any(scale.highest or scale.lowest for scale in known):
        yield _("No subject is clearly higher or lower than all others.")
    if len(known) == 1:
        yield _("You score %(score)s on “%(scale)s”, on a scale from 1 to %(points)s.") % {
            "score": score(known[0].shown),
            "scale": isolated(known[0].name),
            "points": report.n_points,
        }
    middle = number(report.midpoint, 2)
    above = _sorted(scales, lambda scale: scale.middle, Verdict)
    for where, text in _MIDDLE:
        if above[where]:
            yield text % {"middle": middle, "scales": joined(above[where])}
    if report.combined_with:
        yield _("These are the answers of several teams together. Between the teams there may be differences.")


def _wide_standing(scales: Sequence[WideScale]) -> Iterator[str]:
    known = [scale for scale in scales if isinstance(scale.shown, MeanShown)]
    for scale in known:
        words = {"scale": isolated(scale.name), "score": score(scale.shown, 2)}
        if scale.highest:
            yield _("The mean is highest on “%(scale)s”: %(score)s.") % words
        if scale.lowest:
            yield _("The mean is lowest on “%(scale)s”: %(score)s.") % words
    if len(known) == len(scales) > 1 and not any(scale.highest or scale.lowest for scale in known):
        yield _("No subject is clearly higher or lower than all others.")
    if len(known) == 1:
        yield _("The mean on “%(scale)s” is %(score)s.") % {
            "scale": isolated(known[0].name),
            "score": score(known[0].shown, 2),
        }


def _certainty(scales: Sequence[ScaleReport], report: TeamReport) -> Iterator[str]:
    yield _(
        "With so few people, chance plays a part. The bar shows how much the score could have been different by chance."
    )
    if report.returned < report.approached:
        yield ngettext(
            "%(n)s colleague did not answer, and may think otherwise.",
            "%(n)s colleagues did not answer, and may think otherwise.",
            report.approached - report.returned,
        ) % {"n": report.approached - report.returned}
        if report.if_all is not None:
            yield from _if_all(report.if_all)
    elif report.approached:
        yield _("Everybody answered.")
    if not any(_agreed(scales).values()):
        yield (
            _("How far your views lie apart is shown from %(n)s answers on, so that nobody can be recognised.")
            % {"n": 2 * report.k}
        )
    if any(scale.since is not None for scale in scales):
        yield _("We reckon as if other colleagues answered then and now, so a difference is not called clear too soon.")


def _if_all(absent: tuple[str, IfAllHadAnswered]) -> Iterator[str]:
    scale, then = absent
    yield _(
        "With the lowest possible score of those who did not answer, yours on “%(scale)s” would be %(lowest)s; with the highest possible, %(highest)s."
    ) % {
        "scale": isolated(scale),
        "lowest": number(then.lowest, 1),
        "highest": number(then.highest, 1),
    }
    yield _("With a score of theirs that is %(lower)s lower than yours, it would be %(then)s.") % {
        "lower": number(then.lower, 1),
        "then": number(then.then, 1),
    }


def _others(scales: Sequence[ScaleReport], benchmark: Benchmark | Withheld, no_benchmark: str) -> Finding:
    title = _("Compared with other teams")
    if isinstance(benchmark, Withheld):
        return Finding(title, (_("There is no comparison with other teams."), no_benchmark))
    made = _say(_sorted(scales, lambda scale: verdict_of(scale.beside_all), Verdict), _COMPARISONS, scales)
    if any(scale.beside_sector is not None for scale in scales):
        said = _sorted(scales, lambda scale: verdict_of(scale.beside_sector), Verdict)
        made += _say(said, _SECTOR, scales)
    return Finding(title, tuple(made))


def verdict_of(difference: Difference | None) -> Verdict | None:
    """What may be said of a difference, if there are two scores."""
    return None if difference is None else difference.verdict


def _sorted(scales: Sequence[S], judge: Callable[[S], K | None], kinds: type[K]) -> dict[K, list[str]]:
    said: dict[K, list[str]] = {kind: [] for kind in kinds}
    for scale in scales:
        if kind := judge(scale):
            said[kind].append(scale.name)
    return said


def _changes(scales: Sequence[S]) -> list[str]:
    """What is higher and lower than before; where nothing clearly is, that in so many words."""
    said = _sorted(scales, lambda scale: verdict_of(scale.since), Verdict)
    if any(names for verdict, names in said.items() if verdict != Verdict.CHANCE):
        return _say(said, _CHANGES, scales)
    return [_("There is no clear difference on any subject: each difference may be chance.")]


def _say(
    said: Mapping[K, list[str]], templates: Sequence[tuple[K, _StrPromise]], scales: Sequence[ScaleReport | WideScale]
) -> list[str]:
    """One sentence for each kind; "all subjects" only where it is said of every one of the report."""
    return [
        text % {"scales": _("all subjects") if len(said[kind]) == len(scales) > 1 else joined(said[kind])}
        for kind, text in templates
        if said[kind]
    ]
