"""Accounts: signing in, second factors, passwords, what happens to them."""
