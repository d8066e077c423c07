"""What is asked of the engine: a model, a comparison, reliability by models, invariance, discriminant validity."""
