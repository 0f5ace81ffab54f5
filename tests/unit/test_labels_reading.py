"""Marks are read wherever they stand, and what they say of each other is told."""

import json
import struct
from collections.abc import Callable

import pytest
from tests.unit import marked

from haechi import labels
from haechi.errors import NotMedia, TooManyBytes
from haechi.labels import Mark, Reading, Says, Trust, words
from haechi.labels.reading import generators
from haechi.media import Limits


def _read(data: bytes) -> Reading:
    return labels.read(data)


def _only(data: bytes, kind: str) -> Mark:
    marks = [mark for mark in _read(data).marks if mark.kind == kind]
    assert len(marks) == 1, marks
    return marks[0]


@pytest.mark.parametrize("carrier", marked.CARRIERS)
def test_the_chinese_label_is_read_from_every_carrier(carrier: str) -> None:
    """The carriers of TC260-PG-20257A to 20259A and 202510A, written by other programs or by hand."""
    reading = _read(marked.CARRIERS[carrier]())

    mark = next(mark for mark in reading.marks if mark.kind == "aigc")
    assert mark.says is Says.MADE
    assert mark.tool == marked.AIGC["ContentProducer"]
    assert mark.detail["produce_id"] == "p-1"
    assert mark.detail["propagate_id"] == "q-2"
    assert not reading.findings, reading.findings
    assert words.headline(reading) == "says_ai"


@pytest.mark.parametrize(
    ("text", "says", "faults"),
    [
        (json.dumps({**marked.AIGC, "Label": 2}), Says.MAY_BE, set()),
        (json.dumps({**marked.AIGC, "Label": "3"}), Says.SUSPECTED, set()),
        (json.dumps({**marked.AIGC, "Label": "AIGC"}), Says.MADE, {"aigc.label"}),
        (json.dumps({"Label": "1", "ContentProducer": "a"}), Says.MADE, {"aigc.missing"}),
        (json.dumps({**marked.AIGC, "ContentProducer": "某公司"}), Says.MADE, {"aigc.characters"}),
        (json.dumps(marked.BARE), Says.MADE, set()),
        (json.dumps({**marked.AIGC, "Label": "9"}), None, {"aigc.label"}),
        ("{not json", None, {"aigc.json"}),
        ('{"Label":"1","Label":"3"}', None, {"aigc.json"}),
        ("[" * 100_000, None, {"aigc.json"}),
    ],
)
def test_labels_against_the_standard_are_read_as_far_as_they_go(
    text: str, says: Says | None, faults: set[str]
) -> None:
    """What is seen in the wild is read; what could be read in two ways is not."""
    reading = _read(marked.png({"AIGC": text}))

    assert [mark.says for mark in reading.marks] == ([] if says is None else [says])
    assert {finding.code for finding in reading.findings} == faults


def test_two_different_labels_are_one_too_many() -> None:
    """Clause 6.1 c): one implicit label in a file."""
    other = json.dumps({**marked.AIGC, "Label": "2"})

    reading = _read(marked.png({"AIGC": marked.BARE, "MyAIGC": other}))

    assert [finding.code for finding in reading.findings] == ["aigc.several"]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("trainedAlgorithmicMedia", Says.MADE),
        ("compositeWithTrainedAlgorithmicMedia", Says.EDITED),
        ("compositedWithTrainedAlgorithmicMedia", Says.EDITED),
        ("composite", Says.MAY_BE),
        ("digitalCapture", Says.CAMERA),
        ("humanEdits", Says.HUMAN),
        ("somethingNew", Says.NOTHING),
    ],
)
def test_the_digital_source_type_of_iptc(word: str, says: Says) -> None:
    """Each word means what IPTC says; one nobody knows means nothing."""
    mark = _only(marked.jpeg(marked.XMP_HEAD + marked.source_type(word)), "iptc")

    assert (mark.says, mark.carrier) == (says, "jpeg:APP1:xmp")
    assert mark.detail["digital_source_type"] == word


