"""Where labels stand in each kind of picture: one module a format, each with the same three verbs.

`take` gives the file without XMP, without any AIGC label and without C2PA, and what it took out;
`put` puts one XMP packet in; `carry` brings what else the old file said (EXIF, texts) to new pixels.
Only bytes are moved, with every length checked; nothing is decoded.
"""

from collections.abc import Mapping

from haechi.labels.writing.carriers import boxes, gif, jpeg, png, tiff, webp
from haechi.labels.writing.carriers.taken import Carrier, Taken
from haechi.media import Kind

CARRIERS: Mapping[Kind, Carrier] = {
    Kind.JPEG: jpeg,
    Kind.PNG: png,
    Kind.WEBP: webp,
    Kind.TIFF: tiff,
    Kind.GIF: gif,
    Kind.AVIF: boxes,
    Kind.HEIC: boxes,
}

__all__ = ["CARRIERS", "Carrier", "Taken"]
