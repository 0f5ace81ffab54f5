"""Media to fingerprints: exact digests, PDQ, and the copy-detection embedding.

`image` makes all of them of an upload, `member` those of a picture that copies shall be found of,
`hashes` only the cheap one. They decode in this process; run them as `Sandbox.run(fingerprint.image, data)` on untrusted bytes.
"""

from haechi.fingerprint import frames, pdq, sscd
from haechi.fingerprint.digests import Digests, digests
from haechi.fingerprint.frames import Frame
from haechi.fingerprint.hashes import Hashes, hashes
from haechi.fingerprint.pdq import Pdq
from haechi.fingerprint.picture import ImageFingerprint, image, member

__all__ = [
    "Digests",
    "Frame",
    "Hashes",
    "ImageFingerprint",
    "Pdq",
    "digests",
    "frames",
    "hashes",
    "image",
    "member",
    "pdq",
    "sscd",
]
