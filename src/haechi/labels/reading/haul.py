"""What a container gives away: named texts and blocks of metadata, with a bound on every kind of greed."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from haechi.labels.mark import Finding

PIECE_BYTES = 4 * 1024 * 1024
"""Read of one piece of metadata. The graph of a large ComfyUI workflow has 1 MB."""
TOTAL_BYTES = 24 * 1024 * 1024
PIECES = 1_000
STEPS = 40_000
"""Chunks, boxes or blocks looked at in one file, most of them passed by. Four hours of a live film in
pieces of a second have 30,000 boxes."""
VALUE_CHARACTERS = 65_536
"""Kept of one value: its first and last half. Generators put their settings at the end."""
ALL_CHARACTERS = 2_000_000
"""Kept of all values together, so that what is made of them has a bound as well."""


class Enough(Exception):
    """The file has more metadata than anybody reads; what was found until then counts."""


@dataclass(frozen=True, slots=True)
class Field:
    """One named value. `name` says where it means something, `carrier` where it stood.

    text:KEY     free keys: PNG, ID3 TXXX, Vorbis, Matroska, MP4 keys, RIFF INFO
    exif:Name    tags of EXIF, under their names in the standard
    xmp:p:Name   properties of XMP, under the usual prefix of their namespace
    iim:2:25     datasets of IPTC-IIM
    """

    carrier: str
    name: str
    value: str


@dataclass(slots=True)
class Haul:
    """Collects what readers find in one file, and what they stumble over."""

    fields: list[Field] = field(default_factory=list)
    findings: dict[Finding, None] = field(default_factory=dict)
    traces: set[str] = field(default_factory=set)
    width: int = 0
    height: int = 0
    _pieces: int = 0
    _bytes: int = 0
    _steps: int = 0
    _characters: int = 0

    def text(self, carrier: str, name: str, value: bytes | str) -> None:
        """Keep a named text. Raises Enough."""
        told = decoded(value[:PIECE_BYTES]) if isinstance(value, bytes) else value[:PIECE_BYTES]
        self._count(carrier, len(value))
        kept = Field(carrier, name[:128], _ends(told))
        self._characters += len(kept.value)
        if self._characters > ALL_CHARACTERS:
            self.find("hostile.greedy", carrier=carrier)
            raise Enough
        self.fields.append(kept)

    def piece(self, carrier: str, data: bytes | memoryview) -> bytes | None:
        """A block to be parsed further; None if it is too long to be. Raises Enough."""
        if len(data) > PIECE_BYTES:
            self.find("hostile.long", carrier=carrier, bytes=str(len(data)))
            return None
        self._count(carrier, len(data))
        return bytes(data)

    def inflate(self, carrier: str, data: bytes) -> bytes | None:
        """What zlib made small, as long as it is no bomb; None for what does not unpack."""
        engine = zlib.decompressobj()
        try:
            made = engine.decompress(data, PIECE_BYTES)
        except zlib.error:
            self.find("broken.compressed", carrier=carrier)
            return None
        if engine.unconsumed_tail:
            self.find("hostile.bomb", carrier=carrier)
            return None
        return made

    def step(self) -> None:
        """One more chunk, box or block. Raises Enough."""
        self._steps += 1
        if self._steps > STEPS:
            self.find("hostile.many", limit=str(STEPS))
            raise Enough

    def lie(self, carrier: str) -> None:
        """A length that leads beyond the end of the file, or of what holds it."""
        self.find("broken.length", carrier=carrier)

    def find(self, code: str, /, **params: str) -> None:
        """Note something odd, once."""
        self.findings.setdefault(Finding(code, _Params(params)))

    def named(self, name: str) -> Iterator[Field]:
        """Every field of that name, however its letters are written."""
        wanted = name.casefold()
        return (found for found in self.fields if found.name.casefold() == wanted)

    def _count(self, carrier: str, length: int) -> None:
        self._pieces += 1
        self._bytes += min(length, PIECE_BYTES)
        if self._pieces > PIECES or self._bytes > TOTAL_BYTES:
            self.find("hostile.greedy", carrier=carrier)
            raise Enough


class _Params(dict[str, str]):
    """So that equal findings are one."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items())))


def decoded(data: bytes) -> str:
    """UTF-8 where it is that, else Latin-1, which takes anything."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _ends(text: str) -> str:
    if len(text) <= VALUE_CHARACTERS:
        return text
    half = VALUE_CHARACTERS // 2
    return f"{text[:half]}\n…\n{text[-half:]}"
