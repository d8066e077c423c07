"""What each mail of this app says, and who gets it."""
