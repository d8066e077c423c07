"""Public by link: facilitators and invitations."""
