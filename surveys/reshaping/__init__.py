"""When a team changes while it takes part: its way of answering, merged, split."""
