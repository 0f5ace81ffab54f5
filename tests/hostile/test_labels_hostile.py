"""Metadata made to break whoever reads it: bombs, lies and loops become findings, in little time and memory."""

import random
import struct
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable

import pytest
from tests.hostile.corpus import mutated
from tests.unit import marked

from haechi import labels
from haechi.errors import MediaError
from haechi.labels import words
from haechi.labels.text import clean
from haechi.media import Kind, Limits, Sandbox, sniff

MIB = 1024 * 1024
FILES = 600
BOMB = zlib.compress(bytes(100 * MIB), 9)
LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><x>&d;</x>"""
OUTSIDE = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'
DEEP_XML = b"<a>" * 50_000 + b"</a>" * 50_000


MANY_ATTRIBUTES = b"<x " + b" ".join(b'a%d="1"' % number for number in range(60_000)) + b"/>"


def lying_webp(by: int) -> bytes:
    """A WebP whose length is not the one it tells."""
    data = marked.saved(marked.picture(), "WEBP")
    return data[:4] + struct.pack("<I", len(data) - 8 + by) + data[8:]


def box(name: bytes, body: bytes) -> bytes:
    """One box of an MP4."""
    return struct.pack(">I", len(body) + 8) + name + body


def nested_boxes(depth: int) -> bytes:
    """Boxes in boxes; each says how long it is, as it should."""
    heads = [struct.pack(">I", 8 * (depth - level)) + b"udta" for level in range(depth)]
    return box(b"ftyp", b"isom\0\0\0\0isom") + b"".join(heads)


def nested_tags(depth: int) -> bytes:
    """Tags in tags of a Matroska file, of unknown length each."""
    head = b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"
    return head + b"\x12\x54\xc3\x67\x01\xff\xff\xff\xff\xff\xff\xff" * depth


def looping_exif() -> bytes:
    """A directory whose pointer leads to itself."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + entry + bytes(4)


def flv(body: bytes) -> bytes:
    """An FLV with one script tag."""
    tag = b"\x12" + struct.pack(">I", len(body))[1:] + bytes(7) + body
    return b"FLV\x01\x01" + struct.pack(">I", 9) + bytes(4) + tag + bytes(4)


def many_chunks(count: int) -> bytes:
    """A PNG of empty chunks."""
    plain = marked.saved(marked.picture(), "PNG")
    chunk = bytes(4) + b"prVt" + struct.pack(">I", zlib.crc32(b"prVt"))
    return plain[:33] + chunk * count + plain[33:]


