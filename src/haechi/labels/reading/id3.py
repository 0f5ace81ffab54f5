"""Metadata in ID3v2.3 and 2.4 (id3.org), in front of MP3 and inside WAV."""

from haechi.labels.reading.haul import Haul

FRAMES = 400
_ENCODINGS = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}
_NAMES = {
    "TSSE": "encoder",
    "TENC": "encoder",
    "TCOP": "copyright",
    "TIT2": "title",
    "TPE1": "artist",
    "WOAS": "source",
    "WXXX": "source",
}
_OLD = 2


def read(data: bytes, haul: Haul, *, carrier: str = "mp3:ID3") -> int:
    """Frames of the tag at the start of `data`; how many bytes it takes, 0 if there is none."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    version, flags = data[3], data[5]
    length = _synchsafe(data[6:10])
    if 10 + length > len(data):
        haul.lie(carrier)
    body = haul.piece(carrier, memoryview(data)[10 : 10 + length])
    if body is not None and version > _OLD:
        if flags & 0x80:
            body = body.replace(b"\xff\x00", b"\xff")
        _frames(body, version, _extended(body, version, flags), carrier, haul)
    return 10 + length


def _extended(body: bytes, version: int, flags: int) -> int:
    """Where frames begin: after the extended header, if there is one."""
    if not flags & 0x40:
        return 0
    size = body[:4]
    return _synchsafe(size) if version > 3 else 4 + int.from_bytes(size, "big")


def _frames(body: bytes, version: int, at: int, carrier: str, haul: Haul) -> None:
    for _ in range(FRAMES):
        name = body[at : at + 4]
        if at + 10 > len(body) or not name.strip(b"\0"):
            return
        size = body[at + 4 : at + 8]
        length = _synchsafe(size) if version > 3 else int.from_bytes(size, "big")
        at += 10
        if at + length > len(body):
            haul.lie(carrier)
            return
        _frame(name.decode("latin-1"), body[at : at + length], carrier, haul)
        at += length


def _frame(name: str, body: bytes, carrier: str, haul: Haul) -> None:
    if name == "GEOB" and b"c2pa" in body[:200]:
        haul.traces.add("c2pa")
        return
    if not body:
        return
    encoding = _ENCODINGS.get(body[0])
    if name == "TXXX" and encoding:
        key, _, value = _split(body[1:], encoding)
        haul.text(f"{carrier}:TXXX:{key[:64]}", f"text:{key}", value)
    elif name in {"COMM", "USLT"} and encoding:
        key, _, value = _split(body[4:], encoding)
        haul.text(f"{carrier}:{name}", f"text:{key or 'comment'}", value)
    elif name == "PRIV":
        owner, _, rest = body.partition(b"\0")
        haul.text(f"{carrier}:PRIV", f"text:{owner.decode('latin-1')[:64]}", rest[:65_536])
    elif name in _NAMES:
        # Addresses have no byte for their characters in front.
        address = name.startswith("W") or encoding is None
        told = body.decode("latin-1") if address else body[1:].decode(str(encoding), "replace")
        haul.text(f"{carrier}:{name}", f"text:{_NAMES[name]}", told.strip("\0"))


def _split(body: bytes, encoding: str) -> tuple[str, str, str]:
    """A key and a value, both in `encoding`; with UTF-16 each may bring its own byte order."""
    text = body.decode(encoding, "replace")
    key, gap, value = text.partition("\0")
    return key.strip("\ufeff"), gap, value.strip("\0\ufeff\ufffe")


def _synchsafe(size: bytes) -> int:
    """28 bits, seven a byte."""
    value = 0
    for byte in size[:4]:
        value = value << 7 | (byte & 0x7F)
    return value