def test_xmp_longer_than_a_segment_is_put_together() -> None:
    """Extended XMP of JPEG, its parts in the wrong order."""
    packet = marked.source_type("trainedAlgorithmicMedia")
    head = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + struct.pack(">I", len(packet))
    data = marked.jpeg(head + struct.pack(">I", 0) + packet[:300])
    late = head + struct.pack(">I", 300) + packet[300:]
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(late) + 2) + late + data[2:]

    assert _only(data, "iptc").says is Says.MADE


COMFY = json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": 5}}})
SWAP = json.dumps({"3": {"class_type": "ReActorFaceSwap", "inputs": {}}})
SWARM = json.dumps({"sui_image_params": {"prompt": "a boat", "model": "m", "swarm_version": "0.9"}})
UUID = "116d34f4-b3d5-48b8-9334-011b1dd1df00"
SIGNED: dict[str, tuple[Callable[[], bytes], str, Says]] = {
    "web ui": (
        lambda: marked.png({"parameters": marked.A1111}),
        "Stable Diffusion web UI",
        Says.MADE,
    ),
    "web ui, JPEG": (
        lambda: marked.exif({0x9286: b"UNICODE\0" + marked.A1111.encode("utf-16-be")}),
        "Stable Diffusion web UI",
        Says.MADE,
    ),
    "web ui, WebP": (
        lambda: marked.exif({0x9286: b"UNICODE\0" + marked.A1111.encode("utf-16-le")}, form="WEBP"),
        "Stable Diffusion web UI",
        Says.MADE,
    ),
    "web ui, part redrawn": (
        lambda: marked.png({"parameters": f"{marked.A1111}, Mask blur: 4"}),
        "Stable Diffusion web UI",
        Says.EDITED,
    ),
    "ComfyUI": (lambda: marked.png({"prompt": COMFY}), "ComfyUI", Says.MADE),
    "ComfyUI, WebP": (
        lambda: marked.exif({0x0110: f"prompt:{COMFY}"}, form="WEBP"),
        "ComfyUI",
        Says.MADE,
    ),
    "ComfyUI, faces exchanged": (lambda: marked.png({"prompt": SWAP}), "ComfyUI", Says.EDITED),
    "ComfyUI, film": (
        lambda: marked.film(
            "mp4", "libx264", {"comment": json.dumps({"prompt": COMFY}).replace("\\", "")}
        ),
        "ComfyUI",
        Says.MADE,
    ),
    "InvokeAI": (lambda: marked.png({"invokeai_metadata": '{"seed": 1}'}), "InvokeAI", Says.MADE),
    "NovelAI": (lambda: marked.png({"Software": "NovelAI"}), "NovelAI", Says.MADE),
    "NovelAI, alpha": (
        lambda: marked.stealth('{"Software": "NovelAI", "Comment": "{}"}'),
        "NovelAI",
        Says.MADE,
    ),
    "Fooocus": (lambda: marked.exif({0x0131: "Fooocus v2.5.5"}), "Fooocus", Says.MADE),
    "SwarmUI": (lambda: marked.png({"parameters": SWARM}), "SwarmUI", Says.MADE),
    "Draw Things": (
        lambda: marked.jpeg(
            marked.XMP_HEAD + marked.xmp("<xmp:CreatorTool>Draw Things</xmp:CreatorTool>")
        ),
        "Draw Things",
        Says.MADE,
    ),
    "Midjourney": (
        lambda: marked.png({"Description": f"a boat --v 6 Job ID: {UUID}"}),
        "Midjourney",
        Says.MADE,
    ),
    "Gemini": (
        lambda: marked.jpeg(
            marked.XMP_HEAD + marked.xmp("<photoshop:Credit>Made with Google AI</photoshop:Credit>")
        ),
        "Google AI",
        Says.MADE,
    ),
    "Gemini, IIM": (
        lambda: marked.jpeg(
            b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x18\x1c\x02\x6e\0\x13Made with Google AI",
            marker=0xED,
        ),
        "Google AI",
        Says.MADE,
    ),
    "Grok": (
        lambda: marked.exif({0x010E: f"Signature: {'Ab3+' * 20}==", 0x013B: UUID}),
        "Grok",
        Says.MADE,
    ),
    "FLUX": (lambda: marked.exif({0x0131: "AI generated;img2img;flux"}), "FLUX", Says.EDITED),
    "Suno": (
        lambda: marked.sound(
            "mp3", "libmp3lame", "fltp", {"comment": f"made with suno; id={UUID}"}
        ),
        "Suno",
        Says.MADE,
    ),
    "a program's name": (
        lambda: marked.exif({0x0131: "Adobe Firefly 3"}),
        "Adobe Firefly 3",
        Says.MADE,
    ),
    "a program for faces": (lambda: marked.exif({0x0131: "FaceApp 11"}), "FaceApp 11", Says.EDITED),
}


