"""Measuring the search: edits of pictures, recall, tails of unrelated pairs, thresholds."""
