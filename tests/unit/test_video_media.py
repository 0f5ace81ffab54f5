"""Videos and HEIC are shown as a viewer would show them."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from skimage import data as shipped
from tests.unit.videos_made import CONTAINERS, encoded, heic, pan

from haechi.errors import TooManyBytes, TooManyFrames, TooManyPixels, UnsupportedMedia
from haechi.fingerprint import pdq
from haechi.fingerprint.video import samples
from haechi.media import Kind, Limits, Sandbox, decode, preview, sniff, video

KINDS = {
    "mp4": Kind.MP4,
    "mov": Kind.MOV,
    "webm": Kind.WEBM,
    "mkv": Kind.MKV,
    "avi": Kind.AVI,
    "ts": Kind.MPEGTS,
}


def apart(left: object, right: object) -> float:
    return float(np.abs(np.asarray(left, float) - np.asarray(right, float)).mean())


@pytest.mark.parametrize("form", CONTAINERS)
def test_every_container_gives_its_frames(form: str) -> None:
    made = encoded(pan(count=30), form)
    assert sniff(made) is KINDS[form]
    seen = list(video.frames(made))
    assert len(seen) == 30
    assert seen[0].seconds == 0
    assert seen[-1].seconds == pytest.approx(29 / 25, abs=0.05)
    for number, picture in zip((0, 29), (next(pan()), next(pan(start=29))), strict=True):
        assert apart(seen[number].rgb(), picture) < 16
    assert decode(made).rgb.shape == (96, 96, 3)


def test_the_thrifty_way_shows_the_same_film() -> None:
    made = encoded(pan(count=60), codec="libx264", preset="medium")
    every = {round(shown.seconds, 3): shown.rgb() for shown in video.frames(made)}
    few = {round(shown.seconds, 3): shown.rgb() for shown in video.frames(made, thrifty=True)}
    assert 10 < len(few) < len(every) == 60
    assert max(apart(every[at], rgb) for at, rgb in few.items()) < 6


def test_a_film_without_reference_frames_is_seen_all_the_same() -> None:
    """Skipping what no other frame needs must not skip everything."""
    made = encoded(pan(count=40), codec="mjpeg", pix_fmt="yuvj420p", form="avi")
    assert len(list(video.frames(made, thrifty=True))) == 40


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_display_matrix_is_obeyed(turn: int) -> None:
    made = encoded(pan(count=3), rotation=turn)
    shown = next(video.frames(made))
    wanted = np.rot90(next(pan()), turn // 90)
    assert apart(shown.rgb(), wanted) < 12
    grey = samples(shown)
    assert (
        np.corrcoef(grey.ravel(), pdq.downsample(np.ascontiguousarray(wanted)).ravel())[0, 1] > 0.99
    )


def test_pixels_that_are_not_square_are_stretched() -> None:
    made = encoded(pan(count=3), aspect=Fraction(4, 3))
    shown = next(video.frames(made))
    assert (shown.width, shown.height) == (128, 96)
    assert shown.rgb().shape == (96, 128, 3)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "form", "options"),
    [
        ("libx264", "yuv420p", "mp4", {}),
        ("libx264", "yuv420p", "mp4", {"colorspace": "bt709", "color_range": "tv"}),
        ("libx264", "yuv444p", "mp4", {"colorspace": "bt709"}),
        ("libx264", "yuv422p", "mkv", {"color_range": "pc"}),
        ("libx264", "gray", "mp4", {}),
        ("libx265", "yuv420p10le", "mp4", {"x265-params": "log-level=none"}),
        ("mjpeg", "yuvj420p", "avi", {}),
        ("ffv1", "bgr0", "mkv", {}),
        ("rawvideo", "rgb24", "avi", {}),
    ],
)
def test_pdq_from_the_planes_is_pdq_of_the_pixels(
    codec: str, pix_fmt: str, form: str, options: dict[str, str]
) -> None:
    """10 bits, limited and full range, BT.709 and RGB: the reference is the converted frame."""
    made = encoded(pan(count=4, side=256), form, codec=codec, pix_fmt=pix_fmt, **options)
    for shown in video.frames(made):
        taken, reference = samples(shown), shown.rgb()
        bits = pdq.bits_of(pdq.dct(taken)[None])[0]
        wanted = pdq.compute(reference)
        assert (int.from_bytes(bits) ^ int.from_bytes(wanted.bits)).bit_count() <= 8
        assert abs(pdq.quality_of(taken) - wanted.quality) <= 3


def test_a_moment_can_be_asked_for() -> None:
    made = encoded(pan(count=50))
    assert apart(decode(made, at_s=1.2).rgb, next(pan(start=30))) < 12
    assert apart(decode(made, at_s=99).rgb, next(pan(start=49))) < 12


def test_a_still_is_no_plain_ground() -> None:
    black = [np.zeros((96, 96, 3), np.uint8)] * 30
    made = encoded([*black, *pan(count=30)])
    assert decode(made).rgb.std() > 20
    assert decode(encoded(black)).rgb.max() < 20


def test_a_reviewer_gets_a_picture_of_a_video() -> None:
    small = decode(preview.as_jpeg(encoded(pan(count=5)), 64))
    assert (small.kind, small.rgb.shape) == (Kind.JPEG, (64, 64, 3))


def test_frames_may_come_at_any_pace() -> None:
    made = encoded(pan(count=5), pts=[0, 1, 26, 27, 77], form="mkv")
    assert [round(shown.seconds, 2) for shown in video.frames(made)] == [0, 0.04, 1.04, 1.08, 3.08]


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(video_frames=10), TooManyFrames),
        (Limits(video_s=0.5), TooManyFrames),
        (Limits(video_pixels=96 * 95), TooManyPixels),
        (Limits(side_px=95), TooManyPixels),
        (Limits(video_bytes=1000), TooManyBytes),
    ],
)
def test_limits_hold(limits: Limits, error: type[Exception]) -> None:
    made = encoded(pan(count=30))
    with pytest.raises(error):
        list(video.frames(made, limits))


def test_beyond_the_budget_only_key_frames_are_decoded() -> None:
    made = encoded(pan(count=100), g="10")
    whole = list(video.frames(made))
    budget = Limits(video_decoded_pixels=20 * 96 * 96)
    seen = [shown.seconds for shown in video.frames(made, budget)]
    assert len(whole) == 100
    assert 20 < len(seen) < 40
    assert seen[-1] == pytest.approx(90 / 25, abs=0.05)


def test_the_dark_between_two_key_frames_has_an_end() -> None:
    """What nobody can afford to look at does not pass as looked at."""
    pts = [number * 25 for number in range(60)]
    made = encoded(pan(count=60), g="45", pts=pts, form="mkv")
    with pytest.raises(TooManyFrames):
        list(video.frames(made, Limits(video_decoded_pixels=5 * 96 * 96)))


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_heic_is_opened_and_turned(turns: int) -> None:
    rgb = np.ascontiguousarray(shipped.astronaut()[::4, ::2])
    picture = decode(heic(rgb, turns=turns))
    assert picture.kind is Kind.HEIC
    assert picture.rgb.shape == np.rot90(rgb, turns).shape
    assert apart(picture.rgb, np.rot90(rgb, turns)) < 8
    with pytest.raises(TooManyPixels):
        decode(heic(rgb), limits=Limits(pixels=1000))


def test_sound_alone_is_no_video() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 48000, 0
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    with pytest.raises(UnsupportedMedia):
        list(video.frames(out.getvalue()))


def test_a_video_has_limits_of_its_own_in_the_sandbox() -> None:
    made = encoded(pan(count=30))
    with Sandbox(1, Limits(bytes=10, seconds=0.001)) as sandbox:
        assert sandbox.run(decode, made).kind is Kind.MP4
    with Sandbox(1, Limits(video_bytes=10)) as sandbox, pytest.raises(TooManyBytes):
        sandbox.run(decode, made)
