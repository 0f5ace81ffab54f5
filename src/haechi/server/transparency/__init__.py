"""Stage 9: statements of reasons and the numbers anyone can recompute."""
