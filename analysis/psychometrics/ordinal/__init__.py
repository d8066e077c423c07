"""Ordinal answers: polychoric correlations and weighted least squares (WLSMV)."""
