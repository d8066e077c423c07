"""How many items of a scale must be answered for a score."""


def default_minimum_answered(n_items: int) -> int:
    """Return how many of ``n_items`` items must be answered: ``ceil(2/3 · n_items)`` (6 → 4, 5 → 4, 12 → 8).

    Raises ``ValueError`` when ``n_items`` is below 1.
    """
    if n_items < 1:
        raise ValueError(f"A scale needs at least one item, not {n_items}.")
    # Whole numbers only: ceil(2/3 * 6) in floating point would rest on a rounding of 2/3.
    return (2 * n_items + 2) // 3
