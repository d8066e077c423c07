"""Forms of setting up a study and inviting: they validate and never save."""
