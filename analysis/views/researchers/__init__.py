"""Pages of the analysis for researchers."""
