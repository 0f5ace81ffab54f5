"""Fingerprints that browsers tell: read strictly, refused with one stable code."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data

from haechi.errors import ToldRefused
from haechi.fingerprint import Frame, Pdq, frames, pdq
from haechi.server.evidence import told
from haechi.server.evidence.told import MOST_FRAMES, ToldKind

PICTURE: dict[str, Any] = {
    "kind": "picture",
    "sha256": "ab" * 32,
    "width": 640,
    "height": 480,
    "quality": 100,
    "turns": [each.hex for each in pdq.dihedral(data.astronaut())],
    "frames": "",
}
BITS = bytes.fromhex(PICTURE["turns"][0])
CLIP = frames.pack([Frame(0.0, Pdq(BITS, 100)), Frame(0.2, Pdq(bytes(32), 3))]).hex()
VIDEO = {**PICTURE, "kind": "video", "frames": CLIP}
FILE = {**PICTURE, "kind": "file", "width": 0, "height": 0, "quality": 0, "turns": []}
LONG = frames.pack([Frame(at / 10, Pdq(BITS, 50)) for at in range(MOST_FRAMES + 1)]).hex()
SAME_TIME = frames.pack([Frame(1.0, Pdq(BITS, 50)), Frame(1.0, Pdq(BITS, 50))]).hex()


def test_a_picture_a_video_and_a_file_are_read() -> None:
    picture, video, file = told.read(
        json.dumps([PICTURE, {**VIDEO, "sha256": "cd" * 32}, {**FILE, "sha256": "ef" * 32}])
    )

    assert [each.kind for each in (picture, video, file)] == list(ToldKind)
    assert (picture.quality, len(picture.turns), picture.turns[0]) == (100, 8, BITS)
    assert [frame.seconds for frame in video.frames] == [0.0, 0.2]
    assert (file.turns, file.frames, file.sha256) == ((), (), bytes.fromhex("ef" * 32))


def test_nothing_told_is_nothing_and_a_file_told_twice_counts_once() -> None:
    assert told.read("") == ()
    assert told.read("[]") == ()
    assert len(told.read(json.dumps([PICTURE, PICTURE]))) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "verdict"},
        {"sha256": "AB" * 32},
        {"sha256": "ab" * 31},
        {"sha256": " " + "ab" * 32},
        {"sha256": 7},
        {"width": -1},
        {"width": 1.5},
        {"width": True},
        {"width": 10**9},
        {"width": 0},
        {"height": 0},
        {"quality": 101},
        {"turns": PICTURE["turns"][:7]},
        {"turns": [None] * 8},
        {"turns": "0" * 64},
        {"turns": []},
        {"frames": CLIP},
        {"frames": None},
        {"more": 1},
        {"kind": "video"},
        {"kind": "video", "frames": CLIP[:-2]},
        {"kind": "video", "frames": LONG},
        {"kind": "video", "frames": SAME_TIME},
        {"kind": "video", "frames": CLIP.replace("64", "ff", 1)},
        {"kind": "video", "frames": frames.pack([Frame(0, Pdq(b"\7" * 32, 50))]).hex()},
        {"kind": "file"},
        {"kind": "file", "turns": [], "width": 0, "height": 0},
    ],
)
def test_what_cannot_be_a_fingerprint_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ToldRefused) as refused:
        told.read(json.dumps([{**PICTURE, **changed}]))
    assert refused.value.code == "report.told_refused"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "null",
        "[1]",
        "[[]]",
        "[" * 200_000,
        "[" + "9" * 5_000 + "]",
        "NaN",
        json.dumps([{**FILE, "sha256": f"{number:064x}"} for number in range(11)]),
        json.dumps([PICTURE]) + " " * 300_000,
        json.dumps([{key: value for key, value in PICTURE.items() if key != "turns"}]),
    ],
)
def test_what_is_no_list_of_fingerprints_is_refused(text: str) -> None:
    with pytest.raises(ToldRefused):
        told.read(text)


@given(st.text() | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(json.dumps))
def test_whatever_is_sent_is_read_or_refused(text: str) -> None:
    """No other error reaches the form."""
    with suppress(ToldRefused):
        assert isinstance(told.read(text), tuple)


def test_turns_of_eight_different_pictures_do_not_pass_for_one() -> None:
    """Eight strangers in one fingerprint would find eight pictures."""
    strangers = [pdq.compute(picture).hex for picture in (data.cat(), data.coffee())]
    row = {**PICTURE, "turns": [PICTURE["turns"][0], *strangers, *PICTURE["turns"][3:]]}

    (read,) = told.read(json.dumps([row]))

    assert read.turns == frames.turned(BITS)
