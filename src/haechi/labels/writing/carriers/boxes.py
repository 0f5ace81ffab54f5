"""AVIF and HEIC: the XMP packet is changed where it lies, in the room that its padding leaves.

Anything else would move the pixels, whose places are written down all over the file (ISO/IEC 23008-12).
"""

from haechi.errors import LabelRefused
from haechi.labels.writing.carriers.taken import Taken

_BEGIN, _END = b"<?xpacket begin", b'<?xpacket end="w"?>'
_LONGEST = 1 << 20


def take(data: bytes) -> Taken:
    """See the package. The file stays whole: `put` writes over what it finds."""
    found = _found(data)
    return Taken(data, None if found is None else data[slice(*found)])


def put(rest: bytes, xmp: bytes) -> bytes:
    """See the package."""
    found = _found(rest)
    if found is None:
        raise LabelRefused("there is no room for a label beside these pixels; draw it as well")
    begin, end = found
    body = xmp.removesuffix(_END).rstrip()
    if len(body) + len(_END) > end - begin:
        raise LabelRefused("there is too little room for a label beside these pixels")
    return rest[:begin] + body.ljust(end - begin - len(_END)) + _END + rest[end:]


def carry(rest: bytes, drawn: bytes) -> bytes:  # noqa: ARG001 - what it says is turned and cut already
    """See the package."""
    return drawn


def _found(data: bytes) -> tuple[int, int] | None:
    """Where the one packet is; None if there is none, or more than one."""
    begin = data.find(_BEGIN)
    end = data.find(_END, begin) + len(_END)
    if begin < 0 or end < len(_END) or end - begin > _LONGEST:
        return None
    return (begin, end) if data.find(_BEGIN, end) < 0 else None
