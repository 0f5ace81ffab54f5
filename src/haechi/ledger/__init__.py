"""A tamper-evident log: canonical JSON, a hash chain, a Merkle tree and signed checkpoints.

Pure functions over bytes. Where entries are kept and who may add one is the caller's business.
"""

from haechi.ledger.canonical_json import canonical
from haechi.ledger.chain import GENESIS, Verified, entry_hash, verify_chain
from haechi.ledger.checkpoint import Checkpoint, verifier_key
from haechi.ledger.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

__all__ = [
    "EMPTY_ROOT",
    "GENESIS",
    "Checkpoint",
    "Tree",
    "Verified",
    "canonical",
    "consistency_proof",
    "entry_hash",
    "inclusion_proof",
    "leaf_hash",
    "root",
    "verifier_key",
    "verify_chain",
    "verify_consistency",
    "verify_inclusion",
]
