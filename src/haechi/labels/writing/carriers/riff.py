"""WAV and AVI: the chunk AIGC, in a WAV by itself, in an AVI in the list INFO (TC260-PG-202510A, 20257A)."""

from collections.abc import Iterator
from dataclasses import dataclass

from haechi.errors import BrokenMedia, LabelRefused
from haechi.labels.aigc import KEYWORD, LONGEST_BYTES
from haechi.labels.writing.carriers.taken import Taken

_LABEL = KEYWORD.encode()
_LIST, _INFO, _JUNK, _C2PA = b"LIST", b"INFO", b"JUNK", b"C2PA"
_AVI = b"AVI "
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    start: int
    length: int


def take(data: bytes) -> Taken:
    """See the package. In place, as junk that players pass over: an AVI holds places of its frames."""
    body = bytearray(data)
    labels = []
    for chunk in _chunks(data, 12, len(data)):
        if chunk.name == _LIST and data[chunk.start : chunk.start + 4] == _INFO:
            inner = _chunks(data, chunk.start + 4, chunk.start + chunk.length)
            labels += [_blank(body, one) for one in inner if one.name == _LABEL]
        elif chunk.name == _LABEL:
            labels.append(_blank(body, chunk))
        elif chunk.name == _C2PA:
            _blank(body, chunk)
    return Taken(bytes(body), None, tuple(labels))


def put(rest: bytes, label: bytes) -> bytes:
    """See the package; `label` is the JSON text. At the end, where nothing has to move for it."""
    made = _chunk(_LABEL, label)
    if rest[8:12] == _AVI:
        made = _chunk(_LIST, _INFO + made)
    told = int.from_bytes(rest[4:8], "little")
    if told + 8 < len(rest) - 1:
        raise LabelRefused("this file goes on after its end; put it into one piece first")
    whole = rest + b"\0" * (len(rest) % 2) + made
    return whole[:4] + (len(whole) - 8).to_bytes(4, "little") + whole[8:]


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)


def _blank(body: bytearray, chunk: _Chunk) -> str:
    """Make junk of a chunk, and give the text that stood there."""
    end = chunk.start + chunk.length
    text = bytes(body[chunk.start : min(end, chunk.start + LONGEST_BYTES)])
    body[chunk.start - 8 : chunk.start - 4] = _JUNK
    body[chunk.start : end] = bytes(chunk.length)
    return text.rstrip(b"\0").decode("utf-8", "replace")


def _chunks(data: bytes, at: int, end: int) -> Iterator[_Chunk]:
    """Chunks in a row. The last may claim more than there is, as recorders that were cut off leave it."""
    for _ in range(_MOST):
        if at + 8 > end:
            return
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield _Chunk(data[at : at + 4], at + 8, min(length, end - at - 8))
        at += 8 + length + length % 2
    raise BrokenMedia("more chunks than any recording has")
