"""The demo: a simulated study with the wave of the year before, and an open study to try at once."""
