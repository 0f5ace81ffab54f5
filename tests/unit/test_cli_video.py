"""The commands answer for videos."""

from pathlib import Path

import pytest
from tests.unit.pictures_on_disk import records, run
from tests.unit.videos_made import encoded, pan

from haechi.formats import vpdq


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("videos")
    (made / "whole.mp4").write_bytes(encoded(pan(count=250, side=160)))
    (made / "clip.webm").write_bytes(encoded(pan(start=83, count=100, side=128), "webm"))
    (made / "other.mkv").write_bytes(encoded(pan(count=60, photo="coffee"), "mkv"))
    (made / "broken.mp4").write_bytes(encoded(pan(count=10))[:400])
    return made


def test_hash_tells_of_a_video(folder: Path) -> None:
    done = run("hash", "--jsonl", folder)
    assert done.returncode == 2
    broken, clip, other, whole = records(done)
    assert broken["error"] == "media.broken"
    assert (clip["type"], clip["seconds"], clip["frames"]) == ("video/webm", 4.0, 8)
    assert len(whole["pdq"]) == 64
    assert (other["type"], other["pdq_quality"] > 50) == ("video/x-matroska", True)
    assert "vpdq" not in whole


@pytest.mark.parametrize("order", ["cpp", "python"])
def test_hash_gives_vpdq(folder: Path, order: str) -> None:
    (whole,) = records(run("hash", "--jsonl", "--vpdq", order, folder / "whole.mp4"))
    read = vpdq.read("\n".join(whole["vpdq"]))
    assert len(read) == whole["frames"] == 20
    assert read[0].pdq.hex == whole["pdq"]
    assert len(whole["vpdq"][0].split(",")) == (4 if order == "cpp" else 3)


def test_compare_says_where_a_clip_lies(folder: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.png"
    done = run("compare", "--jsonl", folder / "clip.webm", folder / "whole.mp4", "--picture", drawn)
    assert (done.returncode, drawn.stat().st_size > 1000) == (0, True)
    (answer,) = records(done)
    assert answer["verdict"] == "edited_copy"
    assert answer["clip"]["known_from_s"] == pytest.approx(83 / 25, abs=0.3)
    assert answer["clip"]["share"] > 0.7
    assert answer["alignment"] is not None
    done = run("compare", folder / "whole.mp4", folder / "clip.webm")
    assert b"clip        a from 3" in done.stdout
    # Their key frames show different moments: how far those are apart says nothing.
    [line] = [line for line in done.stdout.decode().splitlines() if line.startswith("pdq  ")]
    frames, bits = answer["clip_frames"], answer["clip_bits"]
    assert frames > 2
    assert bits <= 31
    assert line.startswith("pdq         ")
    assert "frames are alike" in line
    assert "of 256 bits differ in the median" in line
    strangers = run("compare", folder / "whole.mp4", folder / "other.mkv")
    assert strangers.returncode == 1
    assert b"pdq         no run of frames is alike" in strangers.stdout


def test_match_takes_videos(folder: Path) -> None:
    done = run("match", "--jsonl", "--against", folder / "whole.mp4", folder / "clip.webm")
    (answer,) = records(done)
    assert (done.returncode, answer["hits"][0]["verdict"]) == (0, "edited_copy")
    clip = answer["hits"][0].get("clip")
    if clip is not None:
        assert clip["known_from_s"] - clip["from_s"] == pytest.approx(83 / 25, abs=0.3)
