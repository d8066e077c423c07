"""A run: claimed, computed step by step, stored. The only writer of result rows."""
