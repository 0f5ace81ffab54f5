"""Bytes by name. What is stored here is sealed already; a blob store never sees plaintext."""

from haechi.blobs.local import BlobWriter, LocalStore
from haechi.blobs.parts import Parts
from haechi.blobs.store import Source, Store, Writer

__all__ = ["BlobWriter", "LocalStore", "Parts", "Source", "Store", "Writer"]
