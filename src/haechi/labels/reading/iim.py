"""IPTC-IIM 4.2 datasets, bare or inside Photoshop's resources."""

from haechi.labels.reading.haul import Haul, decoded

DATASETS = 300
_RESOURCE = b"8BIM"
_IIM_RESOURCE = 0x0404
# Object name, special instructions, byline, byline title, credit, source, caption, its writer.
_WANTED = frozenset(
    {(2, 5), (2, 40), (2, 65), (2, 80), (2, 85), (2, 110), (2, 115), (2, 120), (2, 122)}
)


def read(block: bytes | None, carrier: str, haul: Haul) -> None:
    """Datasets that may name a maker, as `iim:2:110`."""
    if block is None:
        return
    if block.startswith(b"Photoshop 3.0\0"):
        block = block[14:]
    if block.startswith(_RESOURCE):
        _resources(block, carrier, haul)
    else:
        _datasets(block, carrier, haul)


def _resources(block: bytes, carrier: str, haul: Haul) -> None:
    at = 0
    while block[at : at + 4] == _RESOURCE and at + 12 <= len(block):
        haul.step()
        number = int.from_bytes(block[at + 4 : at + 6], "big")
        at += 6
        at += (block[at] + 2) & ~1  # A name with its length in front, padded to even.
        length = int.from_bytes(block[at : at + 4], "big")
        at += 4
        if at + length > len(block):
            haul.lie(carrier)
            return
        if number == _IIM_RESOURCE:
            _datasets(block[at : at + length], carrier, haul)
        at += (length + 1) & ~1


def _datasets(block: bytes, carrier: str, haul: Haul) -> None:
    at = 0
    for _ in range(DATASETS):
        if block[at : at + 1] != b"\x1c" or at + 5 > len(block):
            return
        record, number = block[at + 1], block[at + 2]
        length = int.from_bytes(block[at + 3 : at + 5], "big")
        at += 5
        if length & 0x8000 or at + length > len(block):
            haul.lie(carrier)
            return
        if (record, number) in _WANTED:
            haul.text(carrier, f"iim:{record}:{number}", decoded(block[at : at + length]))
        at += length
