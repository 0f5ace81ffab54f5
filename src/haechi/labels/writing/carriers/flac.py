"""FLAC: the Vorbis comment AIGC (RFC 9639, section 8.6)."""

from collections.abc import Iterator

from haechi.errors import BrokenMedia
from haechi.labels.aigc import KEYWORD
from haechi.labels.writing.carriers import id3
from haechi.labels.writing.carriers.taken import Taken

_MAGIC = b"fLaC"
_COMMENT, _LAST = 4, 0x80
_MOST = 10_000
_VENDOR = b"Haechi"

type Block = tuple[int, bytes]


def take(data: bytes) -> Taken:
    """See the package. Some programs put an ID3 tag before the file; it may hold a label, too."""
    before = id3.take(data)
    labels = list(before.labels)
    head, blocks, sound = _split(before.rest)
    kept: list[Block] = []
    for kind, body in blocks:
        if kind == _COMMENT:
            vendor, comments = _comments(body)
            labels += [_value(text) for text in comments if _is_label(text)]
            others = [text for text in comments if not _is_label(text)]
            kept.append((kind, _joined_comments(vendor, others)))
        else:
            kept.append((kind, body))
    return Taken(_joined(head, kept, sound), None, tuple(labels))


def put(rest: bytes, label: bytes) -> bytes:
    """See the package; `label` is the JSON text."""
    head, blocks, sound = _split(rest)
    ours = KEYWORD.encode() + b"=" + label
    if not any(kind == _COMMENT for kind, _ in blocks):
        blocks.insert(1, (_COMMENT, _joined_comments(_VENDOR, [])))
    place = next(number for number, (kind, _) in enumerate(blocks) if kind == _COMMENT)
    vendor, comments = _comments(blocks[place][1])
    blocks[place] = (_COMMENT, _joined_comments(vendor, [*comments, ours]))
    return _joined(head, blocks, sound)


def _split(data: bytes) -> tuple[bytes, list[Block], bytes]:
    """What stands before the file proper, its metadata blocks, and the sound."""
    start = data.find(_MAGIC) if data.startswith(b"ID3") else 0
    if start < 0 or data[start : start + 4] != _MAGIC:
        raise BrokenMedia("a FLAC that does not begin as one")
    blocks: list[Block] = []
    at = start + 4
    for _ in range(_MOST):
        length = int.from_bytes(data[at + 1 : at + 4], "big")
        if at + 4 + length > len(data):
            raise BrokenMedia("a FLAC with a block that is longer than the file")
        blocks.append((data[at] & ~_LAST, data[at + 4 : at + 4 + length]))
        at += 4 + length
        if data[at - 4 - length] & _LAST:
            return data[:start], blocks, data[at:]
    raise BrokenMedia("a FLAC of nothing but metadata")


def _joined(head: bytes, blocks: list[Block], sound: bytes) -> bytes:
    parts = [head, _MAGIC]
    for number, (kind, body) in enumerate(blocks):
        last = _LAST if number == len(blocks) - 1 else 0
        parts += [bytes([kind | last]), len(body).to_bytes(3, "big"), body]
    return b"".join([*parts, sound])


def _comments(body: bytes) -> tuple[bytes, list[bytes]]:
    pieces = list(_strings(body))
    return (pieces[0], pieces[1:]) if pieces else (_VENDOR, [])


def _strings(body: bytes) -> Iterator[bytes]:
    """The vendor, then each comment."""
    at, left = 0, 1
    while left and at + 4 <= len(body):
        length = int.from_bytes(body[at : at + 4], "little")
        if at + 4 + length > len(body):
            raise BrokenMedia("a Vorbis comment that is longer than its block")
        yield body[at + 4 : at + 4 + length]
        first = at == 0
        at += 4 + length
        left -= 1
        if first:
            left = int.from_bytes(body[at : at + 4], "little")
            at += 4


def _joined_comments(vendor: bytes, comments: list[bytes]) -> bytes:
    parts = [len(vendor).to_bytes(4, "little"), vendor, len(comments).to_bytes(4, "little")]
    for text in comments:
        parts += [len(text).to_bytes(4, "little"), text]
    return b"".join(parts)


def _is_label(text: bytes) -> bool:
    return text.partition(b"=")[0].upper() == KEYWORD.encode()


def _value(text: bytes) -> str:
    return text.partition(b"=")[2].decode("utf-8", "replace")
