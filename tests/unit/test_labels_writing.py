"""Labels on pictures: seen by people, read by others' programs, exactly one in a file."""

import contextlib
import io
import json
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from skimage import data as shipped
from tests.unit.labelled import LABEL, exiftool, file_of, opened, platform, service, slope

from haechi.errors import HaechiError, LabelRefused
from haechi.labels.aigc import Level, parse
from haechi.labels.writing import ALTERED, LANGUAGES, MADE, label, visible, words
from haechi.labels.writing.carriers import CARRIERS
from haechi.labels.writing.placing import Box, place
from haechi.media import Kind, Sandbox, decode

FORMS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF")
SIZE = (320, 200)


def _xmp(data: bytes) -> dict[str, Any]:
    """Properties by Pillow's parser: name and text, from all descriptions together."""
    picture = opened(data)
    if picture.format == "GIF":  # Pillow knows its packet, and not where it stands
        picture.info["xmp"] = data[data.index(b"<?xpacket begin") : data.index(b"<?xpacket end")]
    told = Image.Image.getxmp(picture)["xmpmeta"]["RDF"]["Description"]
    parts = told if isinstance(told, list) else [told]
    return {key: text for part in parts for key, text in part.items()}


@pytest.mark.parametrize("form", FORMS)
def test_others_read_the_label_of_every_kind_of_picture(form: str) -> None:
    """By Pillow's parser; the label is the seven fields of GB 45438, in order."""
    made = label(file_of(slope(*SIZE), form), service())

    told = _xmp(made.data)
    fields = json.loads(told["AIGC"])
    assert list(fields) == [
        *("Label", "ContentProducer", "ProduceID", "ReservedCode1"),
        *("ContentPropagator", "PropagateID", "ReservedCode2"),
    ]
    assert list(fields.values()) == ["1", "service", "n-1", "", "service", "n-1", ""]
    assert told["DigitalSourceType"] == MADE


def test_exiftool_reads_them_and_has_nothing_to_complain_about(tmp_path: Path) -> None:
    """By the program most people look into a file with."""
    for form in FORMS:
        made = label(file_of(slope(96, 80), form), service())
        (tmp_path / f"picture.{form.lower()}").write_bytes(made.data)

    told = exiftool(tmp_path, "-r")

    assert len(told) == len(FORMS)
    for read in told:
        # It shows JSON that it recognises as JSON.
        text = read["XMP-TC260:Aigc"]
        assert parse(text if isinstance(text, str) else json.dumps(text)).faults == ()
        assert read["XMP-iptcExt:DigitalSourceType"] == MADE
        assert "ExifTool:Warning" not in read


@pytest.mark.parametrize("form", FORMS)
def test_a_labelled_file_keeps_one_label_and_its_pixels(form: str) -> None:
    """A platform updates the label it finds; what the producer said stays."""
    first = label(file_of(slope(*SIZE), form), service(visible=form == "AVIF"))
    second = label(first.data, platform())

    assert second.data.count(b"ContentProducer") == 1
    found = parse(_xmp(second.data)["AIGC"]).aigc
    assert found is not None
    assert found.label is Level.IS, "a suspicion does not weaken what the producer says"
    assert (found.producer, found.produce_id) == ("service", "n-1")
    assert (found.propagator, found.propagate_id) == ("platform", "p-2")
    assert np.array_equal(decode(second.data).rgb, decode(first.data).rgb)
    assert [mark.kind for mark in second.marks] == ["aigc"]


def test_labels_in_other_places_are_read_and_taken_out() -> None:
    """Of the carriers of TC260-PG-20259A a file may hold several; afterwards it holds one."""
    strange = '{"AIGC":{"Label":2,"ContentProducer":"other","ProduceID":"x","ReservedCode1":""}}'
    texts = PngImagePlugin.PngInfo()
    texts.add_text("AIGC", strange)
    texts.add_text("AIGC", strange, zip=True)
    texts.add_text("parameters", "a cat, Steps: 20")
    data = file_of(slope(*SIZE), "PNG", pnginfo=texts)

    made = label(data, service())

    assert made.data.count(b"ContentProducer") == 1
    found = parse(_xmp(made.data)["AIGC"]).aigc
    assert found is not None
    assert (found.label, found.producer, found.propagator) == (Level.IS, "other", "service")
    assert opened(made.data).info["parameters"] == "a cat, Steps: 20"
    assert "DigitalSourceType" not in _xmp(made.data), "only its producer knows how it was made"


