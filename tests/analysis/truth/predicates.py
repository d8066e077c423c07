"""What must be so in the rows for a sentence of a report to be true. A predicate returns what is wrong, or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from analysis.disclosure import Agreement, Capped, Difference, MeanShown, Reached, Score, Spread, Verdict
from analysis.disclosure.differences import delta
from analysis.reports.objects import Benchmark, ScaleReport, TeamReport, WideReport
from tests.analysis.truth.exact import Sample, half_beside_all, half_of_change, half_of_score, over_units
from tests.analysis.truth.studies import SCALES, scales_of
from tests.disclosure.people import Wave
from tests.disclosure.study import Publication

TOLERANCE = 0.02  # by which an exact interval may hold 0 where a difference is called clear: 0 is what rounding leaves


@dataclass(frozen=True)
class Rows:
    """The rows behind one report."""

    report: TeamReport | WideReport
    now: Wave
    then: Wave
    publication: Publication

    @property
    def units(self) -> list[frozenset[int]]:
        """All units of the publication."""
        return [frozenset(t.participation.pk for t in g.teams) for g in self.publication.material.units]

    @property
    def own(self) -> list[frozenset[int]]:
        """The units that the report is about."""
        if isinstance(self.report, TeamReport):
            return [frozenset(int(name) for name in (self.report.team, *self.report.combined_with))]
        academy = getattr(self.report, "academy", None)
        if academy is None:
            return self.units
        return [unit for unit in self.units if any(f"academy {self.now.teams[team]}" == academy for team in unit)]

    def showing(self, scale: str, units: list[frozenset[int]], *, before: bool = False) -> list[frozenset[int]]:
        """Those of the units that a mean on this scale is made of: each item of theirs is shown."""
        known = self._scores(scale, before=before)
        return [unit for unit in units if unit in known]

    def hides(self, scale: str, units: list[frozenset[int]], *, before: bool = False) -> bool:
        """Whether caps hide something of the scores of these units."""
        known = self._scores(scale, before=before)
        return any(known[unit].about for unit in units if unit in known)

    def _scores(self, code: str, *, before: bool) -> dict[frozenset[int], Score]:
        material = self.publication.material
        if before:
            assert material.previous is not None
            material = material.previous.material
        place = next(nth for nth, scale in enumerate(material.scales) if scale.code == code)
        return {
            frozenset(t.participation.pk for t in g.teams): material.scores[g.key, place]
            for g in material.units
            if (g.key, place) in material.scores
        }

    @property
    def sector(self) -> list[frozenset[int]]:
        """The units of the report's sector."""
        mine = {self.now.teams[team] % 2 for unit in self.own for team in unit}
        return [unit for unit in self.units if {self.now.teams[team] % 2 for team in unit} == mine]

    def n(self, units: list[frozenset[int]], wave: Wave | None = None) -> int:
        return sum(Sample(wave or self.now, unit).n for unit in units)

    def n_showing(self, scale: str, units: list[frozenset[int]], wave: Wave | None = None) -> int:
        """The people behind a mean on this scale."""
        return self.n(self.showing(scale, units, before=wave is self.then), wave)

    def score(self, scale: str, units: list[frozenset[int]] | None = None, wave: Wave | None = None) -> float:
        shown = self.showing(scale, units or self.own, before=wave is self.then)
        return over_units(wave or self.now, shown, scale)

    def spread(self, scale: str, *, before: bool = False) -> Spread:
        material = self.publication.material
        if before:
            assert material.previous is not None
            material = material.previous.material
        spread = material.spreads[scale]
        assert spread is not None
        return spread

    def capped(self, scale: str) -> bool:
        """Whether a figure of the comparison hides how far its answers go."""
        shown = next(s.shown for s in scales_of(self.report) if s.code == scale)
        return isinstance(shown, Capped) or (isinstance(shown, MeanShown) and shown.about)


Problem = str | None
Words = dict[str, str]
Predicate = Callable[[Rows, ScaleReport | None, Words], Problem]


def figure(words: str) -> float:
    """The number in "2,6", "about 2,6" or "3,8 or higher"."""
    match = re.search(r"\d+(?:[.,]\d+)?", words)
    assert match, words
    return float(match[0].replace(",", "."))


