"""Academies, teams and their contacts: by form or from a file; duplicates."""
