"""The table of analysis/disclosure/caps.py: how far means lie from the caps that are shown in their place.

    python -m scripts.caps

Answers like those of teams: item means evenly over the scale, teams apart by an SD of .27 and people within by .62 on four
points, in proportion for others; rounded to whole answers. Prints, per number of points, the share of the way from the bound to the
end (over n = k … 2k − 1 for k = 5), and what those who did not give the answer at the end add up to (n = 10, 14, 20).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

K = 5
TEAMS = 50_000
BETWEEN, WITHIN = 0.27, 0.62


def answers(n: int, n_points: int, seed: int, teams: int = TEAMS) -> NDArray[np.int64]:
    """(teams, n) answers to one item, from 1 to ``n_points``."""
    rng = np.random.default_rng(seed)
    mean = rng.uniform(1.2, 3.8, (teams, 1)) + rng.normal(0, BETWEEN, (teams, 1))
    latent = mean + rng.normal(0, WITHIN, (teams, n))
    scaled = 1 + (latent - 1) * (n_points - 1) / 3
    return np.clip(np.floor(scaled + 0.5), 1, n_points).astype(np.int64)


def way_to_the_end(n_points: int, sizes: Sequence[int] = range(K, 2 * K)) -> float:
    """The mean share of the way from the bound of "b or higher" to the end of the scale."""
    shares = []
    for n in sizes:
        given = answers(n, n_points, seed=n)
        margin = n_points - 1 - (-(n_points - 1) * (K - 2) // 6)
        means = given.sum(axis=1)[n_points * n - given.sum(axis=1) <= margin] / n
        bound = (10 * (n_points * n - margin) // n) / 10
        shares.append(float((means.mean() - bound) / (n_points - bound)))
    return sum(shares) / len(shares)


def away_from_the_end(n_points: int, sizes: Sequence[int] = (10, 14, 20)) -> float:
    """What the answers of a unit, of whom all but two at most gave the lowest one, add up to above it."""
    sums = []
    for n in sizes:
        given = answers(n, n_points, seed=n)
        nearly = given[(given == 1).sum(axis=1) >= n - 2]
        sums.append(float((nearly - 1).sum(axis=1).mean()))
    return sum(sums) / len(sums)


def main() -> None:
    for n_points in (2, 3, 4, 5, 7, 10, 11):
        print(
            f"{n_points:>2} points  to the end {way_to_the_end(n_points):.2f}  away {away_from_the_end(n_points):.2f}"
        )


if __name__ == "__main__":
    main()
