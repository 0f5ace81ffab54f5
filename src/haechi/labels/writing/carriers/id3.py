"""MP3: a TXXX frame called AIGC in the ID3 tag before the sound (id3.org, versions 2.3 and 2.4)."""

from collections.abc import Iterator
from dataclasses import dataclass

from haechi.errors import BrokenMedia, LabelRefused
from haechi.labels.aigc import KEYWORD
from haechi.labels.writing.carriers.taken import Taken

_HEAD = 10
_OLD, _NEW = 3, 4
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40
_MOST = 10_000
_PADDING = 256
"""Nothing, at the end of a tag: some readers look for one more frame there."""
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")


@dataclass(frozen=True, slots=True)
class _Tag:
    version: int
    frames: tuple[tuple[bytes, bytes, bytes], ...]
    """Name, flags and body of each."""
    sound: bytes


def take(data: bytes) -> Taken:
    """See the package."""
    tag = _read(data)
    kept, labels = [], []
    for name, flags, body in tag.frames:
        text = _label(name, body)
        if text is not None:
            labels.append(text)
        elif not (name == b"GEOB" and b"c2pa" in body[:200]):
            kept.append((name, flags, body))
    return Taken(_written(_Tag(tag.version, tuple(kept), tag.sound)), None, tuple(labels))


def put(rest: bytes, label: bytes) -> bytes:
    """See the package; `label` is the JSON text."""
    tag = _read(rest)
    frame = (b"TXXX", b"\0\0", b"\0" + KEYWORD.encode() + b"\0" + label)
    return _written(_Tag(tag.version, (*tag.frames, frame), tag.sound))


def tag_of(data: bytes) -> bytes:
    """The tag alone, to be carried to sound that was encoded anew."""
    tag = _read(data)
    return _written(_Tag(tag.version, tag.frames, b"")) if tag.frames else b""


def length(data: bytes) -> int:
    """How many bytes the tag at the start takes, as it says."""
    return _HEAD + _synchsafe(data[6:_HEAD])


def _read(data: bytes) -> _Tag:
    if data[:3] != b"ID3":
        return _Tag(_NEW, (), data)
    version, flags = data[3], data[5]
    end = length(data)
    if version not in {_OLD, _NEW}:
        raise LabelRefused(f"an ID3 tag of version 2.{version} takes no label")
    if end > len(data):
        raise BrokenMedia("an ID3 tag that is longer than the file")
    body = data[_HEAD:end]
    if flags & _UNSYNCHRONISED and version == _OLD:
        body = body.replace(b"\xff\x00", b"\xff")
    at = 0
    if flags & _EXTENDED:
        at = _synchsafe(body[:4]) if version == _NEW else 4 + int.from_bytes(body[:4], "big")
    return _Tag(version, tuple(_frames(body, at, version)), data[end:])


def _frames(body: bytes, at: int, version: int) -> Iterator[tuple[bytes, bytes, bytes]]:
    for _ in range(_MOST):
        name = body[at : at + 4]
        if at + _HEAD > len(body) or not name.strip(b"\0"):
            return
        size = body[at + 4 : at + 8]
        size_bytes = _synchsafe(size) if version == _NEW else int.from_bytes(size, "big")
        if at + _HEAD + size_bytes > len(body):
            raise BrokenMedia("an ID3 frame that is longer than its tag")
        yield name, body[at + 8 : at + _HEAD], body[at + _HEAD : at + _HEAD + size_bytes]
        at += _HEAD + size_bytes
    raise BrokenMedia("more ID3 frames than any song has")


def _label(name: bytes, body: bytes) -> str | None:
    if name != b"TXXX" or not body or body[0] >= len(_ENCODINGS):
        return None
    text = body[1:].decode(_ENCODINGS[body[0]], "replace")
    key, _, value = text.partition("\0")
    return value.strip("\0\ufeff") if key.strip("\ufeff") == KEYWORD else None


def _written(tag: _Tag) -> bytes:
    if not tag.frames:
        return tag.sound
    parts = []
    for name, flags, body in tag.frames:
        size = _safe(len(body)) if tag.version == _NEW else len(body).to_bytes(4, "big")
        parts += [name, size, flags, body]
    whole = b"".join(parts) + bytes(_PADDING)
    return b"ID3" + bytes([tag.version, 0, 0]) + _safe(len(whole)) + whole + tag.sound


def _synchsafe(size: bytes) -> int:
    value = 0
    for byte in size:
        value = value << 7 | byte & 0x7F
    return value


def _safe(length: int) -> bytes:
    return bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))
