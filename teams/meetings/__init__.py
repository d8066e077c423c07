"""Planned team meetings: dates, offered times, calendars."""
