"""Forms of collecting and of the editor: they check and never save."""
