"""Proofs as text that other tools read, after the C2SP specifications.

inclusion     https://c2sp.org/tlog-proof: one file that holds index, hashes and the checkpoint
consistency   the body that https://c2sp.org/tlog-witness asks for: old size, hashes, new checkpoint
"""

import base64
from collections.abc import Sequence

HEADER = "c2sp.org/tlog-proof@v1"


def inclusion_text(index: int, proof: Sequence[bytes], note: str, *, extra: bytes) -> str:
    """The proof that entry `index`, from 0, is in the log that the checkpoint `note` was signed over.

    `extra` travels with it and is part of no proof: here, the hash of the entry before.
    """
    lines = [HEADER, f"extra {_base64(extra)}", f"index {index}", *map(_base64, proof)]
    return "\n".join([*lines, "", note])


def consistency_text(size: int, proof: Sequence[bytes], note: str) -> str:
    """The proof that the log in the checkpoint `note` begins with the one of `size` entries."""
    return "\n".join([f"old {size}", *map(_base64, proof), "", note])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
