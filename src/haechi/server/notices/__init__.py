"""Stage 5: takedown notices to hosts outside, their delivery and the answers."""
