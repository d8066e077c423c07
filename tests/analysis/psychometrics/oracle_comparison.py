"""Compare a result with an oracle entry: every quantity of the oracle, none left out unless it is excluded by name."""

import math
from collections.abc import Callable, Collection
from typing import Any


def compare(
    ours: Any,
    expected: Any,
    tolerance: float | Callable[[str], float],
    *,
    excluded: Collection[str] = (),
    path: str = "",
) -> list[str]:
    """Sentences on what differs: the empty list where all of ``expected`` is found in ``ours`` within tolerance.

    A tolerance is absolute for numbers up to 1 and relative above, so that it means digits. Null stands for a number
    that is not defined, and must be null or NaN in both.
    """
    if path.rpartition(".")[2] in excluded or path in excluded:
        return []
    if isinstance(expected, dict):
        if not isinstance(ours, dict):
            return [f"{path}: no such block"]
        return [
            difference
            for key, value in expected.items()
            if key not in excluded
            for difference in (
                compare(ours[key], value, tolerance, excluded=excluded, path=f"{path}.{key}" if path else key)
                if key in ours
                else [f"{path}.{key}: missing"]
            )
        ]
    if isinstance(expected, list):
        if len(ours) != len(expected):
            return [f"{path}: {len(ours)} entries, not {len(expected)}"]
        return [
            difference
            for number, (mine, theirs) in enumerate(zip(ours, expected, strict=True))
            for difference in compare(mine, theirs, tolerance, excluded=excluded, path=f"{path}.{number}")
        ]
    if isinstance(expected, str | bool):
        return [] if ours == expected else [f"{path}: {ours!r}, not {expected!r}"]
    undefined = ours is None or (isinstance(ours, float) and math.isnan(ours))
    if expected is None or undefined:
        return [] if expected is None and undefined else [f"{path}: {ours!r}, not {expected!r}"]
    allowed = tolerance(path) if callable(tolerance) else tolerance
    error = abs(ours - expected) / max(1.0, abs(expected))
    return (
        [] if error <= allowed else [f"{path}: {ours!r}, not {expected!r} (off by {error:.1e}, allowed {allowed:.0e})"]
    )
