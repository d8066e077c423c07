"""From a data frame to the moments a factor model is fitted to: columns checked, cases chosen, groups and clusters coded.

Covariances have denominator N (Wishart likelihoods with N - 1 are not used anywhere in this package), so chi-square is N
times the discrepancy, as in lavaan's default ``likelihood = "normal"``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import DataError, FitFailure
from ..problems import (
    CASES_DROPPED,
    NO_VARIANCE,
    NOT_POSITIVE_DEFINITE,
    TOO_FEW_OBSERVATIONS,
    TOO_FEW_TEAMS,
    Problem,
)
from .result import FloatArray

# Rows worked on at a time: small enough for the processor's cache, large enough to forget the loop.
CHUNK = 8192
#: Spread between clusters, in parts of that of independent respondents, that rounding alone leaves.
SMALLEST_SPREAD = 1e-10


@dataclass(frozen=True)
class GroupSample:
    """The cases of one group.

    ``values`` (n, p) answers, NaN where missing answers are kept, small numbers where the data are (:attr:`large`); ``mean`` (p,) and ``covariance`` (p, p, denominator n)
    of complete cases, NaN-filled where missing answers are kept. With clusters the rows are sorted by cluster:
    ``cluster_starts`` (n_clusters,) holds the first row of each, ``cluster_codes`` (n,) its number.
    """

    label: str
    values: npt.NDArray[np.floating[Any]]
    mean: FloatArray
    covariance: FloatArray
    cluster_starts: npt.NDArray[np.intp] | None = None
    cluster_codes: npt.NDArray[np.intp] | None = None

    @property
    def large(self) -> FloatArray:
        """The answers as numbers to compute with; less a mean they are that by themselves."""
        return self.values.astype(np.float64, copy=False)

    @property
    def n(self) -> int:
        """Number of cases."""
        return len(self.values)

    @property
    def n_clusters(self) -> int:
        """Number of clusters, 0 without clusters."""
        return 0 if self.cluster_starts is None else len(self.cluster_starts)


@dataclass(frozen=True)
class Sample:
    """The cases a model is fitted to, by group in order of appearance. ``problems`` says how many rows were left out."""

    items: tuple[str, ...]
    groups: tuple[GroupSample, ...]
    problems: tuple[Problem, ...]

    @property
    def n_obs(self) -> int:
        """Number of cases over all groups."""
        return sum(group.n for group in self.groups)

    @property
    def n_clusters(self) -> int | None:
        """Number of clusters over all groups, None without clusters."""
        return sum(group.n_clusters for group in self.groups) or None

    @property
    def group_labels(self) -> tuple[str, ...]:
        """The labels of the groups; empty where there is one group without a name."""
        return tuple(group.label for group in self.groups) if self.groups[0].label else ()


def draw_sample(
    data: pd.DataFrame,
    items: Sequence[str],
    *,
    group: str | None = None,
    cluster: str | None = None,
    keep_missing: bool = False,
) -> Sample:
    """The complete cases of these items; with ``keep_missing`` every case with at least one answer.

    Rows without a group or a cluster are left out; groups stand in the order in which they appear in the data. Raises :class:`DataError` for a column that does not exist, exists
    twice, or holds text or infinite numbers, and for a group that is left without rows.
    """
    named = [*items, *(name for name in (group, cluster) if name is not None)]
    missing = [name for name in named if name not in data.columns]
    if missing:
        raise DataError(f"the data have no column {_listed(missing)}")
    if twice := [name for name in named if list(data.columns).count(name) > 1]:
        raise DataError(f"the data have more than one column {_listed(twice)}")
    table = _table(data, items)
    group_codes, group_labels = _codes(data, group)
    cluster_codes, _ = _codes(data, cluster)
    keep = (group_codes >= 0) & (cluster_codes >= 0)
    for start in range(0, len(keep), CHUNK):
        gaps = np.isnan(table[start : start + CHUNK])
        keep[start : start + CHUNK] &= ~(gaps.all(axis=1) if keep_missing else gaps.any(axis=1))
    n_dropped = len(keep) - int(np.count_nonzero(keep))
    problems: tuple[Problem, ...] = ()
    if n_dropped:
        sentence = f"{n_dropped} of {len(keep)} rows were left out because of missing answers"
        problems = (Problem(CASES_DROPPED, "", sentence + (", group or cluster." if group or cluster else ".")),)
    groups = []
    for code, label in enumerate(group_labels):
        here = np.flatnonzero(keep & (group_codes == code))
        if group is not None and not len(here):
            raise DataError(
                f"group {label!r} has no {'' if keep_missing else 'complete '}row of answers to these items"
            )
        groups.append(_group_sample(label, table, here, cluster_codes if cluster is not None else None))
    return Sample(tuple(items), tuple(groups), problems)


def _table(data: pd.DataFrame, items: Sequence[str]) -> npt.NDArray[np.floating[Any]]:
    """The columns of these items as numbers (rows, items), NaN where an answer is missing.

    Small numbers stay small until the cases are chosen: of a million respondents the table counts.
    """
    frame = data[list(items)]
    values: npt.NDArray[np.floating[Any]]
    if all(dtype == np.float32 for dtype in frame.dtypes):
        values = frame.to_numpy()
    elif all(pd.api.types.is_numeric_dtype(dtype) and isinstance(dtype, np.dtype) for dtype in frame.dtypes):
        values = frame.to_numpy(dtype=np.float64)
    else:
        values = np.column_stack([_numbers(frame[name]) for name in items])
    if infinite := [name for name, column in zip(items, values.T, strict=True) if np.isinf(column).any()]:
        column = infinite[0]
        raise DataError(f"column {column!r} holds an infinite number")
    return values


def check_moments(sample: Sample) -> None:
    """Raise :class:`FitFailure` where no covariance matrix can be analysed: too few cases, constant items, singular."""
    p = len(sample.items)
    for group in sample.groups:
        where = f" in group {group.label!r}" if group.label else ""
        if group.n <= p:
            raise FitFailure(
                TOO_FEW_OBSERVATIONS, f"{group.n} complete observations{where} are too few for {p} items."
            )  # fmt: skip
        spread = np.diag(group.covariance)
        # rounding leaves a constant such as 0.1 with a variance of about 1e-32
        if (flat := spread <= 1e-20 * (1.0 + group.mean**2)).any():
            name = sample.items[int(np.flatnonzero(flat)[0])]
            raise FitFailure(NO_VARIANCE, f"All answers to {name} are the same{where}: it has no variance.", name)
        sd = np.sqrt(spread)
        if np.linalg.eigvalsh(group.covariance / np.outer(sd, sd))[0] < 1e-10:
            raise FitFailure(
                NOT_POSITIVE_DEFINITE,
                f"The covariance matrix of the items{where} is not positive definite: an item is a combination of others.",
            )


def check_clusters(sample: Sample) -> None:
    """Raise :class:`FitFailure` where a group has a single cluster: scores sum to zero over it and say nothing."""
    for group in sample.groups:
        if group.n_clusters == 1:
            where = f" in group {group.label!r}" if group.label else ""
            raise FitFailure(TOO_FEW_TEAMS, f"Cluster-robust errors need two clusters or more{where}; there is one.")


def check_spread_of_clusters(explained: float, n_parameters: int) -> None:
    """Raise :class:`FitFailure` where the clusters' scores are zero but for rounding, as of clusters that are all alike.

    ``explained`` is the trace of the clusters' covariance in units of that of independent respondents: about one per
    parameter.
    """
    if n_parameters and not explained > SMALLEST_SPREAD * n_parameters:
        sentence = "The clusters do not differ: their scores are zero, and errors robust to clusters say nothing."
        raise FitFailure(TOO_FEW_TEAMS, sentence)


def _numbers(column: pd.Series) -> FloatArray:
    numbers = pd.to_numeric(column, errors="coerce")
    if bool((text := numbers.isna() & column.notna()).any()):
        row = int(np.flatnonzero(text.to_numpy())[0])
        raise DataError(
            f"column {column.name!r} holds text, not numbers: {str(column.iloc[row])!r} in data row {row + 1}"
        )
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _codes(data: pd.DataFrame, name: str | None) -> tuple[npt.NDArray[np.intp], list[str]]:
    if name is None:
        return np.zeros(len(data), dtype=np.intp), [""]
    codes, labels = pd.factorize(data[name])
    return codes.astype(np.intp), [_label(label) for label in labels]


def _label(value: object) -> str:
    """A group's name: 1.0, which pandas makes of 1 beside a missing value, is shown as 1."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _group_sample(
    label: str,
    table: npt.NDArray[np.floating[Any]],
    rows: npt.NDArray[np.intp],
    clusters: npt.NDArray[np.intp] | None,
) -> GroupSample:
    starts: npt.NDArray[np.intp] | None = None
    codes: npt.NDArray[np.intp] | None = None
    if clusters is not None:
        rows = rows[np.argsort(clusters[rows], kind="stable")]
        new = np.diff(clusters[rows], prepend=-1) != 0
        starts, codes = np.flatnonzero(new), np.cumsum(new) - 1
    values = np.empty((len(rows), table.shape[1]), dtype=table.dtype)
    for start in range(0, len(rows), CHUNK):
        values[start : start + CHUNK] = table[rows[start : start + CHUNK]]
    mean, covariance = moments(values)
    return GroupSample(label, values, mean, covariance, starts, codes)


def moments(values: npt.NDArray[np.floating[Any]]) -> tuple[FloatArray, FloatArray]:
    """Mean (p,) and covariance matrix (p, p) with denominator n; NaN where an item has missing answers."""
    n, p = values.shape
    if n == 0:
        return np.full(p, np.nan), np.full((p, p), np.nan)
    mean = values.mean(axis=0, dtype=np.float64)
    total = np.zeros((p, p))
    for start in range(0, n, CHUNK):
        deviations = values[start : start + CHUNK] - mean
        total += deviations.T @ deviations
    return mean, total / n


def _listed(names: Sequence[str]) -> str:
    quoted = [repr(name) for name in dict.fromkeys(names)]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " or " + quoted[-1]