# ------------------------------------------------------------------------------------------------ differences
def of_verdict(verdict: Verdict, exact: float, half: float, narrow: float, n_points: int) -> Problem:
    """What is wrong about a verdict, by the exact difference and the exact interval around it."""
    small = float(delta(n_points))
    if verdict.up and exact - half <= -TOLERANCE:
        return f"called clearly higher, and is {exact:+.3f} ± {half:.3f}"
    if verdict.down and exact + half >= TOLERANCE:
        return f"called clearly lower, and is {exact:+.3f} ± {half:.3f}"
    if verdict in (Verdict.SLIGHTLY_HIGHER, Verdict.SLIGHTLY_LOWER) and abs(exact) + half > small + TOLERANCE:
        return f"called a little, and is {exact:+.3f} ± {half:.3f}"
    if verdict == Verdict.EQUAL and abs(exact) + narrow > small + TOLERANCE:
        return f"called about the same, and is {exact:+.3f} ± {narrow:.3f}"
    return None


def denied(verdict: Verdict, exact: float, half: float) -> Problem:
    """What is wrong about calling it chance: a difference that is clear by more than rounding hides."""
    if verdict == Verdict.CHANCE and abs(exact) - half > 0.12:
        return f"called chance, and is {exact:+.3f} ± {half:.3f}"
    return None


def since(rows: Rows, scale: str, verdict: Verdict) -> Problem:
    exact = rows.score(scale) - rows.score(scale, wave=rows.then)
    now = (rows.n_showing(scale, rows.own), rows.spread(scale))
    then = (rows.n_showing(scale, rows.own, rows.then), rows.spread(scale, before=True))
    half = half_of_change(now, then)
    wrong = of_verdict(verdict, exact, half, half_of_change(now, then, 0.95), rows.now.n_points)
    hidden = rows.hides(scale, rows.own) or rows.hides(scale, rows.own, before=True)
    return wrong or (None if hidden else denied(verdict, exact, half))


def beside(rows: Rows, scale: str, verdict: Verdict, units: list[frozenset[int]]) -> Problem:
    exact = rows.score(scale) - rows.score(scale, units)
    n, total, spread = rows.n_showing(scale, rows.own), rows.n_showing(scale, units), rows.spread(scale)
    half = half_beside_all(n, total, spread)
    narrow = half_beside_all(n, total, spread, 0.95)
    wrong = of_verdict(verdict, exact, half, narrow, rows.now.n_points)
    return wrong or (None if rows.hides(scale, [*rows.own, *units]) else denied(verdict, exact, half))


def middle(rows: Rows, scale: str, verdict: Verdict) -> Problem:
    exact = rows.score(scale) - (1 + rows.now.n_points) / 2
    half = half_of_score(rows.n_showing(scale, rows.own), rows.spread(scale))
    narrow = half_of_score(rows.n_showing(scale, rows.own), rows.spread(scale), 0.95)
    return of_verdict(verdict, exact, half, narrow, rows.now.n_points)


def reached(rows: Rows, scale: str, said: Reached, target: float) -> Problem:
    # as people round: what lies a hair below half a step is rounding of the machine
    rounded = int(rows.score(scale) * 10 + 0.5 + 1e-9) / 10
    if said == Reached.YES and rounded < target:
        return f"called reached at {rounded}, target {target}"
    if said == Reached.NO and rounded >= target:
        return f"called not reached at {rounded}, target {target}"
    return None


def extreme(rows: Rows, scale: str, sign: int) -> Problem:
    for other in SCALES:
        if other != scale and rows.showing(other, rows.own) and sign * (rows.score(scale) - rows.score(other)) <= 0:
            return f"called the {'highest' if sign > 0 else 'lowest'}, and {other} is not"
    return None


# ------------------------------------------------------------------------------------------------ the tables
def per_scale(judge: Callable[[Rows, str, Words], Problem]) -> Predicate:
    """Of a sentence about the scale that it stands with."""

    def predicate(rows: Rows, scale: ScaleReport | None, words: Words) -> Problem:
        assert scale is not None
        return judge(rows, scale.code, words)

    return predicate


