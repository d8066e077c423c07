"""Full information maximum likelihood: models of data with answers missing."""
