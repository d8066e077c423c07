"""What a new version may add to all that was shown before (rules 5 and 7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

Figure = tuple[str, str]  # (unit, scale or item)
#: One version: the keys of the respondents behind each figure that it shows.
Figures = Mapping[Figure, Collection[str]]
Part = frozenset[str]


def version_conflicts(earlier: Iterable[Figures], new: Figures, k: int) -> list[Figure]:
    """Rule 5: the (unit, measure) pairs of a new version that would set fewer than k respondents apart.

    ``earlier`` holds every version ever shown, whatever it came from, as it was shown then; ``new`` may name figures of
    fewer than k, which are not shown. All figures of a measure together cut the respondents into parts; a part of 1…k−1
    people can be worked out by adding and subtracting figures, even where any two units differ by k or more (A + B − C
    leaves the people that A and B share).
    """
    return [figure for figure, parts in _cuts(earlier, new, k) if any(len(part) < k for part in parts)]


def version_tells(
    earlier: Iterable[Figures],
    new: Figures,
    answers: Mapping[str, Mapping[str, float]],
    n_points: int,
    k: int,
) -> list[Figure]:
    """Rule 7 on differences: the pairs of a new version where a part, laid bare by subtracting, answered too much alike.

    Rules 6 and 7 guard what is shown of a unit, not what is left when one version is taken from another. ``answers``
    holds per measure the answer or score of each respondent. Where an answer is gone nobody can say how much alike a
    part is, so that it counts as one that tells.
    """

    def tells(part: Part, known: Mapping[str, float]) -> bool:
        return not part <= known.keys() or _tells([known[key] for key in part], n_points, k)

    return [
        figure
        for figure, parts in _cuts(earlier, new, k)
        if any(tells(part, answers.get(figure[1], {})) for part in parts)
    ]


def _cuts(earlier: Iterable[Figures], new: Figures, k: int) -> Iterator[tuple[Figure, list[Part]]]:
    """Each new figure that is not one of before and has people in common with another, with the parts it belongs to."""
    before: dict[str, set[Part]] = {}
    for version in earlier:
        for (_unit, measure), members in version.items():
            before.setdefault(measure, set()).add(frozenset(members))
    now: dict[str, dict[Figure, Part]] = {}
    for figure, members in new.items():
        if len(members) >= k:  # of fewer nothing is shown
            now.setdefault(figure[1], {})[figure] = frozenset(members)
    known: dict[tuple[frozenset[Part], frozenset[Part]], dict[Part, list[Part]]] = {}
    for measure, figures in now.items():
        shown = (frozenset(before.get(measure, ())), frozenset(figures.values()))
        if shown not in known:  # the same people answered most questions
            known[shown] = _parts_of_new(*shown)
        for figure, members in figures.items():
            if parts := known[shown].get(members):
                yield figure, parts


def _parts_of_new(before: frozenset[Part], now: frozenset[Part]) -> dict[Part, list[Part]]:
    """The parts into which all figures cut the people of those that hang together with a figure that is new.

    Two figures hang together when they share people, or through others: a figure that shares nobody with them tells
    nothing of them. Counted once per person and figure, never figure by figure.
    """
    if now <= before:
        return {}
    figures = [*before, *now - before]
    if len(frozenset().union(*figures)) == sum(map(len, figures)):
        return {}  # nobody is in two figures, as in a first version: none hangs together with another
    places: dict[str, list[int]] = {}
    for place, members in enumerate(figures):
        for key in members:
            places.setdefault(key, []).append(place)
    parts: dict[tuple[int, ...], list[str]] = {}
    for key, of in places.items():
        parts.setdefault(tuple(of), []).append(key)
    first = list(range(len(figures)))  # a figure that each hangs together with, in the end the same for all that do

    def root(place: int) -> int:
        while first[place] != place:
            first[place] = place = first[first[place]]
        return place

    for of_part in parts:
        for place in of_part[1:]:
            first[root(place)] = root(of_part[0])
    together: dict[int, list[Part]] = {}
    n_figures: dict[int, int] = {}
    for place in range(len(figures)):
        n_figures[root(place)] = n_figures.get(root(place), 0) + 1
    for of_part, keys in parts.items():
        together.setdefault(root(of_part[0]), []).append(frozenset(keys))
    return {
        figures[place]: together[root(place)]
        for place in range(len(before), len(figures))
        if n_figures[root(place)] > 1
    }


def _tells(values: Sequence[float], n_points: int, k: int) -> bool:
    """Whether a list of answers without names tells an answer, or the mean of fewer than k, to someone on it or not."""
    for insider in (None, *set(values)):
        others = sorted(values)
        if insider is not None:
            others.remove(insider)
        for size in range(1, k - (insider is not None)):
            if sum(others[-size:]) - sum(others[:size]) < size * (n_points - 1) / 6 - 1e-9:
                return True
    return False
