"""C2PA around labels, checked by its own reader; and the command that does it all."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from skimage import data as shipped
from tests.unit.labelled import (
    actions,
    claims,
    file_of,
    platform,
    recorded,
    rustle,
    service,
    slope,
    tone,
)
from tests.unit.pictures_on_disk import records, run
from tests.unit.videos_made import encoded

from haechi.cli import inspecting, labelling
from haechi.errors import LabelRefused, SigningFailed
from haechi.labels import read, watermark
from haechi.labels.aigc import Level
from haechi.labels.mark import Trust
from haechi.labels.writing import MADE, SOFT_BINDING, Signer, label
from haechi.labels.writing.trying import make
from haechi.media import decode

NOW = dt.datetime.now(dt.UTC)  # noqa: TID251 - c2pa checks certificates by the real clock
TRIAL = make(NOW)
SIGNER = Signer(TRIAL.chain, TRIAL.key)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF"])
def test_c2pa_says_who_made_it_and_the_chain_is_not_cut(form: str) -> None:
    """Valid to anybody, trusted by who was given the root; a platform adds itself."""
    first = label(file_of(slope(120, 96), form), service(signer=SIGNER))

    state, told = claims(first.data, first.media_type)
    assert state == "Valid"
    assert claims(first.data, first.media_type, TRIAL.root)[0] == "Trusted"
    created = actions(told)[0]
    assert (created["action"], created["digitalSourceType"]) == ("c2pa.created", MADE)
    assert "c2pa.addedText" in [action["action"] for action in actions(told)]

    second = label(first.data, platform(signer=SIGNER))
    state, told = claims(second.data, second.media_type)
    assert state == "Valid"
    assert len(told["manifests"]) == 2
    opened = actions(told)[0]
    assert opened["action"] == "c2pa.opened"
    assert not [action for action in actions(told) if "digitalSourceType" in action]
    assert second.data.count(b"ContentProducer") == 1


@pytest.mark.parametrize("form", ["mp4", "mov", "avi", "wav", "mp3", "flac", "m4a"])
def test_films_and_sounds_are_signed_too(form: str) -> None:
    film = form in {"mp4", "mov", "avi"}
    data = encoded([slope(96, 80)] * 3, form) if film else tone(form, 0.3)
    made = label(data, service(signer=SIGNER, visible=False))
    assert claims(made.data, made.media_type, TRIAL.root)[0] == "Trusted"
    trust = {mark.kind: mark.trust for mark in read(made.data, trust_anchors=TRIAL.root).marks}
    assert trust["c2pa"] is Trust.TRUSTED


def test_no_thumbnail_is_in_the_manifest() -> None:
    """It would be the intimate picture once more; nor of the file before its label."""
    first = label(file_of(slope(600, 400), "JPEG"), service(signer=SIGNER))
    second = label(first.data, platform(signer=SIGNER))
    for made in (first, second):
        _, told = claims(made.data, made.media_type)
        assert "thumbnail" not in json.dumps(told)
        assert b"c2pa.thumbnail" not in made.data


def test_a_changed_pixel_is_told() -> None:
    """That the reader would notice; else nothing above says anything."""
    made = label(file_of(slope(120, 96), "PNG"), service(signer=SIGNER))
    at = made.data.rindex(b"IDAT") + 20
    changed = made.data[:at] + bytes([made.data[at] ^ 1]) + made.data[at + 1 :]
    assert claims(changed, made.media_type)[0] == "Invalid"


def test_a_signed_file_is_not_broken_in_silence() -> None:
    """Without a certificate it is refused, or loses its manifest if that is asked for."""
    first = label(file_of(slope(120, 96), "JPEG"), service(signer=SIGNER))
    with pytest.raises(LabelRefused, match="signature"):
        label(first.data, platform())
    second = label(first.data, platform(drop_c2pa=True))
    assert b"c2pa" not in second.data
    assert np.array_equal(decode(second.data).rgb, decode(first.data).rgb)


def test_what_does_not_sign_says_so_and_shows_no_key() -> None:
    other = make(NOW)
    data = file_of(slope(120, 96), "PNG")
    with pytest.raises(SigningFailed):
        label(data, service(signer=Signer(TRIAL.chain, "no key")))
    with pytest.raises(SigningFailed):
        label(data, service(signer=Signer(TRIAL.chain, other.key)))
    made = label(encoded([slope(96, 80)], "mkv"), service(signer=SIGNER, visible=False))
    assert [mark.kind for mark in made.marks] == ["aigc"], "C2PA has no way for this kind"
    assert "PRIVATE" not in repr(service(signer=SIGNER))


def test_a_platform_that_only_suspects_claims_no_creation() -> None:
    made = label(file_of(slope(120, 96), "PNG"), platform(signer=SIGNER, level=Level.SUSPECTED))
    _, told = claims(made.data, made.media_type)
    assert actions(told)[0]["action"] == "c2pa.opened"
    assert [mark.says.value for mark in made.marks if mark.kind == "c2pa"] == ["suspected_ai"]


def test_the_watermark_is_in_the_pixels_and_bound_to_the_claim() -> None:
    """Where metadata was stripped, the id in the pixels leads back to it."""
    key, trace = b"k" * 32, 0x1234_5678_9ABC
    data = file_of(slope(400, 300), "JPEG", quality=92)

    made = label(data, service(trace_id=trace, watermark_key=key, signer=SIGNER))

    found = watermark.detect(decode(made.data).rgb, key=key)
    assert found is not None
    assert found.payload == trace
    state, told = claims(made.data, made.media_type)
    assert state == "Valid"
    assert "c2pa.watermarked.bound" in [action["action"] for action in actions(told)]
    manifest = told["manifests"][told["active_manifest"]]
    bound = next(one["data"] for one in manifest["assertions"] if "soft-binding" in one["label"])
    assert (bound["alg"], bound["blocks"][0]["value"]) == (SOFT_BINDING, f"{trace:x}")
    assert {"watermark", "visible"} <= {mark.kind for mark in made.marks}
    # Nothing is drawn or embedded a second time, and not if that is asked for, either.
    again = label(made.data, platform(trace_id=1, watermark_key=key, drop_c2pa=True))
    assert [mark.kind for mark in again.marks] == ["aigc"]
    assert [finding.code for finding in again.findings] == ["watermark.labelled_already"]
    with pytest.raises(LabelRefused, match="trace id"):
        label(made.data, platform(trace_id=1, watermark_key=key, drop_c2pa=True, again=True))


def test_the_mark_in_a_sound_is_bound_to_the_claim_too() -> None:
    wanted = service(signer=SIGNER, trace_id=0xBEEF, watermark_key=b"k" * 32, visible=False)
    made = label(rustle("wav", 6.5), wanted)
    state, told = claims(made.data, made.media_type, TRIAL.root)
    assert state == "Trusted"
    assert "c2pa.watermarked.bound" in [action["action"] for action in actions(told)]
    manifest = told["manifests"][told["active_manifest"]]
    bound = next(one["data"] for one in manifest["assertions"] if "soft-binding" in one["label"])
    assert bound["blocks"][0]["value"] == "00000000beef"


def test_silence_is_told_to_bear_no_mark_and_nothing_is_bound_to_it() -> None:
    """What was written is read again: a mark that no reader finds is none, in C2PA either."""
    wanted = service(signer=SIGNER, trace_id=0xBEEF, watermark_key=b"k" * 32, visible=False)
    made = label(recorded(np.zeros(48_000 * 7), "wav", 48_000), wanted)
    assert [finding.code for finding in made.findings] == ["watermark.unreadable_sound"]
    assert [mark.kind for mark in made.marks] == ["aigc", "c2pa"]
    _, told = claims(made.data, made.media_type)
    assert "c2pa.watermarked.bound" not in [action["action"] for action in actions(told)]


def test_a_picture_that_is_all_texture_is_told_to_bear_no_mark() -> None:
    """The photograph of grass leaves the mark too little at 40 dB."""
    grass = file_of(np.stack([shipped.grass()] * 3, axis=-1), "PNG")
    made = label(grass, service(trace_id=0xBEEF, watermark_key=b"k" * 32, visible=False))
    assert [finding.code for finding in made.findings] == ["watermark.unreadable_picture"]
    assert not made.watermarked
    assert not [m for m in read(made.data, watermark_key=b"k" * 32).marks if m.kind == "watermark"]


def test_what_is_too_small_for_a_watermark_is_told() -> None:
    made = label(file_of(slope(200, 200), "PNG"), service(trace_id=1, watermark_key=b"k" * 32))
    assert [finding.code for finding in made.findings] == ["watermark.too_small"]
    assert [mark.kind for mark in made.marks] == ["visible", "aigc", "iptc"]
    with pytest.raises(LabelRefused, match="key"):
        service(trace_id=1)


@pytest.mark.slow
def test_the_command_labels_signs_and_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(file_of(slope(120, 96), "PNG"))
    (tmp_path / "b.bmp").write_bytes(file_of(slope(120, 96), "BMP"))
    (tmp_path / "c.wav").write_bytes(tone("wav", 0.2))
    (tmp_path / "d.txt").write_text("no media")
    (tmp_path / "e.png").write_bytes(file_of(slope(120, 96), "PNG"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "e.png").write_text("somebody's")
    typed = ["--out", "out", "--producer", "service", "--jsonl", "--try-certificate", "trial"]

    done = run("label", "a.png", "b.bmp", "c.wav", "d.txt", "e.png", *typed, cwd=tmp_path)

    assert done.returncode == 2, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(one["out"]).name for one in told[:3]] == ["a.png", "b.png", "c.wav"]
    assert [one["error"] for one in told[3:]] == ["media.not_media", "file.exists"]
    assert (tmp_path / "out" / "e.png").read_text() == "somebody's"
    root = (tmp_path / "trial" / "trial-root.pem").read_text()
    for one in told[:3]:
        data = (tmp_path / one["out"]).read_bytes()
        assert claims(data, one["type"], root)[0] == "Trusted"
    assert (tmp_path / "trial" / "trial-key.pem").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_the_command_says_which_file_bears_the_trace_id(tmp_path: Path) -> None:
    """Typed without its zeros, read with them; where it could not be placed the exit code is 1."""
    key = {"HAECHI_WATERMARK_KEY": "6b" * 32}
    (tmp_path / "a.png").write_bytes(file_of(slope(320, 272), "PNG"))
    (tmp_path / "b.wav").write_bytes(recorded(np.zeros(48_000 * 7), "wav", 48_000))
    typed = [
        "label",
        "a.png",
        "b.wav",
        "--producer",
        "service",
        "--no-visible",
        "--trace-id",
        "beef",
    ]

    done = run(*typed, "--out", "out", "--jsonl", cwd=tmp_path, **key)
    assert done.returncode == 1, done.stderr
    first, second = records(done)
    assert (first["watermark"], first["findings"]) == ("placed", [])
    assert first["marks"][0]["detail"]["trace_id"] == "00000000beef"
    assert second["watermark"] == "not_placed"
    (finding,) = second["findings"]
    assert finding["code"] == "watermark.unreadable_sound"

    people = [line for (line,) in list(labelling._line(second))[1:]]
    assert people == ["  watermark: not placed", f"  {finding['words']}"]
    (row,) = labelling._row(second)
    assert row[-2:] == ["not_placed", "watermark.unreadable_sound"]
    (row,) = inspecting._rows({"marks": first["marks"][:1]})
    assert dict(zip(inspecting.COLUMNS, row, strict=True))["trace_id"] == "00000000beef"
