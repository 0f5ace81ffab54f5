"""Notices in: the platform's side of the same coin. docs/notices-in.md tells the whole."""
