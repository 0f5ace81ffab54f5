"""Stage 3: platforms, banks, members, hosted content, hits and checks at upload."""
