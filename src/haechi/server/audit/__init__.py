"""The append-only log of acts and reads. Every other stage writes here, in its own transaction."""
