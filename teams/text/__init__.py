"""People's words: addresses, signs that fonts have, directions of writing."""
