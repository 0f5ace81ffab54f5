"""A picture for a person to look at: small, and nothing in it but pixels."""

import cv2

from haechi.errors import BrokenMedia
from haechi.media.decoding import decode
from haechi.media.limits import DEFAULT, Limits


def as_jpeg(data: bytes, side_px: int, limits: Limits = DEFAULT) -> bytes:
    """A JPEG of at most `side_px` on its longer side, without metadata; decodes in this process.

    Run it as `Sandbox.run(preview.as_jpeg, data, side_px)` on untrusted bytes. Raises MediaError.
    """
    rgb = decode(data, limits=limits).rgb
    scale = min(1.0, side_px / max(rgb.shape[:2]))
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    if not done:
        raise BrokenMedia("the picture cannot be encoded again")
    return encoded.tobytes()
