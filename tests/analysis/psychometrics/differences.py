"""Derivatives by differences: the check on the analytic ones."""

from collections.abc import Callable

import numpy as np


def numerical_jacobian(function: Callable[[np.ndarray], np.ndarray], theta: np.ndarray) -> np.ndarray:
    """Central differences with Richardson extrapolation, (n_out, n_theta)."""
    columns = []
    for k in range(len(theta)):

        def slope(h: float, k: int = k) -> np.ndarray:
            step = np.zeros_like(theta)
            step[k] = h
            return (function(theta + step) - function(theta - step)) / (2.0 * h)

        h = 1e-3 * max(abs(float(theta[k])), 0.1)
        columns.append((4.0 * slope(h / 2.0) - slope(h)) / 3.0)
    return np.stack(columns, axis=-1)
