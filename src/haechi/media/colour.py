"""From any Pillow mode and colour profile to 8-bit sRGB, as it is seen."""

import hashlib
import io
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_WITH_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_PROFILE_MODES = frozenset({"RGB", "L", "CMYK"})
_PROFILE_LIMIT_BYTES = 4 * 1024 * 1024


_WHITE, _BLACK = 255, 0

_SAME_LEVELS = 8
"""A profile that moves no colour by more than this is sRGB, whatever it calls itself."""

_DISPLAY_GAMMA = 2.2
_GAMMA_SLACK = 0.05


def renderings(image: Image.Image) -> list[NDArray[np.uint8]]:
    """The ways a loaded image is seen, uint8 (height, width, 3) sRGB each, the usual one first.

    First with transparency on white. Then, if any of it shows through, on black, since what is
    drawn in the alpha channel alone is seen only on a dark page. Then, if a PNG asks for a gamma
    far from that of displays, without it, since not every viewer obeys.
    """
    profile = image.info.get("icc_profile")
    icc = profile if isinstance(profile, bytes) and profile else None
    grounds = [_WHITE, _BLACK] if shows_through(image) else [_WHITE]
    plain = [to_rgb(_flatten(image, ground), icc) for ground in grounds]
    exponent = 1.0 if icc else _exponent(image)
    if exponent == 1.0:
        return plain
    steps = np.linspace(0.0, 1.0, 256) ** exponent * 255
    table = np.rint(steps).astype(np.uint8)
    return [*(table[rgb] for rgb in plain), *plain]


def plain_srgb(profile: bytes | None, mode: str) -> bool:
    """True if pixels of `mode` ("RGB", "L") under this profile may be taken as sRGB as they are.

    Its name says nothing, so it is tried on a grid of colours. Remembered by its digest.
    """
    if not profile or len(profile) > _PROFILE_LIMIT_BYTES:
        return True
    return _changes_nothing(hashlib.sha256(profile).digest(), _Profile(profile), mode)


def to_rgb(flat: Image.Image, profile: bytes | None) -> NDArray[np.uint8]:
    """A flat image as uint8 (height, width, 3) in sRGB, under its profile."""
    if profile is not None and flat.mode in _PROFILE_MODES:
        flat = _to_srgb(flat, profile)
    if flat.mode != "RGB":
        flat = flat.convert("RGB")
    return np.array(flat, dtype=np.uint8, order="C")


def _exponent(image: Image.Image) -> float:
    """What a PNG's gAMA chunk asks for on a display of 2.2 (PNG, section 13.13); 1 for nothing."""
    gamma = image.info.get("gamma")
    if image.format not in {"PNG", None} or "srgb" in image.info:
        return 1.0
    if not isinstance(gamma, float) or not 0.01 <= gamma <= 100:
        return 1.0
    exponent = 1.0 / (gamma * _DISPLAY_GAMMA)
    return exponent if abs(exponent - 1.0) > _GAMMA_SLACK else 1.0


def shows_through(image: Image.Image) -> bool:
    """True if any of it is transparent."""
    if image.mode.startswith(("I", "F")):
        return False
    if image.mode not in _WITH_ALPHA and "transparency" not in image.info:
        return False
    lowest, _ = image.convert("RGBA").getchannel("A").getextrema()
    return bool(lowest != _WHITE)


def _flatten(image: Image.Image, ground: int) -> Image.Image:
    """An image of mode RGB, L or CMYK with the same look on a ground of that grey."""
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return _on(image, ground)
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(image)))
    if image.mode == "LAB":
        return _from_lab(image)
    return image if image.mode in _PROFILE_MODES else image.convert("RGB")


def _on(image: Image.Image, ground: int) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # a 16-bit grey with one transparent level
        return Image.fromarray(_eight_bits(np.asarray(image)))
    rgba = image.convert("RGBA")
    plain = Image.new("RGBA", rgba.size, (ground, ground, ground, 255))
    return Image.alpha_composite(plain, rgba).convert("RGB")


def _eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey of any depth to 8 bits: 16-bit by its high byte, float 0..1 by 255, else clipped."""
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return np.asarray(values >> np.uint16(8), dtype=np.uint8)
    wide = np.nan_to_num(np.asarray(values, dtype=np.float32), posinf=0.0, neginf=0.0)
    top = float(wide.max(initial=0.0))
    if values.dtype.kind == "f" and top <= 1.0:
        wide = wide * 255.0
    elif top > 65535.0:
        wide = wide * (255.0 / top)
    elif top > 255.0:
        wide = wide / 257.0
    return np.clip(np.rint(wide), 0, 255).astype(np.uint8)


def _from_lab(image: Image.Image) -> Image.Image:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    return image.convert("RGB") if converted is None else converted


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Apply an embedded profile. One that is damaged or does not fit is ignored, as viewers do."""
    if len(profile) > _PROFILE_LIMIT_BYTES:
        return image
    if image.mode != "CMYK" and plain_srgb(profile, image.mode):
        return image
    try:
        transform = _transform(hashlib.sha256(profile).digest(), _Profile(profile), image.mode)
        converted = ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, ValueError, OSError, TypeError):
        return image
    return image if converted is None else converted


class _Profile:
    """The bytes of a profile, equal to every other so that the cache goes by its digest alone."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Profile)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=16)
def _transform(digest: bytes, profile: _Profile, mode: str) -> ImageCms.ImageCmsTransform:  # noqa: ARG001
    """Building a transform takes 1 to 10 ms, and pictures of one camera share their profile."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile.data))
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.buildTransform(source, target, mode, "RGB")


@lru_cache(maxsize=64)
def _changes_nothing(digest: bytes, profile: _Profile, mode: str) -> bool:
    """True if `profile` is sRGB in effect, or cannot be used on such pixels at all."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(27, 27, 3)
    asked = Image.fromarray(grid if mode == "RGB" else np.ascontiguousarray(grid[..., 0]))
    try:
        answered = ImageCms.applyTransform(asked, _transform(digest, profile, mode))
    except (ImageCms.PyCMSError, ValueError, OSError, TypeError):
        return True
    if answered is None:
        return True
    before = np.asarray(asked.convert("RGB"), dtype=np.int16)
    moved = np.abs(np.asarray(answered, dtype=np.int16) - before)
    return bool(moved.max() <= _SAME_LEVELS)