def of_each(judge: Callable[[Rows, str], Problem]) -> Predicate:
    """Of a sentence that names the scales it is said of."""

    def predicate(rows: Rows, _scale: ScaleReport | None, words: Words) -> Problem:
        named = [name for name in SCALES if f"“{name}”" in words["scales"]] or list(SCALES)
        return next((f"{name}: {wrong}" for name in named if (wrong := judge(rows, name))), None)

    return predicate


def fine(_rows: Rows, _scale: ScaleReport | None, _words: Words) -> Problem:
    """Says nothing of figures."""
    return None


def own_score(rows: Rows, scale: str, words: Words) -> Problem:
    said, exact = words["score"], rows.score(scale)
    decimals = 1 if isinstance(rows.report, TeamReport) else 2
    value = figure(said)
    if re.search("higher|hoger", said):
        return None if exact >= value - 0.05 else f"{said}, and is {exact:.3f}"
    if re.search("lower|lager", said):
        return None if exact <= value + 0.05 else f"{said}, and is {exact:.3f}"
    most = 0.5 * 10**-decimals + 1e-6
    if re.search("about|ongeveer", said):
        most += 0.35 * (rows.now.n_points - 1) / 3
        shown = next(one.shown for one in scales_of(rows.report) if one.code == scale)
        if decimals == 1 and isinstance(shown, MeanShown) and shown.low is not None and shown.high is not None:
            return None if shown.low - 1e-6 <= exact <= shown.high + 1e-6 else f"{said}, and is {exact:.3f}"
    elif decimals == 2:
        most += 0.05  # what caps of some of its units hide
    elif any(None in p.answers for p in rows.now.people):
        most += 0.05  # an item that somebody left empty
    return None if abs(exact - value) <= most else f"{said}, and is {exact:.3f}"


def _difference(rows: Rows, scale: ScaleReport, words: Words) -> Difference | None:
    """The difference of the scale that is said with these numbers."""
    for difference in (scale.since, scale.beside_all, getattr(scale, "beside_sector", None)):
        if difference is not None and difference.by is not None and abs(difference.by) == figure(words["by"]):
            return difference
    return None


def by_how_much(rows: Rows, scale: ScaleReport | None, words: Words) -> Problem:
    assert scale is not None
    matching = _difference(rows, scale, words)
    if matching is None:
        return "no difference of this size"
    candidates = []
    for difference, exact, half in _exact_differences(rows, scale):
        if difference.by is None or abs(difference.by) != figure(words["by"]):
            continue
        high = figure(words["high"])
        low = figure(words["low"]) if "low" in words else 0.0
        candidates.append(low - TOLERANCE <= abs(exact) <= high + TOLERANCE and abs(exact) + half <= high + 0.35)
    return None if any(candidates) else f"said {words}"


def _exact_differences(rows: Rows, scale: ScaleReport) -> Iterator[tuple[Difference, float, float]]:
    code = scale.code
    if scale.since is not None:
        now = (rows.n_showing(code, rows.own), rows.spread(code))
        then = (rows.n_showing(code, rows.own, rows.then), rows.spread(code, before=True))
        yield scale.since, rows.score(code) - rows.score(code, wave=rows.then), half_of_change(now, then)
    for difference, units in ((scale.beside_all, rows.units), (getattr(scale, "beside_sector", None), rows.sector)):
        if difference is not None:
            half = half_beside_all(rows.n_showing(code, rows.own), rows.n_showing(code, units), rows.spread(code))
            yield difference, rows.score(code) - rows.score(code, units), half


def interval(rows: Rows, scale: ScaleReport | None, words: Words) -> Problem:
    assert scale is not None
    low, high, exact = figure(words["low"]), figure(words["high"]), rows.score(scale.code)
    return None if low - TOLERANCE <= exact <= high + TOLERANCE or rows.capped(scale.code) else f"{words}: {exact:.3f}"


