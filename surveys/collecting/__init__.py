"""Collecting in a team: opened, counted, closed, sealed."""
