"""The error-correcting code of a trace id: a keyed check, then a tail-biting convolutional code.

80 bits (48 of the id, 32 of a check that only the holder of the key can make) become 480, each of
which depends on nine neighbours. Reading is by soft decisions: what counts is how sure each of the
480 values is, not only its sign (Viterbi, two turns around the circle).
"""

import hashlib
import re

import numpy as np
from numpy.typing import NDArray

BITS = 48
CHECK_BITS = 32
SENT_BITS = BITS + CHECK_BITS
CODED_BITS = SENT_BITS * 6

_SPELLED = re.compile(rf"[0-9a-fA-F]{{1,{BITS // 4}}}")

_MEMORY = 8
_STATES = 1 << _MEMORY
# The best known rate-1/4 polynomials of nine taps, and two of the best rate-1/3 ones.
_TAPS = (0o463, 0o535, 0o733, 0o745, 0o557, 0o711)


def _outputs() -> NDArray[np.float32]:
    """+1 or -1 for each output of each of the 512 windows of nine bits; (6, 512)."""
    windows = np.arange(2 * _STATES)
    rows = [[(int(window) & tap).bit_count() & 1 for window in windows] for tap in _TAPS]
    return 1 - 2 * np.array(rows, np.float32)


_SIGNS = _outputs()


def spelled(payload: int) -> str:
    """The one way an id is written, wherever it is shown: twelve lower-case hexadecimal digits."""
    return f"{payload:0{BITS // 4}x}"


def payload_of(text: str) -> int:
    """The id that somebody wrote, with the zeros before it or without. Raises ValueError."""
    if not _SPELLED.fullmatch(text):
        raise ValueError(text)
    return int(text, 16)


def encode(payload: int, key: bytes) -> NDArray[np.float32]:
    """480 values of +1 and -1."""
    bits = _bits(payload, key)
    windows = np.zeros(SENT_BITS, np.int64)
    for back in range(_MEMORY + 1):
        windows |= np.roll(bits, back) << (_MEMORY - back)
    return np.ascontiguousarray(_SIGNS[:, windows].T).ravel()


def decode(soft: NDArray[np.float32], key: bytes) -> int | None:
    """The id that 480 soft values (positive: +1) stand for, or None if the check does not fit."""
    likely = (soft.reshape(SENT_BITS, len(_TAPS)) @ _SIGNS).astype(np.float32)
    bits = _around(likely)
    payload = int("".join(map(str, bits[:BITS])), 2)
    return payload if np.array_equal(_bits(payload, key), bits) else None


def _bits(payload: int, key: bytes) -> NDArray[np.int64]:
    body = payload.to_bytes(BITS // 8, "big")
    check = hashlib.blake2b(body, digest_size=CHECK_BITS // 8, key=_short(key), person=b"check")
    whole = np.frombuffer(body + check.digest(), np.uint8)
    return np.unpackbits(whole).astype(np.int64)


def _short(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=32).digest()


def _around(likely: NDArray[np.float32]) -> NDArray[np.int64]:
    """The bits of the best path through the circle; the first turn finds where it begins.

    A window is (this bit, the eight before it), newest in the highest place; a state is the eight
    newest bits, so the next window is bit * 256 + state, and the next state window >> 1.
    """
    steps = np.arange(2 * SENT_BITS) % SENT_BITS
    best = np.zeros(_STATES, np.float32)
    came: list[NDArray[np.bool_]] = []
    for step in steps:
        # Windows 2s and 2s + 1 lead to state s; they left the states (2s, 2s + 1) mod 256.
        pairs = (np.concatenate((best, best)) + likely[step]).reshape(_STATES, 2)
        second = pairs[:, 1] > pairs[:, 0]
        best = np.where(second, pairs[:, 1], pairs[:, 0])
        came.append(second)
    state = int(best.argmax())
    found = np.zeros(2 * SENT_BITS, np.int64)
    for place in range(2 * SENT_BITS - 1, -1, -1):
        window = 2 * state + int(came[place][state])
        found[place] = window >> _MEMORY
        state = window & (_STATES - 1)
    # The middle of the two turns is sure at both ends.
    half = SENT_BITS // 2
    return np.roll(found[half : half + SENT_BITS], half)
