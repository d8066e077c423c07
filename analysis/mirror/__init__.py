"""The mirror: a team sees itself in its own meeting, before anything is published."""
