"""Stage 1: what the person depicted told us, sealed, and the return code that opens it again."""
