"""Evaluating detectors: by source, with intervals, and confounds before any figure."""

import copy
import csv
import functools
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data
from tests.unit import onnx_made
from tests.unit.test_models import told as model_card

from haechi.cli import main
from haechi.errors import ManifestRefused
from haechi.evaluation import detect
from haechi.evaluation.detect import card as cards
from haechi.evaluation.detect import figures, manifest, page, statistics
from haechi.evaluation.detect.looks import Look, jpeg_quality
from haechi.evaluation.detect.manifest import Item
from haechi.evaluation.detect.measuring import Outcome

LOOK = Look("jpeg", 85.0, 1000, 1.5, 2.0, "0" * 64)


def pictures(
    count: int = 120, *, sources: int = 12, seed: int = 1, shift: float = 1.5
) -> tuple[list[Item], list[Look], list[Outcome]]:
    """Half real, half fakes of two generators; a score that is higher for fakes by `shift`."""
    random = np.random.default_rng(seed)
    items, looks, outcomes = [], [], []
    for number in range(count):
        fake = number % 2 == 1
        kind = "f" if fake else "r"
        items.append(
            Item(
                Path(f"{number}.jpg"), fake, f"{kind}{number // 2 % sources}",
                f"g{number // 2 % 2}" if fake else "", "" if fake else f"set{number // 2 % 2}",
                {"age": ("under 40", "40 and over")[number // 4 % 2]},
            )
        )  # fmt: skip
        looks.append(
            replace(
                LOOK,
                longest_px=int(random.integers(300, 3000)),
                quality=float(random.integers(50, 100)),
            )
        )
        value = random.normal(shift * fake, 1)
        outcomes.append(Outcome(1 / (1 + math.exp(-value)), "inconclusive"))
    return items, looks, outcomes


def test_intervals_go_by_source_and_not_by_picture() -> None:
    """A hundred copies of the same few pictures know no more than those few."""
    values, fake = np.array([0.1, 0.6, 0.4, 0.9, 0.2, 0.8]), np.array([0, 1, 0, 1, 0, 1], bool)
    few = statistics.figure(values, fake, list("abcdef"), draws=300)
    many = statistics.figure(np.tile(values, 50), np.tile(fake, 50), list("abcdef") * 50, draws=300)
    assert few.value == many.value == 1.0
    noisy = np.array([0.1, 0.6, 0.7, 0.9, 0.2, 0.3])
    alone = statistics.figure(noisy, fake, list("abcdef"), draws=300)
    copied = statistics.figure(
        np.tile(noisy, 50), np.tile(fake, 50), list("abcdef") * 50, draws=300
    )
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, abs=0.02)
    split = statistics.figure(
        np.tile(noisy, 50), np.tile(fake, 50), [str(n) for n in range(300)], draws=300
    )
    assert split.high - split.low < (copied.high - copied.low) / 3


def test_the_threshold_of_a_rate_is_kept_by_the_real_pictures() -> None:
    values = np.arange(200) / 200
    fake = np.zeros(200, bool)
    for rate in (0.0, 0.01, 0.05, 0.5):
        least = statistics.threshold(values, fake, rate)
        assert (values >= least).mean() == pytest.approx(rate)
    alike = np.full(200, 0.5)
    assert (alike >= statistics.threshold(alike, fake, 0.05)).mean() == 0
    assert statistics.highest_rate(0, 100) == pytest.approx(0.026, abs=0.002)
    assert statistics.highest_rate(0, 0) == 1.0
    assert statistics.highest_rate(0, page.ENOUGH_REAL) <= cards.WORST_ACCUSED
    assert statistics.highest_rate(0, page.ENOUGH_REAL - 1) > cards.WORST_ACCUSED


def test_the_halves_share_no_source() -> None:
    items, _, _ = pictures()
    halves = detect.halves(items)
    first = {one.source for one, half in zip(items, halves, strict=True) if half}
    second = {one.source for one, half in zip(items, halves, strict=True) if not half}
    assert not first & second
    assert len(first) == len(second) == 12
    assert {name[0] for name in first} == {"r", "f"}


def test_sources_that_share_a_file_become_one() -> None:
    items, _, _ = pictures(12, sources=6)
    digests = [str(number) for number in range(12)]
    digests[2] = digests[0]
    joined, shared = detect.joined(items, digests)
    assert shared == 1
    assert joined[0].source == joined[2].source
    digests[1] = digests[0]
    with pytest.raises(ManifestRefused, match="one file with two labels"):
        detect.joined(items, digests)


def _codes(found: Sequence[detect.Confound]) -> set[str]:
    return {one.code for one in found}


def test_a_set_whose_files_differ_is_named_before_any_figure() -> None:
    items, looks, _ = pictures()
    assert _codes(detect.of_files(items, looks)) == {"source"}
    small = [
        replace(look, longest_px=512 if item.fake else 3000)
        for item, look in zip(items, looks, strict=True)
    ]
    assert "longest_px" in _codes(detect.of_files(items, small))
    png = [
        replace(look, kind="png" if item.fake else "jpeg")
        for item, look in zip(items, looks, strict=True)
    ]
    assert "format" in _codes(detect.of_files(items, png))
    worse = [
        replace(look, quality=60.0 if item.fake else 90.0)
        for item, look in zip(items, looks, strict=True)
    ]
    assert "quality" in _codes(detect.of_files(items, worse))
    one = [replace(item, source="f0") if item.fake else item for item in items]
    assert "few_sources" in _codes(detect.of_files(one, looks))
    both = [replace(item, source=item.source[1:]) for item in items]
    assert detect.of_files(both, looks) == []


def test_a_score_that_tells_two_real_sets_apart_is_named() -> None:
    items, looks, outcomes = pictures()
    honest = [one.score for one in outcomes]
    assert detect.of_real_sets(items, looks, {"m": honest}) == []
    knows = [0.9 if item.collection == "set1" else 0.1 for item in items]
    (found,) = detect.of_real_sets(items, looks, {"m": knows})
    assert found.code == "two_real_sets"
    assert found.strength == 1.0
    assert "it may know sets, and not fakes" in found.words


def test_figures_of_a_system() -> None:
    items, looks, outcomes = pictures(400)
    outcomes[0] = Outcome(None, why="limit.model_no_face")
    outcomes[2] = Outcome(0.99, "made_by_ai")
    told = figures.told(items, looks, outcomes, draws=200)
    assert told["auc"]["low"] < told["auc"]["value"] < told["auc"]["high"]
    assert told["auc"]["value"] == pytest.approx(0.855, abs=0.06)  # of two normals 1.5 apart
    assert told["at"][0]["caught"]["value"] < told["at"][1]["caught"]["value"]
    assert told["abstained"]["why"]["limit.model_no_face"] == 1
    assert told["answers"]["accused"] == 1
    assert told["answers"]["accused_rate"] == pytest.approx(1 / 199)
    assert set(told["parts"]["generator"]) == {"g0", "g1"}
    assert set(told["parts"]["group: age"]) == {"under 40", "40 and over"}
    assert sum(one["real"] for one in told["parts"]["size"].values()) == 199
    assert sum(one["count"] for one in told["calibration"]) == 399
    assert json.loads(json.dumps(told)) == told
    few = figures.told(items[:8], looks[:8], outcomes[:8], draws=50)
    assert all(one["auc"] is None for one in few["parts"]["size"].values())


def made_card(shift: float = 1.5, **changes: object) -> dict[str, Any]:
    """A card of pictures that are as far apart as `shift` says."""
    return copy.deepcopy(_made(shift)) | changes


@functools.cache
def _made(shift: float) -> dict[str, Any]:
    items, looks, outcomes = pictures(200, shift=shift)
    system = figures.told(items, looks, outcomes, draws=60)
    return cards.card(
        manifest_sha256="a" * 64, made_at="2026-11-22", counts={"real": 100, "fake": 100},
        confounds=detect.of_files(items, looks), systems={"fused": system},
        edits={"jpeg": {"fused": figures.after_edit(items, outcomes, 0.5, draws=60)}}, settings={"seed": 1},
    )  # fmt: skip


def test_the_gate_lets_nothing_through_that_is_worse() -> None:
    card = made_card()
    assert cards.gate(card, None) == []
    assert cards.gate(card, cards.read(json.dumps(card).encode())) == []
    worse = cards.gate(made_card(0.5), card)
    assert any(words.startswith("fused: AUC") for words in worse)
    assert any(words.startswith("fused after jpeg: AUC") for words in worse)
    assert cards.gate(card, made_card(0.5)) == []
    other = made_card(manifest_sha256="b" * 64)
    assert "other pictures or settings" in cards.gate(card, other)[0]
    assert "was not evaluated" in cards.gate(card | {"systems": {}}, card)[0]


def test_the_gate_holds_the_promise_about_camera_photographs() -> None:
    """At most one in a hundred real pictures is called made or altered."""
    items, looks, outcomes = pictures(200)
    for row in (0, 2):
        outcomes[row] = Outcome(0.99, "altered")
    system = figures.told(items, looks, outcomes, draws=50)
    (reason,) = cards.gate(made_card(systems={"fused": system}, edits={}), None)
    assert reason.startswith("2 real pictures are called made or altered (2.0%)")


def test_the_page_says_first_what_may_be_wrong() -> None:
    card = made_card()
    card["confounds"][0]["words"] = "<script>alert(1)</script>"
    text = page.html(card, ["a reason"])
    assert "<script>" not in text
    assert text.index("Read this first") < text.index("<h2>fused")
    assert text.index("a reason") < text.index("Read this first")
    assert text.count("<svg") == 2
    assert "That does not show that it is under 1%" in text  # of a hundred real pictures
    assert "95 %" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no picture"),
        ("path,label\na,real\n", "no column source"),
        ("path,label,source\na.jpg,perhaps,s\n", "line 2"),
        ("path,label,source\na.jpg,real,\n", "no source"),
        ("path,label,source\na.jpg,real,s,more\n", "too many cells"),
        (f"path,label,source\na.jpg,real,{'s' * 600}\n", "too long"),
        ("path,label,source\na.jpg,real,s\x00\n", "no text"),
    ],
)
def test_manifests_that_make_no_sense_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text)
    with pytest.raises(ManifestRefused, match=words):
        manifest.read(path)