def lying_png() -> bytes:
    """A text chunk of two gigabytes, in a file of four kilobytes."""
    plain = marked.saved(marked.picture(), "PNG")
    return plain[:33] + b"\x7f\xff\xff\xfftEXtComment\0x" + plain[33:]


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "entities that multiply": (lambda: marked.jpeg(marked.XMP_HEAD + LAUGHS), "hostile.xml"),
    "an entity that reads a file": (lambda: marked.jpeg(marked.XMP_HEAD + OUTSIDE), "hostile.xml"),
    "elements in elements": (
        lambda: marked.png({"XML:com.adobe.xmp": DEEP_XML.decode()}, kind="iTXt"),
        "hostile.deep",
    ),
    "60,000 attributes": (lambda: marked.webp_with(b"XMP ", MANY_ATTRIBUTES), "hostile.greedy"),
    "a WebP that says it is longer": (lambda: lying_webp(1_000), "broken.length"),
    "a WebP that says it is shorter": (lambda: lying_webp(-20), "broken.behind"),
    "XMP of 3 MiB": (
        lambda: marked.png({"XML:com.adobe.xmp": " " * 3 * MIB}, kind="iTXt"),
        "hostile.long",
    ),
    "a zlib bomb in zTXt": (
        lambda: marked.png_chunk(b"zTXt", b"Comment\0\0" + BOMB),
        "hostile.bomb",
    ),
    "a zlib bomb in iTXt": (
        lambda: marked.png_chunk(b"iTXt", b"Comment\0\x01\0\0\0" + BOMB),
        "hostile.bomb",
    ),
    "20 MiB of text": (
        lambda: marked.png_chunk(b"tEXt", b"Comment\0" + b"x" * 20 * MIB),
        "hostile.long",
    ),
    "a thousand texts": (
        lambda: marked.png({f"k{n}": "v" for n in range(1_200)}),
        "hostile.greedy",
    ),
    "chunks without end": (lambda: many_chunks(45_000), "hostile.many"),
    "a length beyond the end": (lying_png, "broken.length"),
    "boxes in boxes": (lambda: nested_boxes(5_000), "hostile.deep"),
    "a box longer than the file": (
        lambda: box(b"ftyp", b"isom\0\0\0\0isom") + b"\xff\xff\xff\xffmoov",
        "broken.length",
    ),
    "tags in tags": (lambda: nested_tags(500), "hostile.deep"),
    "a directory that holds itself": (
        lambda: marked.png_chunk(b"eXIf", looping_exif()),
        "broken.exif",
    ),
    "an array of four billion": (
        lambda: flv(b"\x02\0\x0aonMetaData\x0a\xff\xff\xff\xff" + b"\x05" * 5_000),
        "broken.chunk",
    ),
    "an ID3 tag longer than the file": (
        lambda: b"ID3\x03\0\0\x7f\x7f\x7f\x7fTXXX",
        "broken.length",
    ),
    "a property that unpacks to 20 MB": (
        lambda: marked.ooxml("AIGC", "x" * 20 * MIB),
        "hostile.bomb",
    ),
    "settings in the pixels that unpack to more than is read": (
        lambda: marked.stealth("x" * 4 * MIB + "y"),
        "hostile.bomb",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_attacks_become_findings(name: str) -> None:
    """Each is named, nothing is followed, and the memory it takes stays near the file's own (B16)."""
    make, code = HOSTILE[name]
    data = make()
    tracemalloc.start()
    reading = labels.read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert code in {finding.code for finding in reading.findings}, reading.findings
    assert not reading.marks
    assert peak < len(data) + 40 * MIB
    assert all(words.told(finding) for finding in reading.findings)


def test_good_marks_beside_an_attack_are_still_read() -> None:
    """Whoever adds a bomb does not hide the label."""
    data = marked.png({"AIGC": marked.BARE})
    bomb = b"zTXtx\0\0" + BOMB
    chunk = struct.pack(">I", len(bomb) - 4) + bomb + struct.pack(">I", zlib.crc32(bomb))

    reading = labels.read(data[:33] + chunk + data[33:])

    assert [mark.kind for mark in reading.marks] == ["aigc"]
    assert [finding.code for finding in reading.findings] == ["hostile.bomb"]


def test_strings_cannot_rewrite_the_page_they_stand_on() -> None:
    """Control characters, turned writing, and length."""
    told = clean("a\x1b[31m\u202eb\0c\nd" + "x" * 10_000)

    assert told.startswith("a[31mbc d")
    assert len(told) == 512

    prompt = f"\u202e\x07evil {marked.A1111}"
    (mark,) = labels.read(marked.png({"parameters": prompt})).marks
    assert all(value.isprintable() and len(value) <= 512 for value in mark.detail.values())


def test_patterns_take_no_time_on_what_is_made_for_them() -> None:
    """Texts on which a careless expression would take minutes; the whole of it in one job's time."""
    parts = {
        "parameters": "Steps: 1, ",
        "prompt": '"class_type": "',
        "workflow": '"type":"Re',
        "Description": "Job ID: ",
        "dfl": "face_type ",
        "comment": '"model_name":{',
    }
    sly = {key: part * (64_000 // len(part)) for key, part in parts.items()}

    with Sandbox(1, Limits(seconds=10.0)) as sandbox:
        reading = sandbox.run(labels.read, marked.png(sly))

    assert reading.media_type == "image/png"


def seeds() -> list[bytes]:
    """Sound files with marks; films and sounds of FFmpeg among them."""
    return [make() for make in marked.CARRIERS.values()] + [
        marked.png({"parameters": marked.A1111}),
        marked.exif({0x010F: "Canon", 0x0110: "R5", 0x829A: 0.01, 0x8827: 100, 0x829D: 2.8}),
        marked.stealth('{"Software": "NovelAI"}'),
        marked.saved(marked.picture(), "AVIF", xmp=marked.aigc_xmp()),
    ]


def test_mutated_files_are_read_or_refused() -> None:
    """Never anything but a reading or a MediaError, and no reader stumbles: that would be its fault."""
    good, outcomes = seeds(), Counter[str]()
    for number in range(FILES):
        chance = random.Random(number)  # noqa: S311 - repeatable, not secret
        data = bytes(mutated(good[number % len(good)], chance))
        try:
            reading = labels.read(data, watermark=number % 5 == 0)
        except MediaError as error:
            outcomes[error.code] += 1
            continue
        codes = {finding.code for finding in reading.findings}
        assert "broken.container" not in codes, number
        assert codes <= words.FINDINGS.keys()
        outcomes["read"] += 1
    assert outcomes["read"] > FILES // 2, outcomes


def test_a_reading_comes_out_of_the_sandbox_whole() -> None:
    """Strangers' files are read there, and what is read is more than a dictionary."""
    data = marked.png({"AIGC": marked.BARE})
    with Sandbox(1) as sandbox:
        reading = sandbox.run(labels.read, data)

    assert reading == labels.read(data)
    assert sniff(data) is Kind.PNG
