"""Scales and items: screening, scoring, descriptions, reliability, correlations."""