def test_the_quality_of_a_jpeg_is_read_from_its_tables() -> None:
    for quality in (20, 50, 75, 92):
        encoded = cv2.imencode(".jpg", data.coffee(), [cv2.IMWRITE_JPEG_QUALITY, quality])[
            1
        ].tobytes()
        assert jpeg_quality(encoded) == pytest.approx(quality, abs=1.5)
    assert jpeg_quality(b"\xff\xd8\xff\xdb\xff\xff") is None
    assert jpeg_quality(b"\xff\xd8" + b"\xff\xe1\x00\x02" * 10_000) is None
    assert jpeg_quality(b"") is None


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, a model of brightness, and 60 pictures of which the fakes are brighter."""
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("HAECHI_HOME", str(tmp_path / "home"))
    (tmp_path / "m.onnx").write_bytes(onnx_made.mean_model())
    (tmp_path / "card.json").write_text(json.dumps(model_card()))
    random = np.random.default_rng(2)
    with (tmp_path / "m.csv").open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["path", "label", "source", "generator", "group_light"])
        for number in range(60):
            fake = number % 2 == 1
            level = int(255 * np.clip((0.6 if fake else 0.4) + random.normal(0, 0.05), 0.1, 0.9))
            rgb = random.integers(level - 20, level + 20, (64, 64, 3)).astype(np.uint8)
            quality = int(random.integers(60, 95))
            cv2.imwrite(str(tmp_path / f"{number}.jpg"), rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])
            kind = "f" if fake else "r"
            rows.writerow(
                [
                    f"{number}.jpg",
                    "made" if fake else "camera",
                    f"{kind}{number % 16}",
                    "g" * fake,
                    "x",
                ]
            )
    return tmp_path


@pytest.mark.slow
def test_a_model_is_brought_calibrated_and_evaluated(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way by the command line, with a real ONNX run."""
    assert main(["models", "list"]) == 1
    assert main(["models", "add", str(house / "m.onnx"), "--card", str(house / "card.json")]) == 0
    assert main(["models", "calibrate", "bright", str(house / "m.csv"), "--name", "greys"]) == 0
    assert "ratios from 0.38 to 2.67" in capsys.readouterr().out  # 8 sources of each
    assert main(["models", "list", "--jsonl"]) == 0
    (entry,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert entry["calibration"]["name"] == "greys"
    assert "no source has both" in entry["calibration"]["doubts"][0]
    (house / "last.json").write_text(json.dumps(last_card(house / "m.csv")))
    typed = (
        f"evaluate detect {house}/m.csv --models bright --edits light --each 10 --draws 30 "
        f"--json {house}/card-1.json --card {house}/card.html --against {house}/last.json"
    )
    assert main(typed.split()) == 1
    told = capsys.readouterr().out
    assert told.index("CONFOUND") < told.index("AUC")
    assert "real pictures accused: 0 of 30" in told
    assert "GATE  bright: AUC" in told
    card = json.loads((house / "card-1.json").read_text())
    assert card["systems"]["bright"]["auc"]["value"] > 0.95
    assert card["edits"]["light"]["bright"]["real"] == 10
    assert "<svg" in (house / "card.html").read_text()


def last_card(path: Path) -> dict[str, Any]:
    """A card of the same pictures on which the model was better than any can be."""
    items, looks, outcomes = pictures(40)
    system = figures.told(items, looks, outcomes, draws=20) | {"auc": {"value": 1.5}}
    return cards.card(
        manifest_sha256=manifest.read(path).sha256, made_at="2026-11-01", counts={}, confounds=[],
        systems={"bright": system}, edits={},
        settings={"seed": 1, "draws": 30, "each": 10, "edits": ["light"]},
    )  # fmt: skip
