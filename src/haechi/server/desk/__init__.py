"""Pages for the people who work here, behind password and second factor."""
