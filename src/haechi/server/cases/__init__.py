"""Stage 4: case, clocks, decision, and the actions a decision asks of platforms."""
