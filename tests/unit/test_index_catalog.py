"""From the bytes of a copy to the hit: what is found, by which fingerprint, and what is not."""

import io
import threading
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage import data
from tests.conftest import needs_model
from tests.unit.test_sscd_layout import chat

from haechi import fingerprint
from haechi.fingerprint import ImageFingerprint
from haechi.index import DEFAULT, Catalog, Entry, Hit, Policy, Query, Verdict

Rgb = NDArray[np.uint8]
EXHIBIT = 7


def jpeg(rgb: Rgb, quality: int = 90) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=quality)
    return out.getvalue()


def scaled(rgb: Rgb, part: float) -> Rgb:
    resized = cv2.resize(rgb, None, fx=part, fy=part, interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)


def turned_slightly(rgb: Rgb) -> Rgb:
    return np.asarray(Image.fromarray(rgb).rotate(5, Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def exhibit() -> ImageFingerprint:
    return fingerprint.member(jpeg(data.astronaut()))


@pytest.fixture(scope="module")
def bank(exhibit: ImageFingerprint) -> Catalog:
    """The exhibit among other pictures."""
    catalog = Catalog()
    catalog.put(Entry.of(EXHIBIT, exhibit))
    for key, name in enumerate(("coffee", "rocket", "cat"), start=20):
        catalog.put(Entry.of(key, fingerprint.member(jpeg(getattr(data, name)()))))
    return catalog


def only_hit(catalog: Catalog, rgb: Rgb, quality: int = 90) -> Hit:
    (hit,) = catalog.search(Query.of(fingerprint.image(jpeg(rgb, quality))))
    assert hit.key == EXHIBIT
    return hit


def test_the_file_itself(bank: Catalog) -> None:
    hit = only_hit(bank, data.astronaut())
    assert (hit.verdict, hit.found_by, hit.distance_bits) == (
        Verdict.IDENTICAL_FILE,
        "sha256",
        0,
    )


@pytest.mark.parametrize(
    "edit",
    [lambda rgb: rgb, lambda rgb: scaled(rgb, 0.75), lambda rgb: scaled(rgb, 1.7)],
    ids=["recompressed", "smaller", "larger"],
)
def test_the_same_picture_again(bank: Catalog, edit: Callable[[Rgb], Rgb]) -> None:
    hit = only_hit(bank, edit(data.astronaut()), quality=40)
    assert (hit.verdict, hit.found_by, hit.orientation) == (Verdict.SAME_PICTURE, "pdq", 0)
    assert DEFAULT.certain(hit)


@pytest.mark.parametrize("part", [0.5, 0.33, 0.25])
def test_much_smaller_is_still_found_upright(bank: Catalog, part: float) -> None:
    hit = only_hit(bank, scaled(data.astronaut(), part), quality=60)
    assert (hit.found_by, hit.orientation) == ("pdq", 0)


@pytest.mark.parametrize("turn", range(1, 8))
def test_turned_and_mirrored(bank: Catalog, turn: int) -> None:
    """`orientation` names the turn that brings the copy back to the exhibit."""
    rgb = np.rot90(data.astronaut(), turn % 4)
    copy = np.ascontiguousarray(rgb[:, ::-1] if turn >= 4 else rgb)
    hit = only_hit(bank, copy)
    assert (hit.verdict, hit.found_by) == (Verdict.EDITED_COPY, "pdq_turned")
    assert hit.orientation > 0
    assert hit.distance_bits is not None
    assert hit.distance_bits <= 31


@needs_model
@pytest.mark.parametrize(
    ("edit", "found_by"),
    [
        (lambda rgb: rgb[51:, 51:], "sscd"),
        (lambda rgb: rgb[100:400, 100:400], "sscd_view"),
        (turned_slightly, "sscd"),
        (lambda rgb: chat(rgb)[0], "pdq_view"),
        (lambda rgb: chat(rgb, dark=True, mine=False)[0], "pdq_view"),
        (lambda rgb: chat(rgb[:, ::-1])[0], "pdq_view"),
    ],
    ids=["crop 10 %", "crop 60 %", "turned 5 degrees", "chat", "dark chat", "mirrored in a chat"],
)
def test_edited_copies(bank: Catalog, edit: Callable[[Rgb], Rgb], found_by: str) -> None:
    hit = only_hit(bank, np.ascontiguousarray(edit(data.astronaut())), quality=60)
    assert (hit.verdict, hit.found_by) == (Verdict.EDITED_COPY, found_by)
    assert hit.similarity is not None
    assert DEFAULT.certain(hit)


def animated(form: str, place: int, count: int = 3) -> bytes:
    """An animation of plain frames, with the exhibit as frame `place`."""
    frames = [Image.new("RGB", (512, 512), (200, 40 * number, 90)) for number in range(count)]
    frames[place] = Image.fromarray(data.astronaut())
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def in_the_alpha_channel() -> bytes:
    white = Image.new("RGB", (512, 512), "white")
    white.putalpha(Image.fromarray(data.astronaut()).convert("L"))
    out = io.BytesIO()
    white.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF", "MPO"])
@pytest.mark.parametrize("place", [1, 2])
def test_a_picture_in_a_later_frame_is_found(bank: Catalog, form: str, place: int) -> None:
    made = replace(fingerprint.image(animated(form, place)), embedding=None, views=())
    (hit,) = bank.search(Query.of(made))
    assert (hit.key, hit.orientation, hit.found_by) == (EXHIBIT, 0, "pdq")


def test_a_picture_behind_another_is_found_in_every_turn(bank: Catalog) -> None:
    frames = [data.coffee(), np.fliplr(data.astronaut())]
    out = io.BytesIO()
    first, second = (Image.fromarray(frame).resize((512, 512)) for frame in frames)
    first.save(out, "WEBP", save_all=True, append_images=[second])
    made = replace(fingerprint.image(out.getvalue()), embedding=None, views=())
    assert len(made.turns) == 16
    hits = {hit.key: hit for hit in bank.search(Query.of(made))}
    assert hits[EXHIBIT].orientation == 5
    assert set(hits) == {EXHIBIT, 20}


def test_frames_that_are_alike_count_once() -> None:
    out = io.BytesIO()
    still = Image.fromarray(data.astronaut())
    still.save(out, "WEBP", save_all=True, append_images=[still, still.point(lambda v: v // 2)])
    assert len(fingerprint.image(out.getvalue()).turns) == 8


def test_a_picture_in_the_alpha_channel_is_found(bank: Catalog) -> None:
    (hit,) = bank.search(Query.of(fingerprint.image(in_the_alpha_channel())))
    assert (hit.key, hit.verdict) == (EXHIBIT, Verdict.SAME_PICTURE)


def test_a_negative_is_found_as_an_edited_copy(bank: Catalog) -> None:
    hit = only_hit(bank, 255 - data.astronaut())
    assert (hit.verdict, hit.found_by) == (Verdict.EDITED_COPY, "pdq_turned")


@needs_model
def test_embeddings_of_further_frames_are_bounded() -> None:
    frames = [
        Image.fromarray(np.roll(data.astronaut(), 64 * step, axis=1)).convert("RGB")
        for step in range(8)
    ]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    made = fingerprint.image(out.getvalue())
    assert len(made.turns) == 64
    assert len(made.views) <= fingerprint.picture.MAX_VIEWS


@pytest.mark.parametrize(
    "name", ["retina", "hubble_deep_field", "immunohistochemistry", "colorwheel", "logo"]
)
def test_what_is_unrelated_does_not_match(bank: Catalog, name: str) -> None:
    rgb = getattr(data, name)()[..., :3]
    assert bank.search(Query.of(fingerprint.image(jpeg(np.ascontiguousarray(rgb))))) == []


@needs_model
def test_an_unrelated_picture_in_a_chat_does_not_match(bank: Catalog) -> None:
    screen, _ = chat(data.retina())
    assert bank.search(Query.of(fingerprint.image(jpeg(screen)))) == []


def test_without_embeddings_pdq_still_works(exhibit: ImageFingerprint) -> None:
    catalog = Catalog()
    catalog.put(replace(Entry.of(1, exhibit), embedding=None, views=()))
    query = replace(Query.of(exhibit), sha256=bytes(32), embedding=None, views=())
    (hit,) = catalog.search(query)
    assert (hit.found_by, hit.similarity) == ("pdq", None)


def test_a_file_alone_is_found_by_its_digest() -> None:
    catalog = Catalog()
    catalog.put(Entry(1, b"a" * 32, None, 0, None))
    (hit,) = catalog.search(Query(b"a" * 32, (), 0, None))
    assert hit == Hit(1, Verdict.IDENTICAL_FILE, None, None, 0, "sha256")
    assert catalog.search(Query(b"b" * 32, (), 0, None)) == []
    assert catalog.search(Query(b"", (), 0, None)) == []


def entry(key: int, bits: int, quality: int = 100) -> Entry:
    return Entry(key, key.to_bytes(32), ((1 << bits) - 1).to_bytes(32), quality, None)


ZERO = Query(b"", (bytes(32),), 100, None)


def test_distance_becomes_a_verdict_at_the_thresholds() -> None:
    catalog = Catalog()
    for bits in (16, 17, 31, 32):
        catalog.put(entry(bits, bits))
    found = {hit.key: hit.verdict for hit in catalog.search(ZERO)}
    assert found == {
        16: Verdict.SAME_PICTURE,
        17: Verdict.EDITED_COPY,
        31: Verdict.EDITED_COPY,
    }
    strict = Policy(pdq_same_bits=0, pdq_edited_bits=16)
    assert [hit.verdict for hit in catalog.search(ZERO, strict)] == [Verdict.EDITED_COPY]


@pytest.mark.parametrize(("known", "asked", "found"), [(50, 50, 1), (49, 100, 0), (100, 49, 0)])
def test_flat_pictures_do_not_match_by_pdq(known: int, asked: int, found: int) -> None:
    catalog = Catalog()
    catalog.put(entry(1, 0, quality=known))
    assert len(catalog.search(replace(ZERO, pdq_quality=asked))) == found


def test_the_best_comes_first() -> None:
    catalog = Catalog()
    for key, bits in ((1, 30), (2, 3), (3, 12), (4, 3)):
        catalog.put(entry(key, bits))
    catalog.put(Entry(5, b"f" * 32, None, 0, None))
    found = catalog.search(replace(ZERO, sha256=b"f" * 32))
    assert [hit.key for hit in found] == [5, 2, 4, 3, 1]


def test_put_replaces_and_remove_forgets(exhibit: ImageFingerprint) -> None:
    catalog = Catalog()
    catalog.put(Entry.of(1, exhibit))
    catalog.put(entry(1, 0))
    assert len(catalog) == 1
    assert catalog.search(Query.of(exhibit)) == []
    assert [hit.key for hit in catalog.search(ZERO)] == [1]
    catalog.remove(1)
    catalog.remove(1)
    assert len(catalog) == 0
    assert catalog.search(ZERO) == []


@needs_model
def test_forgetting_one_leaves_the_vectors_of_others(exhibit: ImageFingerprint) -> None:
    catalog = Catalog()
    for key in range(30):
        catalog.put(replace(Entry.of(key, exhibit), sha256=key.to_bytes(32)))
    for key in range(0, 30, 2):
        catalog.remove(key)
    query = replace(Query.of(exhibit), turns=())
    assert {hit.key for hit in catalog.search(query)} == set(range(1, 30, 2))


def test_two_portraits_alike_are_left_to_a_person() -> None:
    """SSCD reports at 0.5; acting without a look takes 0.8, a near hash or the same file."""
    weak = Hit(1, Verdict.EDITED_COPY, None, 0.55, 0, "sscd")
    assert not DEFAULT.certain(weak)
    assert DEFAULT.certain(replace(weak, similarity=0.81))
    assert DEFAULT.certain(replace(weak, distance_bits=20))
    assert DEFAULT.certain(Hit(1, Verdict.IDENTICAL_FILE, None, None, 0, "sha256"))


def test_threads_may_write_and_search_at_once() -> None:
    catalog = Catalog()
    catalog.put(entry(1000, 0))
    lost: list[int] = []

    def write(start: int) -> None:
        for key in range(start, start + 100):
            catalog.put(entry(key, 40))
            catalog.remove(key)

    def read() -> None:
        answers = ([hit.key for hit in catalog.search(ZERO)] for _ in range(100))
        lost.extend(at for at, keys in enumerate(answers) if keys != [1000])

    threads = [threading.Thread(target=write, args=(at * 100,)) for at in range(3)]
    threads += [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == []
    assert len(catalog) == 1


def test_a_picture_on_a_flat_page_is_found_by_its_inset() -> None:
    told, others = bytes(range(32)), tuple(bytes([one]) * 32 for one in range(7))
    catalog = Catalog()
    catalog.put(Entry(1, b"", told, 100, None))
    page = Query(b"", (b"p" * 32, *others, told, *others), 20, None, insets=1)
    assert [hit.found_by for hit in catalog.search(page)] == ["pdq_view"]
    assert catalog.search(replace(page, turns=(told, *others), insets=0)) == []
