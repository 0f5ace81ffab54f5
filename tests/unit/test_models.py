"""Models that an operator brings: only ONNX, only as its card says, and no score before calibration."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data
from tests.unit import onnx_made

from haechi.errors import (
    CalibrationRefused,
    ModelFailed,
    ModelRefused,
    ModelUnknown,
    NothingToShow,
)
from haechi.forensics import State, Strength, Toward, fuse
from haechi.forensics.models import (
    Calibration,
    Card,
    OnnxDetector,
    Question,
    Registry,
    auc,
    calibrate,
    detector,
    published,
)
from haechi.forensics.models import card as cards
from haechi.forensics.models.card import Budget, Output, View
from haechi.forensics.models.prepare import numbers, shown
from haechi.forensics.words import WORDS, say
from haechi.media.faces import Face

pytest.importorskip("onnxruntime")

type Told = dict[str, Any]


def told(**changes: object) -> Told:
    """The plain values of a card for `onnx_made.mean_model`: bright pictures are "fake"."""
    made: Told = {
        "format": "haechi-model-card/1",
        "id": "bright",
        "name": "Brightness",
        "question": "whole_image",
        "toward": "made",
        "says": "Bright pictures are made.",
        "licence": {"name": "none", "url": "", "commercial": True},
        "source": {"paper": "", "code": "", "commit": "", "files": []},
        "input": {
            "layout": "NCHW",
            "colour": "RGB",
            "scale": 1 / 255,
            "mean": [0, 0, 0],
            "std": [1, 1, 1],
        },
        "view": {"what": "image", "fit": "squeeze", "width": 64, "height": 64},
        "output": {"name": "score", "activation": "sigmoid", "index": 0, "fake": "high"},
    }
    return made | changes


@pytest.fixture
def brought(tmp_path: Path) -> Callable[..., Path]:
    """A file as an operator brings it."""

    def bring(content: bytes | None = None) -> Path:
        path = tmp_path / "brought.onnx"
        path.write_bytes(onnx_made.mean_model() if content is None else content)
        return path

    return bring


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def grey(value: int, side: int = 80) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.full((side, side, 3), value, np.uint8)


def test_a_model_is_added_tested_and_asked(
    registry: Registry, brought: Callable[..., Path]
) -> None:
    kept = registry.add(brought(), Card.from_json(told()))
    assert kept.sha256 is not None
    assert [entry.id for entry in registry.entries()] == ["bright"]
    with registry.open("bright") as model:
        assert model.score(grey(200)).score > 0.99
        assert model.score(grey(50)).score < 0.01
        (signal,) = model.signals(grey(200), ())
    assert signal.id == "models.whole_image.bright"
    assert (signal.likelihood_ratio, signal.calibration) == (None, None)
    assert "limit.model_uncalibrated" in signal.limits
    assert fuse.fuse([signal] * 5).because == ()  # shown and never counted
    with pytest.raises(ModelRefused, match="--replace"):
        registry.add(brought(), Card.from_json(told()))
    registry.remove("bright")
    assert registry.entries() == []
    with pytest.raises(ModelUnknown):
        registry.open("bright")


def test_which_output_and_which_sign_mean_fake_is_on_the_card() -> None:
    """MesoNet's 1 means real; a softmax has its fake at 0 or at 1."""
    two = np.array([[0.0, 2.0]], np.float32)
    assert detector._score(Output("softmax", 1, "high"), two) == pytest.approx(0.8808, abs=1e-4)
    assert detector._score(Output("softmax", 0, "high"), two) == pytest.approx(0.1192, abs=1e-4)
    assert detector._score(Output("softmax", 1, "low"), two) == pytest.approx(0.1192, abs=1e-4)
    assert detector._score(Output("none", 0, "low"), np.float32([[0.9]])) == pytest.approx(0.1)
    assert detector._score(Output("sigmoid", 0, "high"), np.float32([-9000.0])) < 1e-9
    with pytest.raises(ModelFailed, match="2 numbers"):
        detector._score(Output("sigmoid", 7, "high"), two)
    for nonsense in (2.0, -1.0, np.nan, np.inf):
        with pytest.raises(ModelFailed, match="no score from 0 to 1"):
            detector._score(Output("none", 0, "high"), np.float32([nonsense]))


