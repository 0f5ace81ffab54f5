"""Edits are seeded and varied; tails find what made them; the commands say what was measured."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data
from tests.conftest import needs_model
from tests.unit.pictures_on_disk import file_bytes, records, run

from haechi import fingerprint
from haechi.errors import TooFewPictures, UnknownEdit
from haechi.evaluation import chart, edited, pairs, quantised
from haechi.evaluation.calibrate import calibrate
from haechi.evaluation.edits import CROWDED, EDITS, make
from haechi.evaluation.pairs import Likeness
from haechi.evaluation.recall import Ground, Tally
from haechi.evaluation.tail import fit
from haechi.fingerprint import pdq, sscd
from haechi.index import DEFAULT

NO_MODEL = {"HAECHI_SSCD_MODEL": "/nowhere.onnx"}
PICTURES = ("astronaut", "cat", "coffee", "rocket", "immunohistochemistry", "retina")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("evaluate")
    for name in PICTURES:
        (made / f"{name}.jpg").write_bytes(file_bytes(getattr(data, name)()[:600, :600]))
    (made / "note.txt").write_text("no picture")
    return made


@pytest.mark.parametrize("name", list(EDITS))
def test_an_edit_repeats_by_its_seed_and_varies_without(name: str) -> None:
    rgb, others = data.astronaut()[:300, :400], [data.cat(), data.coffee()]
    first, again, other = (make(name, rgb, others, seed) for seed in (3, 3, 4))
    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert np.array_equal(first, again)
    assert not np.array_equal(first, rgb)
    still = name in {"mirror", "upside_down"}
    assert still or not np.array_equal(first, other)


def test_there_are_edits_enough_and_an_unknown_one_is_named() -> None:
    assert len(EDITS) >= 24
    assert set(EDITS) > CROWDED
    with pytest.raises(UnknownEdit, match="melt"):
        make("melt", data.cat(), [], 1)


def test_crops_keep_what_they_say() -> None:
    rgb = np.zeros((400, 600, 3), np.uint8)
    for name, left in (("crop_5", 0.95), ("crop_30", 0.7), ("crop_50", 0.5)):
        sizes = [make(name, rgb, [], seed).shape for seed in range(20)]
        parts = [height * width / (400 * 600) for height, width, _ in sizes]
        assert max(abs(part - left) for part in parts) < 0.03
    sizes = [make("crop_half_sides", rgb, [], seed).shape for seed in range(20)]
    assert max(abs(high * wide / 240_000 - 0.25) for high, wide, _ in sizes) < 0.03


def test_a_tail_is_found_again() -> None:
    """Exponential values: the rate at a height is known, and the fit is a little above it."""
    values = np.random.default_rng(5).exponential(0.02, 400_000)
    tail = fit(values)
    true = 0.02 * np.log(1e9)
    assert true * 0.95 < tail.value(1e-9) < true * 1.15
    assert abs(tail.shape) < 0.25
    assert tail.rate(tail.value(1e-9)) == pytest.approx(1e-9)
    assert tail.extrapolated_decades(1e-9) == pytest.approx(9 - np.log10(400_000))
    assert tail.extrapolated_decades(1e-3) == 0
    heavy = fit(np.random.default_rng(5).pareto(3, 400_000))
    assert heavy.shape > 0.2
    with pytest.raises(TooFewPictures):
        fit(values[:400])


def likeness(count: int = 60) -> Likeness:
    random = np.random.default_rng(1)
    whole = random.normal(0.01, 0.05, (count, count)).astype(np.float32)
    views = whole + 0.05
    bits = random.integers(90, 128, (count, count)).astype(np.int16)
    return Likeness((whole + whole.T) / 2, views, bits)


def test_a_stricter_rate_asks_for_more() -> None:
    loose, strict = calibrate(likeness(), 1e-6).policy, calibrate(likeness(), 1e-12).policy
    assert loose.sscd_similarity < strict.sscd_similarity <= strict.sscd_certain
    assert loose.sscd_similarity < loose.sscd_view_similarity
    assert strict.pdq_edited_bits <= loose.pdq_edited_bits <= DEFAULT.pdq_edited_bits


def test_copies_in_the_folder_are_left_out_and_told() -> None:
    measured = likeness()
    plain = calibrate(measured).policy
    measured.whole[3, 9] = measured.whole[9, 3] = 0.97
    measured.bits[5, 6] = 12
    made = calibrate(measured)
    assert [(row, column) for row, column, _ in made.suspects] == [(3, 9), (5, 6)]
    assert made.policy.sscd_similarity == pytest.approx(plain.sscd_similarity, abs=0.03)
    with pytest.raises(TooFewPictures):
        calibrate(likeness(20))


def slow_bits(query: tuple[bytes, ...], known: bytes) -> int:
    target = int.from_bytes(known)
    away = [(int.from_bytes(turn) ^ target).bit_count() for turn in query]
    return min(min(bits, pdq.BITS - bits) for bits in away)


@needs_model
def test_pairs_are_compared_as_the_search_does() -> None:
    files = [file_bytes(getattr(data, name)()) for name in ("cat", "coffee", "rocket")]
    looks = [pairs.Looks(fingerprint.image(file), fingerprint.member(file)) for file in files]
    found = pairs.compare(looks)
    for row, query in enumerate(looks):
        for column, known in enumerate(looks):
            asked, stored = query.asked, known.known
            assert asked.embedding is not None
            assert stored.embedding is not None
            assert found.bits[row, column] == slow_bits(asked.turns, stored.pdq.bits)
            whole = sscd.similarity(asked.embedding, stored.embedding)
            assert found.whole[row, column] == pytest.approx(whole, abs=1e-5)
            mixed = [sscd.similarity(asked.embedding, view) for view in stored.views]
            mixed += [
                sscd.similarity(view, one)
                for view in asked.views
                for one in (stored.embedding, *stored.views)
            ]
            assert found.views[row, column] == pytest.approx(max(mixed), abs=1e-5)


def test_charts_are_well_formed() -> None:
    ways = ("pdq", "pdq_turned", "pdq_insets", "sscd", "everything")
    rows = [("a < b", dict.fromkeys(ways, 0.5))]
    values = np.random.default_rng(5).exponential(0.02, 5000)
    for drawn in (
        chart.recall(rows, ways, "one & two"),
        chart.tail(values, fit(values), 1e-9, "tail"),
    ):
        assert ET.fromstring(drawn).tag.endswith("svg")  # noqa: S314 - our own text


@needs_model
@pytest.mark.slow
def test_hard_edits_are_found_and_strangers_are_not() -> None:
    known = {key: file_bytes(getattr(data, name)()) for key, name in enumerate(("cat", "coffee"))}
    ground = Ground(((key, fingerprint.member(file)) for key, file in known.items()), DEFAULT)
    others = [file_bytes(data.rocket()), file_bytes(data.astronaut())]
    hard = ("crop_half_sides", "collage_2x2", "chat_screenshot", "turn_15", "negative")
    tally, strangers = Tally(), Tally()
    for name in hard:
        for key, file in known.items():
            ground.ask(edited.asked(file, name, others, key), key, tally)
    for other in others:
        ground.ask(fingerprint.image(other), None, strangers)
    assert tally.recall("everything") >= 0.9
    assert tally.recall("pdq") <= tally.recall("pdq_insets") < tally.recall("everything")
    assert (tally.false, strangers.false, strangers.pairs) == (0, 0, 4)
    assert strangers.cost <= 2.5


@pytest.mark.slow
def test_the_command_tells_every_edit_and_draws_it(folder: Path, tmp_path: Path) -> None:
    chosen = "--edits=jpeg,mirror,collage_2x1"
    drawn = tmp_path / "recall.svg"
    done = run(
        "evaluate", "edits", "--jsonl", chosen, "--seed=2", "--chart", drawn, folder, **NO_MODEL
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = {record["edit"]: record for record in records(done)}
    assert list(told) == ["jpeg", "mirror", "collage_2x1", "all edits", "unrelated"]
    assert told["jpeg"]["recall"]["pdq"] == 1
    assert told["mirror"]["recall"]["pdq"] == 0
    assert told["mirror"]["recall"]["pdq_turned"] == told["mirror"]["recall"]["everything"] == 1
    assert told["unrelated"]["false"] == told["unrelated"]["certain_false"] == 0
    assert told["unrelated"]["embeddings"] == 0
    assert drawn.read_text().startswith("<svg")


@pytest.mark.slow
def test_too_few_pictures_and_unknown_edits_are_errors(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes((folder / "cat.jpg").read_bytes())
    few = run("evaluate", "edits", tmp_path, **NO_MODEL)
    assert few.returncode == 2
    assert b"evaluation.too_few" in few.stderr
    unknown = run("evaluate", "edits", "--edits=melt", folder, **NO_MODEL)
    assert unknown.returncode == 2
    assert b"melt" in unknown.stderr
    calibrated = run("calibrate", folder, **NO_MODEL)
    assert calibrated.returncode == 2
    assert b"evaluation.too_few" in calibrated.stderr


@pytest.mark.slow
def test_thresholds_are_written_and_then_obeyed(tmp_path: Path) -> None:
    """Forty parts of photographs, by PDQ alone; the policy of an absurd rate finds nothing."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    sources = [getattr(data, name)()[:400, :400] for name in ("astronaut", "retina", "coffee")]
    for number in range(42):
        rgb = sources[number % 3]
        left, top = number * 7 % 190, number * 37 % 190
        part = np.rot90(rgb[top : top + 200, left : left + 200], number % 2)
        part = np.roll(part, number * 31, axis=(0, 1))
        (folder / f"{number:02}.png").write_bytes(file_bytes(np.ascontiguousarray(part), "PNG"))
    policy, drawn = tmp_path / "policy.json", tmp_path / "tail.svg"
    done = run(
        "calibrate", "--jsonl", "--rate=1e-9", "--write", policy, "--chart", drawn, folder,
        **NO_MODEL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = {record["measure"]: record for record in records(done)}
    assert set(told) == {"pdq", "policy"}
    assert told["pdq"]["extrapolated_decades"] > 5
    written = json.loads(policy.read_text())
    assert written["pdq_edited_bits"] == told["policy"]["policy"]["pdq_edited_bits"] <= 31
    assert drawn.read_text().startswith("<svg")
    policy.write_text('{"pdq_edited_bits": 0, "pdq_same_bits": 0}')
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(file_bytes(sources[0][:200, :200], quality=30))
    original = tmp_path / "original.png"
    original.write_bytes(file_bytes(sources[0][:200, :200], "PNG"))
    typed = ("match", "--jsonl", "--against", original)
    assert run(*typed, copy, **NO_MODEL).returncode == 0
    assert run(*typed, "--policy", policy, copy, **NO_MODEL).returncode == 1
    policy.write_text('{"pdq_edited_bit": 0}')
    refused = run(*typed, "--policy", policy, copy, **NO_MODEL)
    assert refused.returncode == 2
    assert b"pdq_edited_bit" in refused.stderr


def test_recall_beside_float32_counts_what_rounding_loses_and_gains() -> None:
    """Sixty copies of every likeness, counted by hand."""
    rng = np.random.default_rng(3)
    known = [rng.normal(size=(3, 512)).astype(np.float32) for _ in range(60)]
    asked = [
        np.stack([row[1] * share + rng.normal(size=512) for _ in range(2)]).astype(np.float32)
        for row, share in zip(known, np.linspace(0.2, 1.5, 60), strict=True)
    ]
    both = list(zip(asked, known, strict=True))
    best = [max(cosine(left, right) for left in a for right in k) for a, k in both]
    for threshold in (0.3, 0.5, 0.7):
        made = quantised.recall(both, threshold)
        assert made.exact == sum(one >= threshold for one in best)
        assert made.rounded == made.exact - made.lost + made.gained
        assert made.lost + made.gained <= 2, "int8 moves a cosine by a thousandth"


def cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    return float(left @ right / (np.linalg.norm(left) * np.linalg.norm(right)))
