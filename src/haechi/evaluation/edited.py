"""One edited copy, as an upload: decoded, edited, saved as JPEG and fingerprinted as the product does.

Top-level functions of bytes, for `Sandbox.run`: a folder to evaluate on is a stranger's too.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from haechi import fingerprint
from haechi.evaluation import edits
from haechi.evaluation.studio import Rgb, scaled
from haechi.fingerprint import ImageFingerprint
from haechi.media import decode

WORK_PX = 1000
"""Longest side before editing: what platforms keep, and edits in milliseconds."""

QUALITY = 92
"""Of the JPEG that the edited copy is saved as."""


def saved(data: bytes, name: str, others: Sequence[bytes], seed: int) -> bytes:
    """JPEG bytes of the picture in `data` after the edit `name`; `others` are files for collages.

    Raises MediaError of `data` or of an other that is needed, or UnknownEdit.
    """
    wanted = others if name in edits.CROWDED else ()
    rgb = edits.make(name, _pixels(data), [_pixels(other) for other in wanted], seed)
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()


def asked(data: bytes, name: str, others: Sequence[bytes], seed: int) -> ImageFingerprint:
    """The fingerprint of `saved` as an upload's. Raises as `saved`, or FingerprintError."""
    return fingerprint.image(saved(data, name, others, seed))


def _pixels(data: bytes) -> Rgb:
    rgb = np.asarray(decode(data).rgb)
    return scaled(rgb, min(1.0, WORK_PX / max(rgb.shape[:2])))
