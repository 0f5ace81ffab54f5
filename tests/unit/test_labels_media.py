"""Labels on films and sounds: on every frame, before every sound, in the tags that others read."""

import contextlib
import io
import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.unit.labelled import (
    exiftool,
    file_of,
    heard,
    platform,
    rustle,
    service,
    slope,
    tags,
    tone,
)
from tests.unit.videos_made import encoded

from haechi.errors import LabelError, LabelRefused, MediaError
from haechi.labels import read, watermark
from haechi.labels.aigc import Level
from haechi.labels.writing import Labelled, label, voice, words
from haechi.labels.writing.carriers import riff
from haechi.labels.writing.xmp import LONGEST_BYTES
from haechi.media import video

FILMS = ("mp4", "mov", "webm", "mkv")
SOUNDS = ("wav", "mp3", "flac", "ogg", "m4a")


def _film(form: str, count: int = 12, height: int = 160) -> bytes:
    moving = np.roll(slope(200, height), 4, axis=1)
    return encoded([np.roll(moving, 2 * turn, axis=1) for turn in range(count)], form)


@pytest.mark.parametrize("form", FILMS)
def test_every_frame_of_a_film_bears_the_text_and_the_file_one_label(form: str) -> None:
    """Others read the key, and the picture beside the text is nearly what it was."""
    data = _film(form)
    made = label(data, service())

    assert json.loads(tags(made.data)["AIGC"])["ProduceID"] == "n-1"
    before = [shown.rgb() for shown in video.frames(data)]
    after = [shown.rgb() for shown in video.frames(made.data)]
    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        apart = np.abs(new.astype(int) - old).max(axis=2) > 60
        down, across = np.argwhere(apart).min(axis=0)
        assert down > 120, "in the lower right corner, and nowhere else"
        assert across > 80
        error = ((new.astype(float) - old)[:110] ** 2).mean()
        assert 10 * np.log10(255**2 / max(error, 1e-9)) > 35


@pytest.mark.parametrize("form", FILMS)
def test_a_labelled_film_is_not_encoded_again(form: str) -> None:
    """The packets of the second are those of the first."""
    first = label(_film(form), service(visible=False))
    second = label(first.data, platform())

    told = json.loads(tags(second.data)["AIGC"])
    assert (told["ContentProducer"], told["ContentPropagator"]) == ("service", "platform")
    assert second.data.count(b"ContentProducer") == 1
    assert _packets(second.data) == _packets(first.data) == _packets(_film(form))


def _packets(data: bytes) -> list[bytes]:
    with video.tracks(data) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_sound_goes_on_and_films_of_old_kinds_become_mp4() -> None:
    """What the container can hold is copied; MP2 from a transport stream is not."""
    made = label(_with_sound("mp4", "aac"), service())
    assert _sound_packets(made.data) == _sound_packets(_with_sound("mp4", "aac"))

    made = label(_with_sound("mpegts", "mp2"), service())
    assert made.media_type == "video/mp4"
    assert 0.9 < len(heard(made.data)) / 48_000 < 1.2
    assert made.marks[0].kind == "visible"


def test_a_trace_id_is_in_every_frame() -> None:
    data = encoded([np.roll(slope(320, 272), 4 * turn, axis=1) for turn in range(3)], "mp4")
    made = label(data, service(trace_id=0xBEEF, watermark_key=b"k" * 32))
    found = watermark.detect_frames((one.rgb() for one in video.frames(made.data)), key=b"k" * 32)
    assert found is not None
    assert found.payload == 0xBEEF