def test_a_map_becomes_a_small_picture(brought: Callable[..., Path]) -> None:
    path = brought()
    card = replace(
        Card.from_json(told()), sha256=_digest(path), view=View("image", "whole"),
        heat=Output("none", 0, "high", "map"), question=Question.EDIT_LOCALISATION,
    )  # fmt: skip
    rgb = grey(20, 600)
    rgb[:300, :300] = 240
    with OnnxDetector(card, path) as model:
        (signal,) = model.signals(rgb, ())
        (large,) = model.signals(np.zeros((2001, 2000, 3), np.uint8), ())
    assert signal.heat is not None
    heat = cv2.imdecode(np.frombuffer(signal.heat, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert heat.shape == (256, 256)
    assert heat[20, 20] > 200 > 60 > heat[200, 200]
    assert (large.state, large.limits) == (State.OFF, ("limit.model_too_large",))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 a checkpoint of PyTorch", "PyTorch archive"),
        (b"\x80\x04\x95 a pickle", "Python pickle"),
        (b"no model at all", "cannot load it"),
        (onnx_made.mean_model(zero_from="../secret"), "lies in another file"),
    ],
)
def test_only_onnx_is_taken(
    registry: Registry, brought: Callable[..., Path], content: bytes, words: str
) -> None:
    with pytest.raises(ModelRefused, match=words):
        registry.add(brought(content), Card.from_json(told()))
    assert registry.entries() == []


