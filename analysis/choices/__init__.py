"""What researchers decide about data and models, each with its reason."""