@pytest.mark.parametrize("name", SIGNED)
def test_programs_are_known_by_what_they_leave(name: str) -> None:
    """Settings of common programs, each as that program writes them."""
    make, tool, says = SIGNED[name]

    mark = _only(make(), "generator")

    assert (mark.tool, mark.says, mark.trust) == (tool, says, Trust.UNSIGNED)


def test_settings_are_told() -> None:
    """Who examines the file wants to know what was asked for, with what."""
    detail = _only(marked.png({"parameters": marked.A1111}), "generator").detail

    assert detail["prompt"] == "a lighthouse at dusk"
    assert (detail["model"], detail["seed"]) == ("dreamy", "1234")
    assert _only(marked.png({"prompt": SWAP}), "generator").detail["face"] == "ReActorFaceSwap"


def test_every_rule_names_its_source() -> None:
    """A claim about somebody's program is worth what its source is."""
    assert all(rule.source and all(rule.source) for rule in generators.rules())
    assert len(generators.rules()) >= 18


def test_ordinary_words_accuse_nobody() -> None:
    """Captions, editors and cameras are no programs that make pictures (false accusations count most)."""
    for data in (
        marked.png({"Description": "Steps to the lighthouse", "Comment": "prompt delivery"}),
        marked.png({"Software": "Adobe Photoshop 27.0", "Title": "Gemini, the constellation"}),
        marked.exif({0x010E: "Signature: J. Smith", 0x013B: "Aurora Firefly"}),
        marked.exif({0x010F: "Canon", 0x0110: "EOS R5", 0x0131: "GIMP 3.0"}),
        marked.png({"Source": "Imagen 2", "Dream": "of a lighthouse"}),
        marked.exif({0x0110: "Sora", 0x0131: "Sora Photo Editor"}),
        marked.exif({0x0131: "Reface scanner 2"}),
        marked.exif({0x010E: f"Signature: {'Ab3+' * 12} of the photographer"}),
    ):
        assert not any(mark.says.of_ai for mark in _read(data).marks)


CAMERA = {
    0x010F: "Canon",
    0x0110: "EOS R5",
    0x829A: 0.01,
    0x829D: 2.8,
    0x8827: 100,
    0x9003: "2026:05:01 12:00:00",
    0xA002: 64,
    0xA003: 48,
}


def test_a_camera_is_told() -> None:
    """Make, model and how it was taken; it proves nothing, and is called unsigned."""
    reading = _read(marked.exif(CAMERA))

    assert [(mark.says, mark.tool, mark.trust) for mark in reading.marks] == [
        (Says.CAMERA, "Canon EOS R5", Trust.UNSIGNED)
    ]
    assert reading.marks[0].detail["ExposureTime"] == "0.01"
    assert not reading.findings
    assert words.headline(reading) == "other"


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({0x010F: "Canon", 0x0110: "EOS R5"}, "exif.bare"),
        ({**CAMERA, 0xA002: 6000, 0xA003: 4000}, "exif.size"),
        ({**CAMERA, 0x0132: "2020:01:01 00:00:00"}, "exif.times"),
    ],
)
def test_camera_data_that_do_not_fit_are_found(tags: dict[int, object], code: str) -> None:
    """Not a proof of anything, but worth a look."""
    assert [finding.code for finding in _read(marked.exif(tags)).findings] == [code]


