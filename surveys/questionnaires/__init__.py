"""Questionnaires: what they hold, drafts, versions, files."""