def _with_sound(muxer: str, codec: str) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=muxer) as container:
        film = container.add_stream("libx264", rate=25)
        film.width, film.height, film.pix_fmt = 96, 80, "yuv420p"
        film.codec_context.options = {"preset": "ultrafast"}
        sound = container.add_stream(codec, rate=48_000, layout="mono")
        for number in range(25):
            frame = av.VideoFrame.from_ndarray(np.roll(slope(96, 80), number, 1), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(film.encode(frame))
            wave = (np.sin(np.arange(1920) / 9) * 9_000).astype(np.int16)
            piece = av.AudioFrame.from_ndarray(wave[None], "s16", "mono")
            piece.rate, piece.pts, piece.time_base = 48_000, 1920 * number, Fraction(1, 48_000)
            container.mux(sound.encode(piece))
        container.mux(film.encode(None))
        container.mux(sound.encode(None))
    return out.getvalue()


def _sound_packets(data: bytes) -> list[bytes]:
    with video.tracks(data) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_an_avi_keeps_the_places_of_its_frames() -> None:
    """They are written down in its index: nothing before them may move."""
    data = _film("avi")
    first = label(data, service(visible=False))
    second = label(first.data, platform())
    assert first.data[12 : len(data)] == data[12:]
    assert first.media_type == "video/x-msvideo"
    assert second.data.count(b"ContentProducer") == 1
    assert _packets(second.data) == _packets(data)


@pytest.mark.parametrize("form", SOUNDS)
def test_a_sound_is_announced_and_follows_whole(form: str) -> None:
    """GB 45438, 5.3; lossless kinds stay lossless, tags stay, others read the label."""
    data = tone(form)
    made = label(data, service())

    before, after = heard(data), heard(made.data)
    voice_s = (len(after) - len(before)) / 48_000
    assert 1.5 < voice_s < 5
    assert np.abs(after[:48_000]).max() > 0.05, "it can be heard"
    rest = after[len(after) - len(before) :]
    if form in {"wav", "flac"}:
        assert np.array_equal(rest, before)
    else:
        assert abs(float(np.sqrt((rest**2).mean())) - float(np.sqrt((before**2).mean()))) < 0.01
    told = tags(made.data)
    assert told["TITLE"] == "A title"
    if form != "wav":  # FFmpeg does not show chunks of a WAV that it does not know
        assert json.loads(told["AIGC"])["ContentProducer"] == "service"
    assert [mark.says.value for mark in read(made.data).marks if mark.kind == "aigc"] == [
        "made_by_ai"
    ]


@pytest.mark.parametrize("form", SOUNDS)
def test_a_labelled_sound_keeps_one_label_and_its_samples(form: str) -> None:
    first = label(tone(form), service(visible=False))
    second = label(first.data, platform())
    assert second.data.count(b"ContentProducer") == 1
    assert np.array_equal(heard(second.data), heard(tone(form)))
    assert [mark.kind for mark in second.marks if mark.kind != "iptc"] == ["aigc"]


def test_exiftool_reads_labels_of_films_and_sounds(tmp_path: Path) -> None:
    for form in ("mp4", "mov", "mkv"):
        made = label(_film(form, 2), service(visible=False))
        (tmp_path / f"film.{form}").write_bytes(made.data)
    for form in ("mp3", "flac", "ogg", "m4a"):
        (tmp_path / f"sound.{form}").write_bytes(label(tone(form), service(visible=False)).data)

    told = exiftool(tmp_path, "-r")

    assert len(told) == 7
    for read_ in told:
        assert any("ContentProducer" in json.dumps(text) for text in read_.values()), read_
        assert "ExifTool:Warning" not in read_, read_


def test_recordings_are_spoken_as_fast_as_the_standard_asks() -> None:
    """120 to 160 characters a minute, from the first sound to the last."""
    for level in Level:
        for source in (words.MADE, words.ALTERED):
            wanted = service(level=level)
            if source is words.ALTERED:
                wanted = service(level=level, digital_source_type=_ALTERED)
            spoken, text = voice.before(wanted)
            loud = np.flatnonzero(np.abs(spoken) > 0.015)
            minutes = (loud[-1] - loud[0]) / voice.RATE / 60
            characters = len(re.findall(r"[\u4e00-\u9fff]", text))
            assert 120 <= characters / minutes <= 160, (text, characters / minutes)


_ALTERED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


def test_the_rhythm_is_short_long_short_short() -> None:
    tones = np.abs(voice.rhythm()) > 0.01
    # The tone crosses zero 1,600 times a second; a hole of 5 ms is none.
    filled = np.convolve(tones, np.ones(240), "same") > 0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], filled.astype(int), [0]])))
    lengths = (edges[1::2] - edges[::2]) / voice.RATE
    assert [round(length / lengths[0]) for length in lengths] == [1, 3, 1, 1]
    made = label(tone("wav"), service(rhythm=True))
    assert made.marks[0].detail["text"] == "short-long-short-short"


def test_what_is_heard_is_not_put_before_what_is_seen() -> None:
    """Asked for and left out in silence would look as if it were there."""
    for data in (file_of(slope(120, 96), "PNG"), _film("mp4", 2)):
        with pytest.raises(LabelRefused, match="rhythm is put before sound"):
            label(data, service(rhythm=True))
    for more in ({"visible": False}, {"recording": tone("mp3", 0.5)}):
        with pytest.raises(LabelRefused):
            service(rhythm=True, **more)


def test_an_operators_recording_is_heard_in_its_place() -> None:
    recording = tone("mp3", 0.5)
    made = label(tone("wav"), service(recording=recording))
    assert len(heard(made.data)) - len(heard(tone("wav"))) == pytest.approx(0.9 * 48_000, abs=4_000)
    for bad in (b"no sound", tone("wav", 16.0), b""):
        with pytest.raises(LabelRefused):
            label(tone("wav"), service(recording=bad))


@pytest.mark.parametrize("form", [*SOUNDS, "mp4", "mkv", "avi"])
def test_harmed_sounds_and_films_are_refused_in_our_own_words(form: str) -> None:
    data = tone(form, 0.2) if form in SOUNDS else _film(form, 2, 80)
    whole = bytearray(label(data, service(visible=False)).data)
    random = np.random.default_rng(len(form))
    for _ in range(12):
        harmed = bytearray(whole)
        for place in random.integers(0, min(len(harmed), 3000), 4):
            harmed[place] = random.integers(0, 256)
        for broken in (bytes(harmed), bytes(harmed[: random.integers(1, len(harmed))])):
            with contextlib.suppress(MediaError, LabelError):
                label(broken, platform(visible=False, drop_c2pa=True))