def test_a_turned_photograph_is_not_accused() -> None:
    """Width and height change places when a picture is turned."""
    turned = marked.exif({**CAMERA, 0xA002: 48, 0xA003: 64})

    assert not _read(turned).findings


def test_made_and_taken_contradict_each_other() -> None:
    """Camera data in a picture that says it was made by a machine: one of the two is false."""
    data = marked.exif({**CAMERA, 0x9286: b"ASCII\0\0\0" + marked.A1111.encode()})

    reading = _read(data)

    assert [finding.code for finding in reading.findings] == ["contradiction.camera"]
    assert words.headline(reading) == "contradicting"
    assert "Stable Diffusion web UI" in words.told(reading.findings[0])


def test_a_photograph_changed_with_ai_is_no_contradiction() -> None:
    """An edit keeps the camera's data."""
    packet = marked.source_type("compositeWithTrainedAlgorithmicMedia")
    plain = marked.exif(CAMERA)
    segment = marked.XMP_HEAD + packet
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]

    reading = _read(data)

    assert not reading.findings
    assert words.headline(reading) == "says_ai"


def test_marks_that_were_taken_out_leave_gaps() -> None:
    """Settings in the pixels without those in the text; a pointer to credentials that are not there."""
    hidden = _read(marked.stealth('{"Software": "NovelAI"}'))
    pointer = marked.xmp("<dcterms:provenance>self#jumbf=/c2pa/urn:x</dcterms:provenance>")
    pointing = _read(marked.jpeg(marked.XMP_HEAD + pointer))

    assert [finding.code for finding in hidden.findings] == ["removed.settings"]
    assert [finding.code for finding in pointing.findings] == ["removed.c2pa"]


def test_raw_material_of_face_programs_is_named() -> None:
    """A pickle of DeepFaceLab is told by its words and never opened."""
    pickle = b"\x80\x04\x95face_type\x94source_filename\x94\x8c\x09me_01.jpg\x94landmarks\x94."

    reading = _read(marked.jpeg(pickle, marker=0xEF))

    assert [finding.code for finding in reading.findings] == ["trace.face_set"]
    assert reading.marks[0].says is Says.NOTHING
    assert reading.marks[0].detail["source"].endswith("me_01.jpg")


def test_an_editors_name_says_nothing_about_ai() -> None:
    """Photoshop can do both, so its name is no claim either way."""
    mark = _only(marked.exif({0x0131: "Adobe Photoshop 27.0"}), "exif")

    assert (mark.says, mark.tool) == (Says.NOTHING, "Adobe Photoshop 27.0")


def test_a_plain_file_says_nothing() -> None:
    """No mark, no finding, and the sentence that this means little."""
    reading = _read(marked.saved(marked.picture(), "JPEG"))

    assert (reading.marks, reading.findings) == ((), ())
    assert words.headline(reading) == "nothing"
    assert "does not mean" in words.CAVEATS["nothing"]


def test_a_reading_survives_json() -> None:
    """Reports keep readings for years."""
    reading = _read(marked.exif({**CAMERA, 0x9286: b"ASCII\0\0\0" + marked.A1111.encode()}))

    again = Reading.from_json(json.loads(json.dumps(reading.to_json())))

    assert again == reading


def test_what_is_no_media_or_too_long_is_refused() -> None:
    """The only two things that raise."""
    with pytest.raises(NotMedia):
        _read(b"Dear Sir or Madam, " * 20)
    with pytest.raises(TooManyBytes):
        labels.read(marked.png({}), limits=Limits(bytes=100))


def test_every_code_has_words() -> None:
    """Headlines and caveats come in pairs; each kind, claim and trust is named."""
    assert words.HEADLINES.keys() == words.CAVEATS.keys()
    assert words.SAYS.keys() == set(Says)
    assert words.TRUST.keys() == set(Trust)
