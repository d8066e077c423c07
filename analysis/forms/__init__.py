"""Forms of the analysis pages: they check and never save."""
