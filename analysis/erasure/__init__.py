"""What is deleted by a person's act: a whole study, or one person out of the studies. Knows every table of every app."""
