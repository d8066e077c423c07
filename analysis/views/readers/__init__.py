"""Pages for whoever reads a report: leaders, directors, and who was given a link."""
