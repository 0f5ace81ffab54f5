"""Open untrusted pictures safely: told by content, limited, decoded as a viewer would show them.

`sniff` says what a file is from its first bytes, `decode` opens it in this process, and `Sandbox`
runs `decode` (or any function of bytes) in child processes where a crash, a hang or a memory
blow-up costs one answer. Everything raised is a `haechi.errors.MediaError`.
"""

from haechi.media.decoding import Picture, decode, luminance, transparency
from haechi.media.kind import Kind, sniff
from haechi.media.limits import DEFAULT, Limits
from haechi.media.sandbox import Sandbox

__all__ = [
    "DEFAULT",
    "Kind",
    "Limits",
    "Picture",
    "Sandbox",
    "decode",
    "luminance",
    "sniff",
    "transparency",
]
