"""Publishing: what is given to readers, and what was ever given to them."""
