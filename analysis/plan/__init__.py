"""What is fixed before the data are seen: the plan with its rules, and the scales it knows."""
