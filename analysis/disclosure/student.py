"""Quantiles of Student's t."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def quantile(p: float, df: float) -> float:
    """The value below which a share ``p`` of the distribution with ``df`` degrees of freedom lies."""
    from scipy.special import stdtrit  # of scipy.stats it is the same function, with 80 MB around it

    return float(stdtrit(df, p))
