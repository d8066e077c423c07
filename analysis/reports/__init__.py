"""What a team, an academy and everybody are shown of a run: knows disclosure/, knows no request."""
