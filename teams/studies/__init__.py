"""Studies and research groups: set up, joined, listed, kept as long as promised."""
