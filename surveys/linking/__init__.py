"""Personal links: issued, confirmed, reminded."""
