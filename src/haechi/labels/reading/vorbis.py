"""Vorbis comments, in FLAC (RFC 9639, section 8.6) and in Ogg (Vorbis, Opus)."""

from haechi.labels.reading import id3
from haechi.labels.reading.haul import PIECE_BYTES, Haul, decoded

COMMENTS = 300
_FLAC_COMMENT = 4
_HEADS = (b"\x03vorbis", b"OpusTags", b"\x83theora")
_PAGES = 512
"""Comments stand on the first pages; cover art may make them long."""


def flac(data: bytes, haul: Haul) -> None:
    """Metadata blocks in front of the sound; some programs put an ID3 tag before them."""
    at = id3.read(data, haul, carrier="flac:ID3")
    if data[at : at + 4] != b"fLaC":
        return
    at += 4
    while at + 4 <= len(data):
        haul.step()
        kind, length = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
        if at + 4 + length > len(data):
            haul.lie("flac")
            return
        if kind & 0x7F == _FLAC_COMMENT:
            comments(
                haul.piece("flac:comment", data[at + 4 : at + 4 + length]), "flac:comment", haul
            )
        at += 4 + length
        if kind & 0x80:
            return


def ogg(data: bytes, haul: Haul) -> None:
    """The comment packet of every stream."""
    packets: dict[bytes, bytearray] = {}
    at = 0
    for _ in range(_PAGES):
        haul.step()
        if data[at : at + 4] != b"OggS" or at + 27 > len(data):
            break
        serial, count = data[at + 14 : at + 18], data[at + 26]
        table = data[at + 27 : at + 27 + count]
        body = at + 27 + count
        if body + sum(table) > len(data):
            haul.lie("ogg")
        for length in table:
            packet = packets.setdefault(serial, bytearray())
            if len(packet) < PIECE_BYTES:
                packet += data[body : body + length]
            body += length
            if length < 255:
                _packet(bytes(packets.pop(serial)), haul)
        at = body


def _packet(packet: bytes, haul: Haul) -> None:
    head = next((head for head in _HEADS if packet.startswith(head)), None)
    if head is not None:
        comments(haul.piece("ogg:comment", packet[len(head) :]), "ogg:comment", haul)


def comments(body: bytes | None, carrier: str, haul: Haul) -> None:
    """The vendor, then KEY=value, each with its length in front."""
    if body is None or len(body) < 8:
        return
    length = int.from_bytes(body[:4], "little")
    if 8 + length > len(body):
        haul.lie(carrier)
        return
    haul.text(carrier, "text:encoder", body[4 : 4 + length])
    at = 8 + length
    for _ in range(min(int.from_bytes(body[4 + length : at], "little"), COMMENTS)):
        length = int.from_bytes(body[at : at + 4], "little")
        if at + 4 + length > len(body):
            haul.lie(carrier)
            return
        key, found, value = decoded(body[at + 4 : at + 4 + length]).partition("=")
        if found:
            haul.text(f"{carrier}:{key[:64]}", f"text:{key}", value)
        at += 4 + length
