"""Inviting: directors, leaders, reminders, corrections, withdrawing."""
