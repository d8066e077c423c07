"""The outbox and the way to the mail server. What each mail says stands in messages/."""
