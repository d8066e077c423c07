"""Pages of collecting and questionnaires for researchers."""
