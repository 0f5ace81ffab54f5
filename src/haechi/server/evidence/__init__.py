"""Stage 2: sealed exhibits, who opened them, and their fingerprints."""
