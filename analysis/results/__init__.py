"""What researchers read of a run: tables, figures and words, from its rows alone."""
