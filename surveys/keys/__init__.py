"""Keys: of a collection, of a response's row; and the list of what must not come back."""
