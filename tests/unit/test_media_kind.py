"""Kinds are told from content alone."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.errors import NotMedia
from haechi.media import Kind, sniff

PAD = bytes(64)
HEADS = {
    Kind.JPEG: b"\xff\xd8\xff\xe0\x00\x10JFIF",
    Kind.PNG: b"\x89PNG\r\n\x1a\n",
    Kind.WEBP: b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    Kind.GIF: b"GIF89a",
    Kind.BMP: b"BM" + bytes(12) + (40).to_bytes(4, "little"),
    Kind.TIFF: b"MM\x00*",
    Kind.HEIC: b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    Kind.AVIF: b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00avifmif1",
    Kind.MP4: b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomavc1",
    Kind.MOV: b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ",
    Kind.WEBM: b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm",
    Kind.MKV: b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska",
    Kind.AVI: b"RIFF\x00\x00\x00\x00AVI LIST",
    Kind.MPEGTS: (b"\x47" + bytes(187)) * 5,
}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_told_from_its_first_bytes(kind: Kind) -> None:
    assert sniff(HEADS[kind] + PAD) is kind


@pytest.mark.parametrize(
    "head",
    [b"", b"BM, my friend, is how this letter begins.", b"RIFF\x00\x00\x00\x00WAVEfmt ", b"<svg>"],
)
def test_what_is_no_media_is_refused(head: bytes) -> None:
    with pytest.raises(NotMedia):
        sniff(head + PAD)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_kind_or_refused(head: bytes) -> None:
    try:
        assert sniff(head) in Kind
    except NotMedia:
        assert not head.startswith((b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n"))


def test_the_page_and_the_server_tell_the_same() -> None:
    """web/tests/sealing.test.ts reads the same file; the page's own code is web/src/sniff.ts."""
    vectors = json.loads((Path(__file__).parents[1] / "vectors" / "kinds.json").read_text())

    for vector in vectors:
        try:
            kind = sniff(bytes.fromhex(vector["head"]))
        except NotMedia:
            kind = None
        assert kind == vector["kind"], vector["head"]


def test_moving_pictures_in_a_picture_format_are_pictures() -> None:
    assert [kind for kind in Kind if kind.is_video] == [
        Kind.MP4,
        Kind.MOV,
        Kind.WEBM,
        Kind.MKV,
        Kind.AVI,
        Kind.MPEGTS,
    ]
    assert Kind.GIF.mime == "image/gif"
    assert Kind.MOV.mime == "video/quicktime"
