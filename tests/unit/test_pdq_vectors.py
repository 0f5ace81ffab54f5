"""The pictures and hashes that the browser's PDQ is held to (web/tests/pdq.test.ts) are the server's.

To write them again: `python -m tests.unit.test_pdq_vectors`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import pdq

VECTORS = Path(__file__).parents[2] / "web" / "tests" / "pdq-vectors.json"
SIZES = ((5, 5), (64, 64), (63, 200), (301, 517), (640, 480), (1030, 129), (1001, 750))
LOOKS = ("waves", "stripes", "checkers", "flat")

type Plane = NDArray[np.int64]


def test_the_browsers_vectors_are_what_the_server_makes() -> None:
    """Whoever changes PDQ on one side alone is told by the tests of the other."""
    kept, now = json.loads(VECTORS.read_text()), vectors()

    assert [_named(row) for row in kept] == [_named(row) for row in now]
    for row, made in zip(kept, now, strict=True):
        assert row["quality"] == made["quality"], _named(row)
        if row["quality"] == 0:  # nothing but rounding is left
            continue
        for old, new in zip(row["turns"], made["turns"], strict=True):
            assert (int(old, 16) ^ int(new, 16)).bit_count() == 0, _named(row)


def vectors() -> list[dict[str, Any]]:
    """Every look in every size, with its hashes."""
    rows = []
    for look in LOOKS:
        for width, height in SIZES:
            hashes = pdq.dihedral(picture(look, width, height))
            rows.append(
                {
                    "look": look,
                    "width": width,
                    "height": height,
                    "quality": hashes[0].quality,
                    "turns": [each.hex for each in hashes],
                }
            )
    return rows


def picture(look: str, width: int, height: int) -> NDArray[np.uint8]:
    """The same pixels as web/tests/made-pictures.ts makes."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    paint = {
        "waves": lambda c: (
            (_wave(x + 2 * y, 37 + 9 * c) + _wave(3 * x + y, 61) + _wave(x * y, 997)) // 3
        ),
        "stripes": lambda _c: (x // 8 % 2) * 255,
        "checkers": lambda _c: ((x // 16 + y // 16) % 2) * 200 + 20,
        "flat": lambda c: np.full_like(x, 40 * c),
    }
    return np.stack([paint[look](channel) for channel in range(3)], axis=-1).astype(np.uint8)


def _wave(t: Plane, half: int) -> Plane:
    return np.abs(t % (2 * half) - half) * 255 // half


def _named(row: dict[str, Any]) -> tuple[str, int, int]:
    return row["look"], row["width"], row["height"]


if __name__ == "__main__":
    VECTORS.write_text("[\n" + ",\n".join(map(json.dumps, vectors())) + "\n]\n")