@pytest.mark.parametrize("coding", ["ascii", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_label_in_the_users_comment_moves_to_xmp(form: str, coding: str) -> None:
    """The other carrier of a JPEG; in which order bytes stand, writers do not agree upon."""
    strange = '{"Label":"1","ContentProducer":"other","ProduceID":"x","ContentPropagator":""}'
    head = b"ASCII\0\0\0" if coding == "ascii" else b"UNICODE\0"
    exif = Image.Exif()
    exif[0x010F] = "A maker"
    exif[0x8769] = {0x9286: head + strange.encode(coding)}
    made = label(file_of(slope(96, 80), form, exif=exif), service())

    found = parse(_xmp(made.data)["AIGC"]).aigc
    assert found is not None
    assert (found.producer, found.propagator) == ("other", "service")
    assert strange.encode(coding) not in made.data
    assert opened(made.data).getexif()[0x010F] == "A maker"


def test_what_others_wrote_in_xmp_stays() -> None:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
        'syntax-ns#"><rdf:Description rdf:about="uuid:1" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        f' xmlns:C260="{LABEL}" C260:AIGC="{{&quot;Label&quot;:&quot;3&quot;}}" dc:source="a book"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()
    made = label(file_of(slope(*SIZE), "WEBP", xmp=packet), service())

    assert _xmp(made.data)["source"] == "a book"
    assert made.data.count(b"AIGC>") == 2, "one element, opened and closed"
    assert b"C260:AIGC=" not in made.data.replace(b"TC260", b"")


@pytest.mark.parametrize(
    "packet",
    [
        b"<!DOCTYPE a [<!ENTITY b '" + b"c" * 99 + b"'>]><x>&b;</x>",
        b"<x:xmpmeta>" + b"<a>" * 20_000,
        b"\xff\xfe no xml at all",
        b"",
    ],
)
def test_hostile_xmp_is_replaced(packet: bytes) -> None:
    made = label(file_of(slope(64, 64), "PNG"), service(visible=False))
    bad = CARRIERS[Kind.PNG].put(CARRIERS[Kind.PNG].take(made.data).rest, packet)

    again = label(bad, service(visible=False))

    assert json.loads(_xmp(again.data)["AIGC"])["ProduceID"] == "n-1"


@pytest.mark.parametrize("ground", ["white", "black", "noise"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_text_is_high_enough_and_legible_on_any_ground(language: str, ground: str) -> None:
    """GB 45438, 5.2, measured on the pixels that were written."""
    noise = np.random.default_rng(1).integers(0, 256, (360, 240, 3), dtype=np.uint8)
    rgb = {"white": noise * 0 + 255, "black": noise * 0, "noise": noise}[ground]
    made = label(file_of(rgb, "PNG"), service(language=language))

    drawn = decode(made.data).rgb
    changed = np.argwhere((drawn != rgb).any(axis=2))
    letters = np.argwhere((drawn == 255).all(axis=2) & (drawn != rgb).any(axis=2))
    told = made.marks[0].detail
    assert float(told["contrast"]) >= visible.CONTRAST
    if ground != "white":
        assert np.ptp(letters[:, 0]) + 1 >= 0.05 * 240
    assert changed.min(axis=0)[0] > 300, "in the lower corner"
    # At a distance from the edge, and the rest of the picture as it was.
    assert (drawn[:300] == rgb[:300]).all()


def test_every_text_says_ai_and_generated() -> None:
    """GB 45438, 5.1: one word for the machine, one for making."""
    rule = re.compile(r"(?=.*(人工智能|AI))(?=.*(生成|合成))")
    for level in Level:
        for source in (MADE, ALTERED):
            wanted = service(level=level, digital_source_type=source)
            assert rule.match(words.visible(wanted)), wanted
            assert rule.match(words.spoken(wanted)), wanted
    for language in LANGUAGES:
        assert len({words.visible(service(level=level, language=language)) for level in Level}) == 3


@pytest.mark.parametrize("size", [(64, 64), (96, 64), (64, 200), (1400, 180), (91, 67)])
def test_the_longest_text_fits_tiny_and_odd_pictures(size: tuple[int, int]) -> None:
    for language in LANGUAGES:
        text = words.visible(service(level=Level.SUSPECTED, language=language))
        plate = visible.plate(text, language, *size)
        assert 0 <= plate.box.x <= plate.box.x + plate.box.width <= size[0]
        assert 0 <= plate.box.y <= plate.box.y + plate.box.height <= size[1]
        assert plate.height_px >= 0.05 * min(size)


def test_no_legible_text_is_no_label() -> None:
    with pytest.raises(LabelRefused, match="too few"):
        label(file_of(slope(24, 24), "PNG"), service())


def test_a_label_keeps_off_faces() -> None:
    """Also off one in the corner where labels usually go; where all is face it covers least."""
    face = shipped.astronaut()[20:230, 130:330]
    rgb = np.full((420, 400, 3), 90, np.uint8)
    rgb[210:, 200:] = face
    found = visible.find_faces(rgb)
    assert found

    made = label(file_of(rgb, "PNG"), service())

    changed = (decode(made.data).rgb != rgb).any(axis=2)
    for box in found:
        assert not changed[box.y : box.y + box.height, box.x : box.x + box.width].any()
    assert made.marks[0].detail["on_faces"] == "0.00"
    _, _, covered = place([(50, 20)], 100, 100, [Box(0, 0, 100, 100)])
    assert covered == 1.0
    number, _, covered = place([(90, 10), (40, 20)], 100, 100, [Box(0, 0, 100, 70)])
    assert (number, covered) == (0, 0.0)


def test_jpeg_loses_next_to_nothing_and_only_when_drawn_on() -> None:
    """Labelling without a text moves no pixel; with one, what is beside it stays above 40 dB."""
    data = file_of(slope(640, 400), "JPEG", quality=90)
    before = decode(data).rgb.astype(float)

    plain = decode(label(data, service(visible=False)).data).rgb
    assert np.array_equal(plain, before)
    drawn = decode(label(data, service()).data).rgb
    error = ((drawn - before)[:300] ** 2).mean()
    assert 10 * np.log10(255**2 / max(error, 1e-9)) > 40


def test_transparency_frames_and_times_stay() -> None:
    clear = np.dstack([slope(*SIZE), np.zeros(SIZE[::-1], np.uint8)])
    seen = opened(label(file_of(clear, "PNG"), service()).data)
    alpha = np.asarray(seen.getchannel("A"))
    assert seen.mode == "RGBA"
    assert (alpha[:100] == 0).all()
    assert alpha.max() == 255, "the label itself is there"

    out = io.BytesIO()
    first, *others = (Image.fromarray(np.roll(slope(*SIZE), 9 * turn, 1)) for turn in range(3))
    first.save(out, "GIF", save_all=True, append_images=others, duration=[40, 80, 120], loop=2)
    film = opened(label(out.getvalue(), service()).data)
    assert film.n_frames == 3  # type: ignore[attr-defined]
    times = []
    for number in range(3):
        film.seek(number)
        times.append(film.info["duration"])
    assert times == [40, 80, 120]
    assert film.info["loop"] == 2


def test_exif_goes_on_upright_and_without_the_old_thumbnail() -> None:
    """The thumbnail would show the picture without its label."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "A maker"
    thumb = file_of(slope(16, 16), "JPEG")
    tiff = bytearray(exif.tobytes()[6:])
    count = struct.unpack_from("<H" if tiff[:2] == b"II" else ">H", tiff, 8)[0]
    order = "<" if tiff[:2] == b"II" else ">"
    link = 8 + 2 + 12 * count
    struct.pack_into(f"{order}I", tiff, link, len(tiff))
    entries = struct.pack(f"{order}HHII", 0x0201, 4, 1, len(tiff) + 30)
    entries += struct.pack(f"{order}HHII", 0x0202, 4, 1, len(thumb))
    tiff += struct.pack(f"{order}H", 2) + entries + bytes(4) + thumb
    data = file_of(slope(*SIZE), "JPEG", exif=b"Exif\0\0" + bytes(tiff))
    assert thumb in data

    made = label(data, service())

    seen = opened(made.data)
    assert seen.size == SIZE[::-1], "turned as it was shown"
    assert seen.getexif()[0x0112] == 1
    assert seen.getexif()[0x010F] == "A maker"
    assert thumb[20:] not in made.data


@pytest.mark.parametrize("form", FORMS)
def test_harmed_files_are_refused_in_our_own_words(form: str) -> None:
    """Cut anywhere and changed anywhere, a file is labelled or refused; nothing else is raised."""
    whole = label(
        file_of(slope(96, 80), form), service(visible=False) if form != "AVIF" else service()
    )
    random = np.random.default_rng(zlib.crc32(form.encode()))
    for _ in range(60):
        harmed = bytearray(whole.data)
        for place_ in random.integers(0, min(len(harmed), 4000), 3):
            harmed[place_] = random.integers(0, 256)
        cut = bytes(harmed[: random.integers(1, len(harmed))])
        for data in (bytes(harmed), cut):
            with contextlib.suppress(HaechiError):
                label(data, platform(visible=False, drop_c2pa=True))


def test_values_outside_the_standard_are_refused() -> None:
    for producer in ("two words", "회사", 'quo"te', "back\\slash", ""):
        with pytest.raises(LabelRefused):
            service(producer=producer)


def test_a_platform_names_itself_and_no_producer() -> None:
    """Measures for labelling, article 6: who spreads a file does not know who made it."""
    made = label(file_of(slope(*SIZE), "PNG"), platform(level=Level.MAY_BE))
    told = json.loads(_xmp(made.data)["AIGC"])
    assert (told["Label"], told["ContentProducer"], told["ContentPropagator"]) == (
        *("2", ""),
        "platform",
    )
    assert "DigitalSourceType" not in _xmp(made.data)


def test_strange_kinds_become_ones_that_bear_a_label() -> None:
    made = label(file_of(slope(*SIZE), "BMP"), service())
    assert made.media_type == "image/png"
    with pytest.raises(LabelRefused):
        label(file_of(slope(*SIZE), "BMP"), service(visible=False))


def test_a_recording_is_for_sound_alone() -> None:
    """Given with a picture it would be left out in silence."""
    wanted = service(recording=b"RIFF")
    with pytest.raises(LabelRefused, match="before sound, and this is a picture"):
        label(file_of(slope(64, 64), "PNG"), wanted)


def test_all_this_works_in_the_sandbox() -> None:
    data = file_of(slope(*SIZE), "JPEG")
    box = Sandbox(1)
    try:
        assert label(data, service(), sandbox=box).data == label(data, service()).data
    finally:
        box.close()
