"""Videos made to break players break nothing, open nothing and take no more than their time.

A hundred mutated files run here; `make hostile` runs 20,000 of every kind (whole.py).
"""

import contextlib
import os
import resource
import struct
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.hostile.corpus import harmed, videos
from tests.unit.videos_made import CONTAINERS, encoded, pan

from haechi import fingerprint
from haechi.errors import BrokenMedia, DecodeTimeout, MediaError, TooManyPixels
from haechi.media import DEFAULT, Kind, Limits, Sandbox, decode, sniff, video

if TYPE_CHECKING:
    from haechi.fingerprint import ImageFingerprint

FILES = 120
BATCH = 40
TIGHT = Limits(pixels=4_000_000, video_pixels=4_000_000, video_job_s=10.0, video_frames=5_000)
SECRET = b"the content of another file"


def corpus(start: int, count: int) -> Iterator[bytes]:
    """Files number start to start + count; each depends on its number alone."""
    return (harmed(number, videos()) for number in range(start, start + count))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(2, TIGHT) as made:
        yield made


def outcome(sandbox: Sandbox, data: bytes) -> str:
    try:
        found: ImageFingerprint = sandbox.run(fingerprint.image, data, limits=TIGHT)
    except MediaError as error:
        return error.code
    assert found.kind.is_video == bool(found.frames)
    times = [frame.seconds for frame in found.frames]
    assert times == sorted(times)
    assert all(0 <= at <= found.seconds + 0.01 for at in times)
    return "seen"


@pytest.mark.parametrize("start", range(0, FILES, BATCH))
def test_mutated_videos_give_a_fingerprint_or_our_error(sandbox: Sandbox, start: int) -> None:
    """No crash and no hang either."""
    files = list(corpus(start, min(BATCH, FILES - start)))
    with ThreadPoolExecutor(2) as threads:
        outcomes = Counter(threads.map(lambda data: outcome(sandbox, data), files))
    assert not outcomes.keys() & {"media.crashed", "media.timeout"}, outcomes


def test_the_seeds_themselves_are_good() -> None:
    kinds = {fingerprint.hashes(data).kind for data in videos()}
    assert kinds == {kind for kind in Kind if kind.is_video} | {Kind.HEIC}


def test_nothing_foreign_is_raised_here_either() -> None:
    outcomes: Counter[str] = Counter()
    for data in corpus(3_000_000, 60):
        try:
            outcomes[str(len(list(video.frames(data, TIGHT))) > 0)] += 1
        except MediaError as error:
            outcomes[error.code] += 1
    assert outcomes["True"] > 5
    assert outcomes["media.broken"] > 2


@pytest.mark.slow
def test_many_videos_leave_no_memory_behind() -> None:
    """A process that opens bad and good files over and over does not grow."""
    files = [*videos(), *corpus(4_000_000, 24)]

    def turn() -> None:
        for data in files:
            with contextlib.suppress(MediaError):
                fingerprint.hashes(data, TIGHT)

    turn()
    turn()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(6):
        turn()
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 40 * 1024


# --- what a file may not reach ---------------------------------------------------------------------


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{address}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{address}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\na=x:{address}\n",
    "dash": '<?xml version="1.0"?><MPD><BaseURL>{address}</BaseURL></MPD>\n',
    "subfile": "subfile,,start,0,end,100,,:{address}\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
@pytest.mark.parametrize(
    "disguise", [b"", b"\0\0\0\x18ftypisom\0\0\0\0isomisom", b"\x1a\x45\xdf\xa3"]
)
def test_a_playlist_that_calls_itself_a_film_opens_nothing(
    name: str, disguise: bytes, tmp_path: Path
) -> None:
    """The file it names is a good film: whoever followed it would show five frames."""
    film = tmp_path / "film.mp4"
    film.write_bytes(encoded(pan(count=5)))
    data = disguise + PLAYLISTS[name].format(address=film).encode()
    with pytest.raises(MediaError) as raised:
        list(video.frames(data))
    assert raised.value.code in {"media.not_media", "media.broken", "media.unsupported"}


def with_reference(film: bytes, path: bytes) -> bytes:
    """The MOV with its data reference pointing at a file outside (ISO 14496-12, 8.7.2)."""
    old = struct.pack(">I4sII4sI", 28, b"dref", 0, 1, b"url ", 0)
    at = film.find(b"dref") - 4
    assert at > 0
    size = int.from_bytes(film[at : at + 4], "big")
    entry_body = bytes(4) + b"file://" + path + b"\0"
    entry = struct.pack(">I4s", 8 + len(entry_body), b"url ") + entry_body
    dref = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    assert len(old) == 24
    grown = len(dref) - size
    out = bytearray(film[:at] + dref + film[at + size :])
    for box in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        place = film.rfind(box, 0, at) - 4
        length = int.from_bytes(out[place : place + 4], "big") + grown
        out[place : place + 4] = length.to_bytes(4, "big")
    return bytes(out)


