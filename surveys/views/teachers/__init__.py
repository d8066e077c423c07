"""Public: the teacher's pages."""
