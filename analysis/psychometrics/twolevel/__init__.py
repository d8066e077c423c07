"""Two-level models: persons within teams."""
