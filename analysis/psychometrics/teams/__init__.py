"""Teams: agreement, intraclass correlations, team means, who did not answer."""
