"""Frames in a catalog: stills in videos, videos in videos, and where."""

from dataclasses import replace

import numpy as np
import pytest

from haechi.fingerprint import Pdq
from haechi.fingerprint.frames import Frame, turned
from haechi.index import Catalog, Entry, Query, Verdict

VIDEO, OTHER, STILL = 1, 2, 3


def scene(number: int) -> bytes:
    """A hash unlike every other."""
    return np.random.default_rng(number).bytes(32)


def moved(bits: bytes, count: int) -> bytes:
    """`count` bits away."""
    return (int.from_bytes(bits) ^ ((1 << count) - 1)).to_bytes(32)


def video(scenes: list[int], *, apart_s: float = 1.0, bits: int = 0) -> tuple[Frame, ...]:
    return tuple(
        Frame(at * apart_s, Pdq(moved(scene(number), bits), 90)) for at, number in enumerate(scenes)
    )


def known(key: int, frames: tuple[Frame, ...]) -> Entry:
    return Entry(key, key.to_bytes(32), frames[0].pdq.bits, 90, None, frames=frames)


def asked(frames: tuple[Frame, ...]) -> Query:
    return Query(b"", turned(frames[0].pdq.bits), 90, None, frames=frames)


@pytest.fixture
def catalog() -> Catalog:
    catalog = Catalog()
    catalog.put(known(VIDEO, video(list(range(100, 140)))))
    catalog.put(known(OTHER, video(list(range(200, 240)))))
    catalog.put(Entry(STILL, b"s" * 32, scene(300), 90, None))
    return catalog


def test_a_video_again_is_the_same_one(catalog: Catalog) -> None:
    (hit,) = catalog.search(asked(video(list(range(100, 140)), bits=6)))
    assert (hit.key, hit.verdict, hit.found_by) == (VIDEO, Verdict.SAME_PICTURE, "vpdq")
    assert (hit.distance_bits, hit.orientation) == (6, 0)


def test_a_clip_is_found_with_its_place(catalog: Catalog) -> None:
    frames = video([900, 901, *range(110, 118), 902])
    (hit,) = catalog.search(asked(frames))
    assert (hit.key, hit.verdict, hit.found_by) == (VIDEO, Verdict.EDITED_COPY, "vpdq")
    assert hit.clip is not None
    assert (hit.clip.query_from_s, hit.clip.query_to_s) == (2, 9)
    assert (hit.clip.known_from_s, hit.clip.known_to_s) == (10, 17)
    assert hit.clip.matched_frames == 8


def test_the_distance_is_the_median_of_the_clip(catalog: Catalog) -> None:
    frames = [*video(list(range(110, 116)), bits=12)]
    frames[2] = Frame(2.0, Pdq(scene(112), 90))
    (hit,) = catalog.search(asked(tuple(frames)))
    assert hit.distance_bits == 12


def test_a_title_in_both_is_no_match(catalog: Catalog) -> None:
    """One frame, or frames in another order, do not run along each other."""
    assert catalog.search(asked(video([110, *range(400, 420)]))) == []
    assert catalog.search(asked(video([*range(400, 410), 110, *range(410, 415), 137]))) == []


@pytest.mark.parametrize("turn", range(8))
def test_a_turned_or_mirrored_clip_is_found(catalog: Catalog, turn: int) -> None:
    frames = tuple(
        Frame(frame.seconds, Pdq(turned(frame.pdq.bits)[turn], 90))
        for frame in video(list(range(110, 120)))
    )
    (hit,) = catalog.search(asked(frames))
    assert (hit.key, hit.found_by) == (VIDEO, "vpdq")
    assert (hit.orientation == 0) == (turn == 0)


def test_a_still_from_a_video_is_found_with_its_time(catalog: Catalog) -> None:
    query = Query(b"", turned(moved(scene(107), 9)), 90, None)
    (hit,) = catalog.search(query)
    assert (hit.key, hit.verdict, hit.found_by) == (VIDEO, Verdict.EDITED_COPY, "vpdq")
    assert hit.distance_bits == 9
    assert hit.clip is not None
    assert (hit.clip.known_from_s, hit.clip.known_to_s, hit.clip.query_to_s) == (7, 7, 0)


@pytest.mark.parametrize("place", [0, 5])
def test_a_known_still_in_a_video_is_found_with_its_time(catalog: Catalog, place: int) -> None:
    scenes = list(range(500, 510))
    scenes[place] = 300
    hits = catalog.search(asked(video(scenes, bits=3)))
    assert [(hit.key, hit.verdict, hit.found_by) for hit in hits] == [
        (STILL, Verdict.EDITED_COPY, "vpdq")
    ]
    assert hits[0].clip is not None
    assert (hits[0].clip.query_from_s, hits[0].clip.query_to_s) == (place, place)
    assert hits[0].clip.query_share == pytest.approx(0.1)


def test_black_frames_are_neither_kept_nor_asked(catalog: Catalog) -> None:
    dark = tuple(Frame(at, Pdq(bytes(32), 3)) for at in range(9))
    catalog.put(replace(known(4, dark), pdq=None))
    assert catalog.search(replace(asked(dark), pdq_quality=3)) == []
    assert catalog.search(Query(b"", (bytes(32),), 90, None)) == []


def test_a_still_scene_is_answered_quickly(catalog: Catalog) -> None:
    """Every frame of one is near every frame of the other: a million pairs."""
    catalog.put(known(5, video([700] * 1000)))
    (hit,) = catalog.search(asked(video([700] * 1000, bits=2)))
    assert (hit.key, hit.found_by, hit.distance_bits) == (5, "vpdq", 2)


def test_a_video_of_one_frame_is_a_still(catalog: Catalog) -> None:
    frames = video([300])
    (hit,) = catalog.search(asked(frames))
    assert (hit.key, hit.verdict, hit.found_by) == (STILL, Verdict.SAME_PICTURE, "pdq")


def views(*numbers: int) -> tuple[Frame, ...]:
    return tuple(Frame(0.0, Pdq(scene(number), 90)) for number in numbers)


def test_views_of_stills_meet_by_their_hashes() -> None:
    """A crop of the known picture is the query, and the other way round; and both."""
    catalog = Catalog()
    catalog.put(Entry(1, b"", scene(1), 90, None, frames=views(2, 3)))
    (crop,) = catalog.search(Query(b"", turned(scene(2)), 90, None))
    (inset,) = catalog.search(Query(b"", turned(scene(8)), 90, None, frames=views(9, 1)))
    (both,) = catalog.search(Query(b"", turned(scene(8)), 90, None, frames=views(3)))
    for hit in (crop, inset, both):
        assert (hit.verdict, hit.found_by, hit.clip) == (Verdict.EDITED_COPY, "pdq_view", None)
    (mirrored,) = catalog.search(
        Query(b"", (), 0, None, frames=(Frame(0.0, Pdq(turned(scene(1))[4], 90)),))
    )
    assert (mirrored.found_by, mirrored.orientation) == ("pdq_view", 4)


def test_the_same_picture_stays_so_if_a_view_is_nearer() -> None:
    catalog = Catalog()
    catalog.put(Entry(1, b"", scene(1), 90, None, frames=views(1)))
    (hit,) = catalog.search(Query(b"", (moved(scene(1), 5),), 90, None, frames=views(1)))
    assert (hit.verdict, hit.found_by, hit.distance_bits) == (Verdict.SAME_PICTURE, "pdq", 5)
