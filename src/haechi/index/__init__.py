"""Fingerprints to neighbours: exact Hamming search, embedding search, and what a hit means."""

from haechi.index.catalog import Catalog
from haechi.index.compiled import prepare
from haechi.index.entry import Entry, Hit, Hits, Query, Verdict
from haechi.index.hamming import HammingIndex
from haechi.index.policy import DEFAULT, Policy

__all__ = [
    "DEFAULT",
    "Catalog",
    "Entry",
    "HammingIndex",
    "Hit",
    "Hits",
    "Policy",
    "Query",
    "Verdict",
    "prepare",
]
