"""Pages of setting up a study and inviting: for researchers and administrators, and by link for directors."""
