"""Answering: the teacher's pages and the only writer of responses."""