def test_a_file_in_several_pieces_is_refused() -> None:
    """RIFF goes on in a second piece in large AVI files, and their index with it."""
    with pytest.raises(LabelRefused):
        riff.put(_film("avi") + b"RIFF\x04\0\0\0AVIX", b"{}")
    assert LONGEST_BYTES > 65_536


@pytest.mark.slow
@pytest.mark.parametrize("form", ["wav", "ogg"])
def test_a_trace_id_is_in_the_sound(form: str) -> None:
    """Who has the key reads it; a second one is refused; a sound that is too short is told to bear none."""
    wanted = service(trace_id=0xBEEF, watermark_key=KEY)
    made = label(rustle(form, 7.0), wanted)
    assert f"{made.media_type}:sound" in [
        mark.carrier for mark in made.marks if mark.kind == "watermark"
    ]
    assert _traces(made.data) == {"sound": "00000000beef"}
    assert not _traces(made.data, b"another key")
    with pytest.raises(LabelRefused, match="already"):
        label(made.data, replace(wanted, trace_id=1, again=True))
    short = label(rustle(form, 2.0), replace(wanted, visible=False))
    assert (_kinds(short), _why(short)) == (["aigc"], ["watermark.too_short"])


@pytest.mark.slow
@pytest.mark.parametrize(("muxer", "codec"), [("mp4", "aac"), ("webm", "libopus")])
def test_a_trace_id_is_in_the_pictures_and_the_sound_of_a_film(muxer: str, codec: str) -> None:
    """Both lead to the same record, each alone; where sound is too short to mark, one says so."""
    wanted = service(trace_id=0xBEEF, watermark_key=KEY, visible=False)
    made = label(_rustling(muxer, codec, 8.0), wanted)
    assert [mark.carrier.partition(":")[2] for mark in made.marks if mark.kind == "watermark"] == [
        "pixels",
        "sound",
    ]
    assert _traces(made.data) == {"pixels": "00000000beef", "sound": "00000000beef"}
    short = label(_rustling(muxer, codec, 2.0), wanted)
    assert _traces(short.data) == {"pixels": "00000000beef"}
    assert [mark.carrier.partition(":")[2] for mark in short.marks if mark.kind == "watermark"] == [
        "pixels"
    ]
    assert (_why(made), _why(short)) == ([], ["watermark.too_short"])


def test_a_film_too_small_for_the_mark_keeps_its_text() -> None:
    """And one that is not drawn on either is not encoded anew for nothing."""
    wanted = service(trace_id=0xBEEF, watermark_key=KEY)
    made = label(_film("mp4"), wanted)
    assert (_kinds(made), _why(made)) == (["visible", "aigc", "iptc"], ["watermark.too_small"])
    plain = label(_film("mp4"), replace(wanted, visible=False))
    assert (_kinds(plain), _why(plain)) == (["aigc", "iptc"], ["watermark.too_small"])
    assert _packets(plain.data) == _packets(_film("mp4"))


def _packets(data: bytes) -> list[bytes]:
    with av.open(io.BytesIO(data)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def _kinds(made: Labelled) -> list[str]:
    return [mark.kind for mark in made.marks]


def _why(made: Labelled) -> list[str]:
    return [finding.code for finding in made.findings]


KEY = b"k" * 32


def _traces(data: bytes, key: bytes = KEY) -> dict[str, str]:
    marks = read(data, watermark_key=key).marks
    return {mark.carrier: mark.detail["trace_id"] for mark in marks if mark.kind == "watermark"}


def _rustling(muxer: str, codec: str, seconds: float) -> bytes:
    """A film with two pictures a second."""
    out = io.BytesIO()
    random = np.random.default_rng(6)
    with av.open(out, "w", format=muxer) as container:
        film = container.add_stream("libvpx-vp9" if muxer == "webm" else "libx264", rate=2)
        film.width, film.height, film.pix_fmt = 320, 272, "yuv420p"
        sound = container.add_stream(codec, rate=48_000, layout="mono")
        for number in range(round(2 * seconds)):
            frame = av.VideoFrame.from_ndarray(np.roll(slope(320, 272), 8 * number, 1), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 2)
            container.mux(film.encode(frame))
            wave = (random.standard_normal(24_000) * 2_000).astype(np.int16)
            piece = av.AudioFrame.from_ndarray(wave[None], "s16", "mono")
            piece.rate, piece.pts, piece.time_base = 48_000, 24_000 * number, Fraction(1, 48_000)
            container.mux(sound.encode(piece))
        container.mux(film.encode(None))
        container.mux(sound.encode(None))
    return out.getvalue()
