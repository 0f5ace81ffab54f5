"""Media to fingerprints: exact digests, PDQ, and the copy-detection embedding.

`image` makes all of them of an upload, `member` those of a picture that copies shall be found of.
Both decode in this process; run them as `Sandbox.run(fingerprint.image, data)` on untrusted bytes.
"""

from haechi.fingerprint import pdq, sscd
from haechi.fingerprint.digests import Digests, digests
from haechi.fingerprint.pdq import Pdq
from haechi.fingerprint.picture import ImageFingerprint, image, member

__all__ = ["Digests", "ImageFingerprint", "Pdq", "digests", "image", "member", "pdq", "sscd"]
