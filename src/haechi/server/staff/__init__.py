"""People who work here: roles, password, second factor."""
