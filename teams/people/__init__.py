"""Who people are: contact persons, former contacts, employment, mail domains."""
