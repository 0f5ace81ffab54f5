"""A small image board that asks Haechi before it publishes and obeys its signed orders."""
