"""`python -m benchmarks.int8 FOLDER`: recall that is lost by keeping embeddings as int8.

Every picture of the folder is a member with its crops, and is looked up in every edit of
`haechi evaluate edits`; each look is embedded once, as float32, and rounded afterwards, so that both
columns see the same. Embeddings alone: neither digests nor PDQ count.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haechi.evaluation import edited, edits
from haechi.evaluation.quantised import looks, recall
from haechi.index import DEFAULT

type Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


def main(argv: list[str]) -> int:
    """Print one line a threshold."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.int8", description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--pictures", type=int, default=20, help="so many, evenly chosen")
    asked.add_argument("--pattern", default="*.jpg")
    told = asked.parse_args(argv)
    files = sorted(told.folder.glob(told.pattern))
    files = files[:: max(1, len(files) // told.pictures)][: told.pictures]
    pairs = list(_pairs([file.read_bytes() for file in files]))
    print(f"{len(files)} pictures, {len(edits.EDITS)} edits, {len(pairs)} copies")
    for threshold in (0.45, DEFAULT.sscd_similarity, 0.55, 0.60, DEFAULT.sscd_certain):
        made = recall(pairs, threshold)
        print(
            f"at {threshold:.2f}: float32 {made.exact / made.copies:.4f}, int8"
            f" {made.rounded / made.copies:.4f}; {made.lost} lost, {made.gained} gained"
        )
    return 0


def _pairs(pictures: list[bytes]) -> Iterator[Pair]:
    for number, data in enumerate(pictures):
        known = looks(data, crops=True)
        others = [*pictures[number + 1 :], *pictures[:number]][:8]
        for name in edits.EDITS:
            yield looks(edited.saved(data, name, others, number), crops=False), known
        print(f"{number + 1} of {len(pictures)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