@pytest.mark.parametrize("form", ["mov", "mp4"])
def test_an_external_data_reference_is_not_followed(form: str, tmp_path: Path) -> None:
    """What it names is a pipe without a writer: whoever opened it would wait for ever."""
    outside = tmp_path / "outside-film.mov"
    hostile = tmp_path / "hostile.bin"
    hostile.write_bytes(with_reference(encoded(pan(count=5), form), bytes(outside)))
    os.mkfifo(outside)
    script = f"""
        import haechi.media.video as video
        from haechi.errors import MediaError
        data = open({str(hostile)!r}, 'rb').read()
        try:
            print(len(list(video.frames(data))))
        except MediaError as error:
            print(error.code)
    """
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=30,  # whoever opens the pipe waits for a writer that never comes
        check=True,
    )
    assert done.stdout.strip() in {"5", "media.broken"}
    assert done.stderr == ""


# --- files that lie ---------------------------------------------------------------------------------


def patched(film: bytes, box: bytes, offset: int, value: bytes) -> bytes:
    at = film.find(box) + 4 + offset
    assert at > 4
    return film[:at] + value + film[at + len(value) :]


def test_a_duration_that_lies_changes_nothing() -> None:
    film = encoded(pan(count=25))
    for value in (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\1"):
        lying = patched(patched(film, b"mvhd", 16, value), b"mdhd", 16, value)
        assert fingerprint.hashes(lying).seconds == pytest.approx(1.0, abs=0.1)


def test_no_frames_is_broken() -> None:
    film = encoded(pan(count=25))
    for box, offset in ((b"stsz", 8), (b"stts", 4), (b"stco", 4)):
        with pytest.raises(MediaError) as raised:
            list(video.frames(patched(film, box, offset, bytes(4))))
        assert raised.value.code in {"media.broken", "media.unsupported"}


def test_a_million_frames_that_are_not_there_cost_little() -> None:
    film = patched(encoded(pan(count=25)), b"stsz", 8, b"\x7f\xff\xff\xff")
    begun = time.process_time()
    with contextlib.suppress(MediaError):
        list(video.frames(film))
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    "value", [b"\xff\xff\xff\xff", b"\x80\0\0\0", b"\x7f\xff\xff\xff", b"\0\1\0\0"]
)
def test_time_stamps_that_jump_run_on(value: bytes) -> None:
    """Negative, missing or centuries apart: the frames are seen, at the usual pace."""
    film = patched(encoded(pan(count=25)), b"stts", 12, value)
    try:
        seen = [shown.seconds for shown in video.frames(film)]
    except MediaError as error:
        assert error.code in {"media.broken", "media.too_many_frames"}  # noqa: PT017
        return
    assert seen == sorted(seen)
    assert seen[-1] < 25 * 61


def test_huge_dimensions_are_refused_before_they_are_decoded() -> None:
    film = encoded(pan(count=3), "avi", codec="rawvideo", pix_fmt="rgb24")
    side = (20_000).to_bytes(4, "little")
    with pytest.raises((TooManyPixels, BrokenMedia)):
        list(video.frames(patched(film, b"strf", 8, side + side)))


@pytest.mark.parametrize("form", CONTAINERS)
def test_a_video_cut_short_shows_what_is_there(form: str) -> None:
    """As players do; where the index was at the end, there is nothing."""
    film = encoded(pan(count=60), form)
    try:
        seen = len(list(video.frames(film[: len(film) * 6 // 10])))
    except MediaError as error:
        assert (form in {"mp4", "mov"}, error.code) == (True, "media.broken")  # noqa: PT017
    else:
        assert 5 < seen < 60


def test_a_cover_picture_is_no_film(tmp_path: Path) -> None:
    """Of a sound file with a picture, and of a film with one."""
    import av  # noqa: PLC0415

    target = tmp_path / "cover.m4a"
    with av.open(str(target), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=48000)
        cover = container.add_stream("mjpeg", rate=1)
        cover.width = cover.height = 96
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate, silence.pts = 48000, 0
        picture = av.VideoFrame.from_ndarray(next(pan()), format="rgb24")
        for stream, frame in ((sound, silence), (cover, picture)):
            for packet in [*stream.encode(frame), *stream.encode()]:
                container.mux(packet)
    with pytest.raises(MediaError) as raised:
        decode(target.read_bytes())
    assert raised.value.code == "media.unsupported"


def test_a_job_on_a_video_has_an_end() -> None:
    film = encoded(pan(count=250, side=256))
    with Sandbox(1, Limits(video_job_s=0.02)) as sandbox, pytest.raises(DecodeTimeout):
        sandbox.run(fingerprint.image, film)


def test_a_film_that_needs_too_much_memory_costs_its_own_answer() -> None:
    big = [np.zeros((4320, 7680, 3), np.uint8)]
    film = encoded(big * 2, codec="mpeg4", form="avi")
    with Sandbox(1, Limits(memory_bytes=700 << 20)) as sandbox:
        with pytest.raises(MediaError):
            sandbox.run(decode, film)
        assert sandbox.run(sniff, film) is Kind.AVI
    assert DEFAULT.video_pixels >= 4320 * 7680
