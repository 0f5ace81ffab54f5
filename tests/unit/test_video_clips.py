"""Clips are found where they are, and nowhere else."""

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data as shipped
from tests.conftest import needs_model
from tests.unit.videos_made import clip_of, encoded, pan

from haechi import fingerprint
from haechi.errors import FingerprintError
from haechi.fingerprint import Frame, ImageFingerprint, Pdq, frames, pdq, sscd, video
from haechi.index import clips, pair
from haechi.index.clips import Clip
from haechi.index.entry import Verdict
from haechi.media import Sandbox

RADIUS = 31


def hashed(count: int, seed: int = 0, step_s: float = 0.5) -> list[Frame]:
    """Frames that have nothing to do with each other."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    return [Frame(number * step_s, Pdq(chance.randbytes(32), 100)) for number in range(count)]


def moved(found: list[Frame], by_s: float, speed: float = 1.0) -> list[Frame]:
    return [Frame(by_s + frame.seconds * speed, frame.pdq) for frame in found]


def noisy(found: list[Frame], bits: int, seed: int = 1) -> list[Frame]:
    chance = random.Random(seed)  # noqa: S311 - as above
    changed = []
    for frame in found:
        mask = sum(1 << place for place in chance.sample(range(256), bits))
        hash_ = (int.from_bytes(frame.pdq.bits) ^ mask).to_bytes(32)
        changed.append(Frame(frame.seconds, Pdq(hash_, frame.pdq.quality)))
    return changed


def found_in(query: list[Frame], known: list[Frame]) -> Clip:
    clip = clips.compare(query, known, RADIUS)
    assert clip is not None
    return clip


def test_a_clip_is_found_at_its_offset() -> None:
    whole = hashed(200)
    clip = found_in(noisy(moved(whole[60:100], -30.0), 20), whole)
    assert (clip.query_from_s, clip.known_from_s) == (0.0, 30.0)
    assert (clip.query_to_s, clip.known_to_s) == (19.5, 49.5)
    assert (clip.matched_frames, clip.query_share) == (40, 1.0)


def test_a_clip_in_the_middle_of_other_things_has_its_share() -> None:
    whole = hashed(200)
    query = hashed(40, 7) + moved(whole[100:140], -30.0) + moved(hashed(40, 8), 40.0)
    clip = found_in(query, whole)
    assert (clip.query_from_s, clip.query_to_s) == (20.0, 39.5)
    assert (clip.known_from_s, clip.known_to_s) == (50.0, 69.5)
    assert clip.query_share == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("speed", [0.8, 0.9, 0.95, 1.0, 1.04, 1.1, 1.25])
def test_a_changed_speed_is_tolerated(speed: float) -> None:
    whole = hashed(240)
    clip = found_in(moved(whole[40:160], -20.0 / speed, 1 / speed), whole)
    assert clip.matched_frames >= 60
    assert clip.known_from_s == pytest.approx(20 + clip.query_from_s * speed, abs=1.0)


@given(st.sets(st.integers(0, 39), max_size=30), st.integers(0, 150))
def test_dropped_frames_do_not_move_it(dropped: set[int], start: int) -> None:
    whole = hashed(200)
    query = [
        frame for number, frame in enumerate(whole[start : start + 40]) if number not in dropped
    ]
    clip = found_in(moved(query, -start / 2), whole)
    assert clip.matched_frames == len(query)
    assert clip.known_from_s - clip.query_from_s == pytest.approx(start / 2)


def test_black_frames_prove_nothing() -> None:
    black = [Frame(number / 2, Pdq(bytes(32), 0)) for number in range(60)]
    assert clips.compare(black, black, RADIUS) is None


def test_one_shared_title_card_is_no_clip() -> None:
    title = Frame(0.0, Pdq(b"\x55" * 32, 100))
    assert (
        clips.compare([title, *moved(hashed(40, 1), 1)], [title, *moved(hashed(40, 2), 1)], 31)
        is None
    )
    assert found_in([title], [title]).matched_frames == 1


def test_a_still_scene_does_not_hide_the_clip() -> None:
    """Twenty seconds that all look alike match each other everywhere; the rest decides."""
    still = [Frame(number / 2, Pdq(b"\x55" * 32, 100)) for number in range(40)]
    whole = hashed(40) + moved(still, 20) + moved(hashed(40, 3), 40)
    query = moved(whole[30:110], -15.0)
    clip = found_in(query, whole)
    assert clip.known_from_s - clip.query_from_s == pytest.approx(15, abs=0.6)


def test_unrelated_videos_share_nothing() -> None:
    for seed in range(20):
        assert clips.compare(hashed(100, seed), hashed(400, 1000 + seed), RADIUS) is None


def test_locate_agrees_with_the_slow_reference() -> None:
    """From all pairs, as an index gives them, comes what the two videos alone say."""
    whole = hashed(100)
    query = moved(whole[20:60], -10.0)
    pairs = [
        (asked.seconds, known.seconds, 0)
        for asked in query
        for known in whole
        if asked.pdq == known.pdq
    ]
    random.Random(5).shuffle(pairs)  # noqa: S311 - as above
    assert clips.locate(pairs, query_s=20.0, known_s=50.0) == clips.compare(
        query, whole, 31, query_s=20.0, known_s=50.0
    )
    assert clips.locate([], query_s=1, known_s=1) is None


def test_a_still_picture_is_found_in_a_video() -> None:
    clip = clips.locate([(0.0, 7.5, 3)], query_s=0.0, known_s=60.0)
    assert clip is not None
    assert (clip.known_from_s, clip.query_share) == (7.5, 1.0)


@pytest.mark.parametrize("photo", ["astronaut", "cat", "coffee", "rocket"])
def test_turned_hashes_are_near_those_of_turned_pixels(photo: str) -> None:
    exact = pdq.dihedral(getattr(shipped, photo)())
    guessed = frames.turned(exact[0].bits)
    assert guessed[0] == exact[0].bits
    for turn, wanted in zip(guessed, exact, strict=True):
        assert (int.from_bytes(turn) ^ int.from_bytes(wanted.bits)).bit_count() <= 20


def test_packed_frames_have_37_bytes() -> None:
    packed = frames.pack([Frame(1.2345, Pdq(b"\1" * 32, 77))])
    assert packed == (1234).to_bytes(4, "big") + b"\x4d" + b"\1" * 32
    with pytest.raises(FingerprintError):
        frames.unpack(packed[:-1])


def test_a_moving_clip_is_found_wherever_it_was_cut() -> None:
    """At every phase of the half second between two frames asked for."""
    known = video.watch(encoded(pan(count=250)), video.KNOWN)
    for start in (40, 43, 47, 50, 53):
        asked = video.watch(encoded(pan(start=start, count=100), crf="32"))
        clip = clips.compare(asked.frames, known.frames, RADIUS)
        assert clip is not None
        assert clip.known_from_s - clip.query_from_s == pytest.approx(start / 25, abs=0.3)
        assert clip.query_share > 0.7


def test_a_mirrored_clip_is_found() -> None:
    known = video.watch(encoded(pan(count=150)), video.KNOWN)
    asked = video.watch(encoded(rgb[:, ::-1].copy() for rgb in pan(start=33, count=80)))
    clip = clips.compare(asked.frames, known.frames, RADIUS)
    assert clip is not None
    assert clip.known_from_s - clip.query_from_s == pytest.approx(33 / 25, abs=0.3)


def test_the_first_frame_after_a_cut_is_hashed() -> None:
    made = encoded([*pan(count=30), *pan(count=30, photo="coffee"), *pan(count=30, photo="cat")])
    times = [frame.seconds for frame in video.watch(made).frames]
    assert any(abs(at - 30 / 25) < 0.13 for at in times)
    assert any(abs(at - 60 / 25) < 0.13 for at in times)


def test_the_number_of_frames_and_stills_is_bounded() -> None:
    tight = video.Sampling(step_s=0.04, most=40, same_bits=-1, stills=3, thrifty=True)
    film = video.watch(encoded(pan(count=300)), tight)
    assert 15 <= len(film.frames) <= 40
    assert film.frames[-1].seconds > 10
    assert len(film.stills) == 3
    assert max(max(still.shape) for still in film.stills) <= video.STILL_PX


def test_a_fingerprint_of_a_video_has_all_parts() -> None:
    made = encoded(pan(count=100))
    asked, known = fingerprint.image(made), fingerprint.member(made)
    assert asked.kind.mime == "video/mp4"
    assert (asked.width, asked.height, asked.seconds) == (96, 96, 4.0)
    assert len(asked.frames) == 8
    assert len(known.frames) > 30
    assert asked.pdq == asked.frames[0].pdq
    assert asked.turns[0] == asked.pdq.bits
    assert len(asked.turns) == 8
    found = fingerprint.hashes(made)
    assert (found.pdq, found.frames, found.seconds) == (asked.pdq, asked.frames, 4.0)


def test_a_black_beginning_is_not_the_key_frame() -> None:
    black = [np.zeros((96, 96, 3), np.uint8)] * 50
    seen = fingerprint.hashes(encoded([*black, *pan(count=50)]))
    assert seen.pdq is not None
    assert seen.pdq.quality >= pdq.MIN_QUALITY
    assert seen.frames[0].pdq.quality == 0


def test_a_film_in_one_colour_has_a_hash_of_no_quality() -> None:
    seen = fingerprint.image(encoded([np.full((96, 96, 3), 90, np.uint8)] * 50))
    assert seen.pdq.quality < pdq.MIN_QUALITY
    assert clips.compare(seen.frames, seen.frames, RADIUS) is None


# --- the sample videos of TMK+PDQF, of which several are edits of one clip ------------------------


@pytest.fixture(scope="module")
def samples(shared_media: Path) -> dict[str, pair.Looks]:
    paths = sorted((shared_media / "threatexchange" / "videos").glob("*.mp4"))
    with Sandbox(2) as sandbox, ThreadPoolExecutor(2) as threads:

        def looks(path: Path) -> pair.Looks:
            data = path.read_bytes()
            return pair.Looks(
                sandbox.run(fingerprint.image, data), sandbox.run(fingerprint.member, data)
            )

        return {
            path.stem: made for path, made in zip(paths, threads.map(looks, paths), strict=True)
        }


@needs_model
@pytest.mark.slow
def test_every_edited_copy_matches_its_original_and_no_other(
    samples: dict[str, pair.Looks],
) -> None:
    """Sepia, grey, logos, bars, cuts of three and two seconds; with the copy-detection model."""
    for (name, first), (other, second) in combinations(samples.items(), 2):
        found = pair.compare(first, second).verdict is not Verdict.NO_MATCH
        assert found == (name.split("-")[0] == other.split("-")[0]), (name, other)


@pytest.mark.slow
def test_frames_alone_find_all_but_bars_and_large_logos(samples: dict[str, pair.Looks]) -> None:
    """Without the model. What is found is where it is: chair-19 lacks the first 3.6 seconds."""
    plain = {name: looks for name, looks in samples.items() if "large-logo" not in name}
    for name, first in plain.items():
        for other, second in plain.items():
            clip = clips.compare(first.asked.frames, second.known.frames, RADIUS)
            same = name.split("-")[0] == other.split("-")[0]
            barred = name.startswith("pattern") and ("no-bar" in name) != ("no-bar" in other)
            assert (clip is not None) == (same and not barred), (name, other)
    clip = clips.compare(
        samples["chair-19-sd-bar"].asked.frames,
        samples["chair-orig-22-sd-bar"].known.frames,
        RADIUS,
    )
    assert clip is not None
    assert clip.known_from_s - clip.query_from_s == pytest.approx(3.7, abs=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("edit", ["small", "mirrored", "letterboxed"])
def test_a_clip_cut_from_a_sample_is_found(
    shared_media: Path, samples: dict[str, pair.Looks], edit: str
) -> None:
    """The camera swings most after 5 s, where two frames are 31 bits apart in a thirtieth second."""
    start_s = 5.27
    path = shared_media / "threatexchange" / "videos" / "chair-orig-22-sd-bar.mp4"
    cut = (EDITS[edit](rgb) for rgb in clip_of(path, start_s, 4.0))
    asked = fingerprint.image(encoded(cut, "webm" if edit == "small" else "mp4", rate=30, crf="34"))
    known = samples[path.stem].known
    if edit == "letterboxed":
        found = max(similarities(asked, known), default=None)
        assert found is None or found > 0.55
        return
    clip = clips.compare(asked.frames, known.frames, RADIUS)
    assert clip is not None
    assert clip.known_from_s - clip.query_from_s == pytest.approx(start_s, abs=0.5)
    assert clip.query_share > 0.8


def similarities(asked: ImageFingerprint, known: ImageFingerprint) -> list[float]:
    ours = [one for one in (asked.embedding, *asked.views) if one]
    theirs = [one for one in (known.embedding, *known.views) if one]
    return [sscd.similarity(one, other) for one in ours for other in theirs]


EDITS = {
    "small": lambda rgb: np.ascontiguousarray(rgb[::2, ::2]),
    "mirrored": lambda rgb: np.ascontiguousarray(rgb[:, ::-1]),
    "letterboxed": lambda rgb: np.pad(rgb, ((90, 90), (0, 0), (0, 0))),
}
