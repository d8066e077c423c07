"""The model syntax of lavaan: read, and made into a model."""