def absent(rows: Rows, _scale: ScaleReport | None, words: Words) -> Problem:
    report = rows.report
    assert isinstance(report, TeamReport)
    scale = next(s for s in SCALES if s == words.get("scale", report.if_all[0] if report.if_all else ""))
    score, m = rows.score(scale), rows.now.n_points
    gone, came = report.approached - report.returned, report.returned
    # the shown score stands for the exact one: half a step, and half a step outward
    if "lowest" in words:
        low = (came * score + gone) / report.approached
        high = (came * score + gone * m) / report.approached
        near = -0.001 <= low - figure(words["lowest"]) <= 0.21 and -0.001 <= figure(words["highest"]) - high <= 0.21
        return None if near else f"{words}: {low:.3f} and {high:.3f}"
    then = score - gone / report.approached * (m - 1) / 6
    return None if -0.001 <= then - figure(words["then"]) <= 0.21 else f"{words}: {then:.3f}"


def agreement(word: Agreement) -> Predicate:
    def judge(rows: Rows, scale: str) -> Problem:
        shown = next(s for s in scales_of(rows.report) if s.code == scale)
        return None if shown.agreement == word else f"called {word}"

    return of_each(judge)


def total(rows: Rows, _scale: ScaleReport | None, words: Words) -> Problem:
    base = rows.report.base if isinstance(rows.report, WideReport) else rows.report.benchmark
    assert isinstance(base, Benchmark)
    units = rows.own if isinstance(rows.report, WideReport) else rows.units
    return None if figure(words["n"]) == rows.n(units) else f"{words}: {rows.n(units)}"


def _verdicts(texts: dict[Verdict, str], judge: Callable[[Rows, str, Verdict], Problem]) -> dict[str, Predicate]:
    return {text: per_scale(lambda r, s, _w, v=verdict: judge(r, s, v)) for verdict, text in texts.items()}  # type: ignore[misc]


def _listed(texts: dict[Verdict, str], judge: Callable[[Rows, str, Verdict], Problem]) -> dict[str, Predicate]:
    return {text: of_each(lambda r, s, v=verdict: judge(r, s, v)) for verdict, text in texts.items()}  # type: ignore[misc]


def with_all(rows: Rows, scale: str, verdict: Verdict) -> Problem:
    return beside(rows, scale, verdict, rows.units)


def with_sector(rows: Rows, scale: str, verdict: Verdict) -> Problem:
    return beside(rows, scale, verdict, rows.sector)


def nobody(rows: Rows, scale: str, _words: Words) -> Problem:
    shown = next(s.shown for s in scales_of(rows.report) if s.code == scale)
    return None if not isinstance(shown, MeanShown | Capped) else "a score is shown"


def no_extreme(rows: Rows, _scale: ScaleReport | None, _words: Words) -> Problem:
    """True unless one scale lies a whole point and an interval beyond all others."""
    if any(rows.hides(scale, rows.own) for scale in SCALES):
        return None
    scores = {s.code: rows.score(s.code) for s in scales_of(rows.report) if rows.showing(s.code, rows.own)}
    for scale, score in scores.items():
        gaps = [score - other for name, other in scores.items() if name != scale]
        half = 2 * half_of_score(rows.n_showing(scale, rows.own), rows.spread(scale))
        if min(gaps) > half + 0.25 or max(gaps) < -half - 0.25:
            return f"{scale} clearly is: {scores}"
    return None


def target_of(said: Reached) -> Predicate:
    return per_scale(lambda rows, scale, words: reached(rows, scale, said, figure(words["target"])))


def target_in_list(said: Reached) -> Predicate:
    def judge(rows: Rows, scale: str) -> Problem:
        target = next(s.target for s in scales_of(rows.report) if s.code == scale)
        assert target is not None
        return reached(rows, scale, said, target)

    return of_each(judge)


def of_scale(sign: int) -> Predicate:
    return lambda rows, _scale, words: extreme(rows, words["scale"], sign)


def everybody(rows: Rows, _scale: ScaleReport | None, _words: Words) -> Problem:
    return None if rows.report.returned == rows.report.approached else "somebody did not"


def not_everybody(rows: Rows, _scale: ScaleReport | None, words: Words) -> Problem:
    gone = rows.report.approached - rows.report.returned
    return None if figure(words["n"]) == gone else f"{words}: {gone}"


def no_change(rows: Rows, _scale: ScaleReport | None, _words: Words) -> Problem:
    said = [s.code for s in scales_of(rows.report) if s.since is not None]
    return next((wrong for scale in said if (wrong := since(rows, scale, Verdict.CHANCE))), None)