def test_another_file_than_the_pinned_one_is_not_run(
    registry: Registry, brought: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(ModelRefused, match="SHA-256"):
        registry.add(brought(), Card.from_json(told(sha256="0" * 64)))
    registry.add(brought(), Card.from_json(told()))
    (tmp_path / "models/bright/model.onnx").write_bytes(onnx_made.mean_model(gain=-20))
    with pytest.raises(ModelRefused, match="SHA-256"):
        registry.open("bright")
    with registry.detectors() as (working, faults):
        assert working == []
        assert "SHA-256" in faults[0]


def test_the_self_test_finds_the_wrong_output_and_a_changed_card(
    registry: Registry, brought: Callable[..., Path], tmp_path: Path
) -> None:
    alike = told(output={"name": "score", "activation": "none", "index": 0, "fake": "high"})
    with pytest.raises(ModelRefused, match="the same for all pictures"):
        registry.add(brought(onnx_made.mean_model(gain=0.0)), Card.from_json(alike))
    wrong = told(probes=[{"picture": "grey", "low": 0.9}])
    with pytest.raises(ModelRefused, match=r"0\.9 to 1"):
        registry.add(brought(onnx_made.mean_model(zero=0.8)), Card.from_json(wrong))
    kept = registry.add(brought(onnx_made.mean_model(zero=0.3)), Card.from_json(told()))
    other = replace(kept, output=replace(kept.output, fake="low"))
    (tmp_path / "models/bright/card.json").write_text(json.dumps(other.to_json()))
    with pytest.raises(ModelRefused, match="when it was added"):
        registry.open("bright")


def test_a_model_that_takes_too_long_is_ended_and_started_anew(
    brought: Callable[..., Path],
) -> None:
    path = brought(onnx_made.endless_model())
    card = replace(Card.from_json(told()), sha256=_digest(path), budget=Budget(seconds=0.2))
    with OnnxDetector(card, path) as model:
        with pytest.raises(ModelFailed, match=r"longer than 0\.2 s"):
            model.score(grey(9))
        (signal,) = model.signals(grey(9), ())
    assert (signal.state, signal.limits) == (State.OFF, ("limit.model_failed",))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "../etc"}, "id"),
        ({"question": "weather"}, "question"),
        ({"toward": "camera"}, "toward"),
        ({"question": "voice"}, "no loader yet"),
        ({"view": {"what": "image", "fit": "squeeze"}}, "width and height"),
        ({"view": {"what": "face", "fit": "whole"}}, "cut out of a picture"),
        (
            {"view": {"what": "face", "fit": "cut", "width": 9, "height": 9, "crop": "aligned"}},
            "five places",
        ),
        ({"input": {"layout": "NCHW"}}, "input"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_cards_that_make_no_sense_are_refused(changes: Told, words: str) -> None:
    with pytest.raises(ModelRefused, match=words):
        Card.from_json(told(**changes))


def test_hostile_cards_are_refused() -> None:
    nan = json.dumps(told(budget={"seconds": float("nan")})).encode()
    for text in (nan, b"[" * 100_000, b"\xff\xfe", b"{}", b"7", b" " * (cards.LONGEST + 1)):
        with pytest.raises(ModelRefused):
            Card.from_text(text)
    assert b"NaN" in nan


def test_the_published_cards_are_whole_and_say_what_was_not_checked() -> None:
    found = published()
    wanted = ("effort", "sbi-", "co-spy", "fsd", "universalfakedetect", "npr", "trufor")
    for start in wanted:
        assert any(name.startswith(start) for name in found), start
    for name, card in found.items():
        assert Card.from_json(card.to_json()) == card, name
        assert card.sha256 is None, name
        assert card.not_checked, name
        assert card.source.files, name
        assert len(card.source.commit) == 40, name
        assert card.fails, name
    assert found["trufor"].input.scale == pytest.approx(1 / 256)


def test_every_word_that_a_signal_needs_is_there() -> None:
    for question in Question:
        for word in ("shown", "speaks", "silent"):
            told = say(f"models.{question.value}.{word}", {"model": "M", "score": "0.50"})
            assert "M" in told
            assert "%" not in told
    assert "limit.model_no_face" in WORDS


def test_a_picture_is_cut_and_shrunk_as_torchvision_does() -> None:
    """Against Pillow and plain slicing; the numbers of a made picture were worked out by hand."""
    rgb = data.coffee()  # 400 x 600
    card = Card.from_json(
        told(
            view={
                "what": "image",
                "fit": "shorter_side",
                "shorter_side": 256,
                "width": 224,
                "height": 224,
            }
        )
    )
    ((seen, face),) = shown(card, rgb, ())
    small = np.asarray(Image.fromarray(rgb).resize((384, 256), Image.Resampling.BILINEAR))
    assert face is None
    assert (seen == small[16:240, 80:304]).all()

    cut = Card.from_json(told(view={"what": "image", "fit": "cut", "width": 224, "height": 224}))
    ((seen, _),) = shown(cut, rgb[:100, :100], ())
    assert seen.shape == (224, 224, 3)
    assert (seen[62:162, 62:162] == rgb[:100, :100]).all()
    assert seen[61].max() == 0

    made = numbers(replace(card.input, mean=(0.5, 0.5, 0.5), std=(0.5, 0.25, 0.1)), grey(51, 2))
    assert made.shape == (1, 3, 2, 2)
    assert made[0, :, 0, 0] == pytest.approx([-0.6, -1.2, -3.0], abs=1e-6)
    bgr = numbers(replace(card.input, colour="BGR", layout="NHWC", scale=1.0), rgb[:1, :1])
    assert bgr[0, 0, 0].tolist() == rgb[0, 0, ::-1].tolist()


def test_faces_are_cut_with_their_margin_or_laid_on_the_template() -> None:
    rgb = np.zeros((200, 400, 3), np.uint8)
    rgb[50:150, 100:200] = 255
    box = Face(0.25, 0.25, 0.25, 0.5, 1.0)
    card = Card.from_json(
        told(
            view={
                "what": "face", "fit": "squeeze", "width": 50, "height": 50,
                "margin": [0.125, 0.125, 0.125, 0.125], "which": "half_of_largest", "least_px": 40,
            }
        )
    )  # fmt: skip
    ((seen, face),) = shown(card, rgb, [box, Face(0.8, 0.8, 0.05, 0.05, 1.0)])
    assert face == box
    white = float((seen[:, :, 0] > 127).mean())
    assert white == pytest.approx((100 / 125) ** 2, abs=0.05)
    with pytest.raises(NothingToShow, match="no_face"):
        shown(card, rgb, [])
    with pytest.raises(NothingToShow, match="too_small"):
        shown(card, rgb, [Face(0.8, 0.8, 0.05, 0.05, 1.0)])

    template = published()["effort-face"].view.template
    aligned = replace(card, view=published()["effort-face"].view)
    astronaut = data.astronaut()
    turned = np.rot90(astronaut).copy()
    eyes = ((0.403, 0.201), (0.487, 0.206), (0.444, 0.255), (0.399, 0.277), (0.483, 0.281))
    lying = tuple((y, 1 - x) for x, y in eyes)
    ((upright, _),) = shown(aligned, astronaut, [Face(0.35, 0.12, 0.17, 0.22, 1.0, eyes)])
    ((again, _),) = shown(aligned, turned, [Face(0.12, 0.48, 0.22, 0.17, 1.0, lying)])
    assert upright.shape == (224, 224, 3)
    assert np.corrcoef(upright.ravel(), again.ravel())[0, 1] > 0.97  # the same face, however it lay
    itself = replace(card, view=replace(aligned.view, width=512, height=512))
    ((same, _),) = shown(itself, astronaut, [Face(0, 0, 1, 1, 1.0, template)])
    assert np.abs(same.astype(int) - astronaut).mean() < 1  # already where it should be


def known(
    count: int = 60, sources: int = 12, seed: int = 3
) -> tuple[list[float], list[bool], list[str]]:
    """Scores of real pictures about 0.3 and made ones about 0.7, from as many sources each."""
    random = np.random.default_rng(seed)
    real, fake = random.beta(3, 7, count), random.beta(7, 3, count)
    names = [f"r{n % sources}" for n in range(count)] + [f"f{n % sources}" for n in range(count)]
    return [*real.tolist(), *fake.tolist()], [False] * count + [True] * count, names


def calibrated(scores: list[float], fake: list[bool], sources: list[str]) -> Calibration:
    return calibrate(scores, fake, sources, name="here", behaviour="b", made_at="2026-11-22")


def test_a_calibration_says_no_more_than_its_sources_bear() -> None:
    found = calibrated(*known())
    ratios = [found.ratio(score) for score in (0.02, 0.3, 0.5, 0.7, 0.98)]
    assert ratios == sorted(ratios)
    assert ratios[1] < 1 < ratios[3]
    assert ratios[-1] == 12 / 3  # the rule of three
    assert ratios[0] == 3 / 12
    assert Strength.of(found.ratio(1.0)) is Strength.WEAK
    assert found.auc > 0.9
    assert found.misleading < 0.3
    assert Calibration.from_text(json.dumps(found.to_json()).encode()) == found


def test_what_cannot_be_calibrated_is_refused() -> None:
    scores, fake, sources = known()
    with pytest.raises(CalibrationRefused, match="wrong way round"):
        calibrated([1 - one for one in scores], fake, sources)
    with pytest.raises(CalibrationRefused, match="no better than chance"):
        calibrated(np.random.default_rng(1).random(len(scores)).tolist(), fake, sources)
    with pytest.raises(CalibrationRefused, match="from 3 sources"):
        calibrated(*known(sources=3))
    with pytest.raises(CalibrationRefused, match="at least 30"):
        calibrated(*known(count=20))


def test_ratios_come_from_other_sources_than_those_they_are_judged_on() -> None:
    """Every source has a tone of its own that says nothing: a fit that had seen them would look good."""
    random = np.random.default_rng(5)
    scores, fake, sources = [], [], []
    for number in range(24):
        tone = random.random()
        for _ in range(10):
            scores.append(min(1.0, max(0.0, tone + random.normal(0, 0.001))))
            fake.append(number % 2 == 0)
            sources.append(f"s{number}")
    with pytest.raises(CalibrationRefused):
        calibrated(scores, fake, sources)


def test_a_calibrated_score_counts_and_another_card_ends_it(
    registry: Registry, brought: Callable[..., Path]
) -> None:
    kept = registry.add(brought(), Card.from_json(told()))
    scores, fake, sources = known()
    registry.calibrate(
        calibrate(
            scores, fake, sources, name="here", behaviour=kept.behaviour, made_at="2026-11-22"
        ),
        "bright",
    )
    with registry.open("bright") as model:
        (signal,) = model.signals(grey(200), ())
        (quiet,) = model.signals(grey(50), ())
    assert signal.calibration == "here"
    assert signal.likelihood_ratio == 4.0
    assert fuse.together([signal, quiet], Toward.MADE) == pytest.approx(4.0)
    assert quiet.state is State.SILENT
    with pytest.raises(ModelRefused, match="another file or another card"):
        registry.calibrate(calibrated(scores, fake, sources), "bright")
    registry.add(brought(onnx_made.mean_model(gain=21)), Card.from_json(told()), replace_it=True)
    assert registry.entries()[0].calibration is None


def test_auc_counts_ties_half() -> None:
    labels = np.array([False, False, True, True])
    assert auc(np.array([0.1, 0.2, 0.3, 0.4]), labels) == 1.0
    assert auc(np.array([0.1, 0.3, 0.3, 0.4]), labels) == 0.875
    assert auc(np.array([1.0, 1.0, 1.0, 1.0]), labels) == 0.5


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
