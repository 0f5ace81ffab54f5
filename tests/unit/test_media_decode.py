"""Every kind of picture is decoded as a viewer would show it."""

import io
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage import data

from haechi.errors import BrokenMedia, NotMedia, TooManyBytes, TooManyPixels
from haechi.media import Kind, Limits, decode
from haechi.media.jpeg import ends_properly
from haechi.media.quiet import quiet

RGB: NDArray[np.uint8] = data.astronaut()[::4, ::4].copy()
RED_LEFT: NDArray[np.uint8] = np.zeros((40, 60, 3), dtype=np.uint8)
RED_LEFT[:, :30] = (250, 10, 10)
FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"]


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


def apart(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> float:
    """Mean difference in levels of 255."""
    assert left.shape == right.shape
    return float(np.abs(left.astype(int) - right.astype(int)).mean())


@pytest.mark.parametrize(
    ("form", "mode", "tolerance"),
    [
        ("JPEG", "RGB", 8),
        ("JPEG", "CMYK", 8),
        ("PNG", "RGB", 0),
        ("PNG", "P", 20),
        ("WEBP", "RGB", 8),
        ("AVIF", "RGB", 8),
        ("GIF", "P", 20),
        ("BMP", "RGB", 0),
        ("TIFF", "RGB", 0),
        ("TIFF", "CMYK", 1),
    ],
)
def test_colours_survive_every_format(form: str, mode: str, tolerance: float) -> None:
    picture = decode(saved(Image.fromarray(RGB).convert(mode), form))
    assert picture.kind.value == form.lower()
    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.flags.c_contiguous
    assert (picture.height, picture.width) == RGB.shape[:2]
    assert apart(picture.rgb, RGB) <= tolerance


@pytest.mark.parametrize(
    ("form", "mode"),
    [("PNG", "L"), ("PNG", "I;16"), ("TIFF", "L"), ("TIFF", "I;16"), ("TIFF", "I"), ("TIFF", "F")],
)
def test_grey_of_any_depth_looks_the_same(form: str, mode: str) -> None:
    grey = np.asarray(Image.fromarray(RGB).convert("L"))
    wide = {
        "L": Image.fromarray(grey),
        "I;16": Image.fromarray(grey.astype(np.uint16) * 257),
        "I": Image.fromarray(grey.astype(np.int32)),
        "F": Image.fromarray(grey.astype(np.float32) / 255),
    }[mode]
    found = decode(saved(wide, form)).rgb
    assert apart(found, np.repeat(grey[..., None], 3, axis=2)) <= 1


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture(form: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = {
        1: RED_LEFT,
        2: RED_LEFT[:, ::-1],
        3: RED_LEFT[::-1, ::-1],
        4: RED_LEFT[::-1],
        5: RED_LEFT.transpose(1, 0, 2),
        6: np.rot90(RED_LEFT),
        7: RED_LEFT.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(RED_LEFT, -1),
    }[orientation]
    image = Image.fromarray(np.ascontiguousarray(stored))
    assert apart(decode(saved(image, form, exif=exif)).rgb, RED_LEFT) < 6


@pytest.mark.parametrize("form", ["PNG", "WEBP", "AVIF", "TIFF"])
def test_transparency_lies_on_white(form: str) -> None:
    rgba = np.dstack([RED_LEFT, np.full((40, 60), 255, dtype=np.uint8)])
    rgba[:20, :, 3] = 0
    found = decode(saved(Image.fromarray(rgba), form)).rgb
    assert found[:16].min() > 245
    assert apart(found[24:], RED_LEFT[24:]) < 6


def test_a_transparent_palette_entry_lies_on_white() -> None:
    image = Image.fromarray(RED_LEFT).convert("P", palette=Image.Palette.ADAPTIVE)
    black = int(np.asarray(image)[0, -1])
    for form in ("PNG", "GIF"):
        found = decode(saved(image, form, transparency=black)).rgb
        assert found[:, 40:].min() > 245
        assert found[0, 0, 0] > 200


def test_an_embedded_profile_is_applied() -> None:
    """The same numbers under a wide-gamut profile are another colour on the screen."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    lab = ImageCms.profileToProfile(
        Image.fromarray(RGB), ImageCms.createProfile("sRGB"), profile, outputMode="LAB"
    )
    assert lab is not None
    assert apart(decode(saved(lab, "TIFF")).rgb, RGB) < 2

    swapped = _red_blue_swapped_profile()
    found = decode(saved(Image.fromarray(RED_LEFT), "PNG", icc_profile=swapped)).rgb
    assert found[0, 0, 2] > 200 > found[0, 0, 0]


def _red_blue_swapped_profile() -> bytes:
    """SRGB whose red and blue primaries have changed places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return (
        profile.replace(b"rXYZ", b"????")
        .replace(b"bXYZ", b"rXYZ")
        .replace(b"????", b"bXYZ")
        .replace(b"sRGB", b"test")
        .replace(b"s\0R\0G\0B", b"t\0e\0s\0t")
    )


@pytest.mark.parametrize("profile", [b"", b"nonsense" * 20, bytes(128)])
def test_a_damaged_profile_is_ignored(profile: bytes) -> None:
    found = decode(saved(Image.fromarray(RGB), "PNG", icc_profile=profile)).rgb
    assert apart(found, RGB) == 0


@pytest.mark.parametrize("form", ["GIF", "WEBP", "AVIF"])
def test_of_an_animation_the_first_frame_is_shown(form: str) -> None:
    frames = [Image.fromarray(RED_LEFT), Image.fromarray(RED_LEFT[:, ::-1].copy())]
    found = decode(saved(frames[0], form, save_all=True, append_images=frames[1:]))
    assert found.rgb[20, 5, 0] > 200
    assert found.rgb[20, 55].max() < 60
    assert found.more[0][20, 55, 0] > 200


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF", "MPO", "TIFF"])
def test_what_comes_after_the_first_frame_is_seen(form: str) -> None:
    frames = [Image.new("RGB", (128, 128), "white"), Image.fromarray(RGB)]
    picture = decode(saved(frames[0], form, save_all=True, append_images=frames[1:]))
    assert apart(picture.rgb, np.full_like(RGB, 255)) < 2
    assert min(apart(more, RGB) for more in picture.more) < 20


def test_the_hidden_still_of_an_animated_png_and_its_frames_are_seen() -> None:
    frames = [Image.fromarray(RGB), Image.new("RGB", (128, 128), "white")]
    content = saved(frames[0], "PNG", save_all=True, default_image=True, append_images=frames[1:])
    picture = decode(content)
    assert [apart(one, RGB) < 1 for one in (picture.rgb, *picture.more)] == [True, False]


def test_a_frame_that_stays_is_seen_among_many_that_flicker() -> None:
    frames = [Image.new("RGB", (128, 128), (shade, 0, 0)) for shade in range(100)]
    frames[1] = Image.fromarray(RGB)
    durations = [20] * 100
    durations[1] = 5000
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=durations)
    picture = decode(content)
    assert len(picture.more) == 7
    assert min(apart(more, RGB) for more in picture.more) < 20


def test_too_many_frames_are_refused() -> None:
    frames = [Image.new("RGB", (60, 60), (shade, 0, 0)) for shade in range(30)]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(TooManyPixels):
        decode(content, limits=Limits(pixels=60 * 60))


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_a_picture_in_the_alpha_channel_is_seen_on_black(form: str) -> None:
    white = Image.new("RGB", (128, 128), "white")
    grey = Image.fromarray(RGB).convert("L")
    white.putalpha(grey)
    picture = decode(saved(white, form, lossless=True))
    assert picture.rgb.min() == 255
    assert apart(picture.more[0], np.asarray(grey.convert("RGB"))) < 3


def test_an_opaque_alpha_channel_adds_nothing() -> None:
    assert decode(saved(Image.fromarray(RGB).convert("RGBA"), "PNG")).more == ()


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_profile_that_calls_itself_srgb_is_not_believed(form: str) -> None:
    """Its curves are inverted: a viewer shows the negative of the numbers."""
    profile = _inverting_profile()
    assert b"sRGB" in profile
    stored = Image.fromarray(255 - RGB)
    assert apart(decode(saved(stored, form, icc_profile=profile, quality=95)).rgb, RGB) < 25


def _inverting_profile() -> bytes:
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    at = plain.index(b"para")
    steps = np.linspace(1, 0, 256) ** 2.2 * 65535
    curve = b"curv" + bytes(4) + struct.pack(">I", 256) + steps.astype(">u2").tobytes()
    body = bytearray(plain + bytes(-len(plain) % 4))
    for entry in range(int.from_bytes(plain[128:132], "big")):
        place = 132 + 12 * entry
        if int.from_bytes(plain[place + 4 : place + 8], "big") == at:
            body[place + 4 : place + 12] = struct.pack(">II", len(body), len(curve))
    body += curve
    body[:4] = struct.pack(">I", len(body))
    return bytes(body) + b"sRGB"


def test_a_true_srgb_profile_leaves_the_pixels_alone() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = decode(saved(Image.fromarray(RGB), "PNG", icc_profile=profile))
    assert apart(picture.rgb, RGB) == 0


def test_gamma_is_applied_and_what_ignores_it_is_seen_too() -> None:
    whole = saved(Image.fromarray(RGB), "PNG")

    def with_gamma(value: float) -> bytes:
        chunk = b"gAMA" + struct.pack(">I", round(value * 100_000))
        framed = struct.pack(">I", 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return whole[:33] + framed + whole[33:]

    picture = decode(with_gamma(0.1))
    assert picture.rgb.mean() < RGB.mean() / 2
    assert apart(picture.more[0], RGB) == 0
    assert apart(decode(with_gamma(1 / 2.2)).rgb, RGB) == 0


@pytest.mark.parametrize("form", [*FORMATS, "GIF", "BMP"])
def test_cut_short_is_broken(form: str) -> None:
    whole = saved(Image.fromarray(RGB), form)
    for kept in (len(whole) // 2, len(whole) * 9 // 10):
        with pytest.raises(BrokenMedia):
            decode(whole[:kept])


def test_a_thumbnail_is_not_the_end_of_a_jpeg() -> None:
    """The end marker of an EXIF thumbnail must not hide that the picture itself is cut short."""
    thumbnail = saved(Image.fromarray(RED_LEFT), "JPEG")
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = saved(Image.fromarray(RGB), "JPEG")
    carrying = whole[:2] + segment + whole[2:]
    assert ends_properly(carrying)
    assert not ends_properly(carrying[:-2])
    with pytest.raises(BrokenMedia):
        decode(carrying[: len(carrying) * 2 // 3])


def bomb_png(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (40_000, 2), (20_000, 20_000)])
def test_a_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(TooManyPixels):
        decode(bomb_png(width, height))


def test_a_jpeg_bomb_is_refused_even_without_limits() -> None:
    """Pillow has a limit of its own, which must come out as ours."""
    small = bytearray(saved(Image.fromarray(RGB), "JPEG"))
    frame = small.find(b"\xff\xc0")
    small[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    for limits in (Limits(), Limits(pixels=10**12, side_px=10**6)):
        with pytest.raises(TooManyPixels):
            decode(bytes(small), limits=limits)


@pytest.mark.parametrize("form", [*FORMATS, "GIF", "BMP"])
def test_limits_hold_for_every_format(form: str) -> None:
    whole = saved(Image.fromarray(RGB), form)
    with pytest.raises(TooManyPixels):
        decode(whole, limits=Limits(pixels=RGB.shape[0] * RGB.shape[1] - 1))
    with pytest.raises(TooManyPixels):
        decode(whole, limits=Limits(side_px=RGB.shape[1] - 1))
    with pytest.raises(TooManyBytes):
        decode(whole, limits=Limits(bytes=len(whole) - 1))
    exact = Limits(bytes=len(whole), pixels=RGB.shape[0] * RGB.shape[1], side_px=RGB.shape[1])
    assert decode(whole, limits=exact).width == RGB.shape[1]


def test_a_beginning_alone_is_broken() -> None:
    with pytest.raises(BrokenMedia):
        decode(b"\x00\x00\x00\x18ftypisom" + bytes(64))
    with pytest.raises(BrokenMedia):
        decode(b"\x00\x00\x00\x18ftypheic" + bytes(64))
    with pytest.raises(NotMedia):
        decode(b"")


def test_a_polyglot_is_opened_as_what_it_begins_with() -> None:
    gif = saved(Image.fromarray(RED_LEFT), "GIF")
    png = saved(Image.fromarray(RGB), "PNG")
    assert decode(gif + png).kind is Kind.GIF
    assert decode(png + gif + b"<script>").kind is Kind.PNG


def test_warnings_stay_inside_with_many_threads() -> None:
    """Threads that overlap leave the filters as they were, and no warning escapes meanwhile."""
    before = list(warnings.filters)
    escaped: list[BaseException] = []
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait()
        try:
            for _ in range(50):
                with quiet():
                    warnings.warn("corrupt EXIF", stacklevel=1)
        except BaseException as error:  # noqa: BLE001 - the test says which
            escaped.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not escaped
    assert list(warnings.filters) == before


def test_published_modes_decode_alike(shared_media: Path) -> None:
    """One photograph saved in every mode is one photograph."""
    folder = shared_media / "threatexchange" / "misc-images" / "modes"
    original = decode((shared_media / "threatexchange/bridge-mods/aaa-orig.jpg").read_bytes()).rgb
    names = ["L.png", "CMYK.jpg", "HSV.webp", "I.webp", "F.webp"]
    for name in names:
        found = decode((folder / name).read_bytes()).rgb
        assert (
            apart(found.mean(axis=2).astype(np.uint8), original.mean(axis=2).astype(np.uint8)) < 8
        )
