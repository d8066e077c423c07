"""Maximum likelihood for complete data, robust corrections, fit and modification indices."""
