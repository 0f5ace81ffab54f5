"""From any Pillow mode and colour profile to 8-bit sRGB on white."""

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


def as_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """uint8 (height, width, 3) sRGB of a loaded image; transparency is laid on white."""
    profile = image.info.get("icc_profile")
    flat = _flatten(image)
    if isinstance(profile, bytes) and flat.mode in _PROFILE_MODES:
        flat = _to_srgb(flat, profile)
    if flat.mode != "RGB":
        flat = flat.convert("RGB")
    return np.array(flat, dtype=np.uint8, order="C")


def plain_srgb(profile: bytes | None) -> bool:
    """True if pixels under this profile may be taken as sRGB as they are."""
    return profile is None or b"sRGB" in profile[:8192] or b"s\0R\0G\0B" in profile[:8192]


def _flatten(image: Image.Image) -> Image.Image:
    """An image of mode RGB, L or CMYK with the same look."""
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return _on_white(image)
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(image)))
    if image.mode == "LAB":
        return _from_lab(image)
    return image if image.mode in _PROFILE_MODES else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # a 16-bit grey with one transparent level
        return Image.fromarray(_eight_bits(np.asarray(image)))
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, rgba).convert("RGB")


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
    if len(profile) > _PROFILE_LIMIT_BYTES or (image.mode == "RGB" and plain_srgb(profile)):
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
