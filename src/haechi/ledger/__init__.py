"""A tamper-evident log: canonical JSON, a hash chain, a Merkle tree and signed checkpoints.

Pure functions over bytes. Where entries are kept and who may add one is the caller's business.
"""

from haechi.ledger.canonical_json import canonical, canonical_text, encoded, quoted
from haechi.ledger.chain import GENESIS, Link, Verified, entry_hash, follow, verify_chain
from haechi.ledger.checkpoint import Checkpoint, verifier_key
from haechi.ledger.merkle import (
    EMPTY_ROOT,
    Leaves,
    Subtrees,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from haechi.ledger.proof_text import consistency_text, inclusion_text

__all__ = [
    "EMPTY_ROOT",
    "GENESIS",
    "Checkpoint",
    "Leaves",
    "Link",
    "Subtrees",
    "Tree",
    "Verified",
    "canonical",
    "canonical_text",
    "consistency_proof",
    "consistency_text",
    "encoded",
    "entry_hash",
    "follow",
    "inclusion_proof",
    "inclusion_text",
    "leaf_hash",
    "node_hash",
    "quoted",
    "root",
    "verifier_key",
    "verify_chain",
    "verify_consistency",
    "verify_inclusion",
]
