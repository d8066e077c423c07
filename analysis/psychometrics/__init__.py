"""Psychometrics for Likert scales answered by people in teams: numpy, scipy and pandas, and nothing of Django.

Formulas and literature are named where they are computed and gathered in docs/methods.md.
"""
