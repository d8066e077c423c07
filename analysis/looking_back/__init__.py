"""Coming back to what a team agreed: a day, one mail, one page with each step."""
