"""New pixels into the kind of file they came from, at the price of as little as can be."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

from haechi.media import Kind
from haechi.media.layers import Layer, Layers

WRITTEN_AS = {Kind.BMP: Kind.PNG, Kind.HEIC: Kind.JPEG}
"""Kinds that take no label, or that nobody may write freely, become another."""

_JPEG_QUALITY = 95
_FORMATS = {
    Kind.JPEG: "JPEG",
    Kind.PNG: "PNG",
    Kind.WEBP: "WEBP",
    Kind.GIF: "GIF",
    Kind.TIFF: "TIFF",
    Kind.AVIF: "AVIF",
}


def encode(picture: Layers, layers: Sequence[Layer], **more: bytes) -> tuple[bytes, Kind]:
    """The file, and what kind it is now. `more` goes to the encoder, such as `xmp`."""
    kind = WRITTEN_AS.get(picture.kind, picture.kind)
    first, *others = (_image(layer) for layer in layers)
    options: dict[str, Any] = {**_options(kind, lossless=picture.lossless), **more}
    if others:
        options |= {"save_all": True, "append_images": others}
        if kind is not Kind.TIFF:
            options |= {"duration": [layer.milliseconds for layer in layers]}
        if kind in {Kind.GIF, Kind.PNG, Kind.WEBP}:
            options |= {"loop": picture.loop}
    out = io.BytesIO()
    first.save(out, _FORMATS[kind], **options)
    return out.getvalue(), kind


def _image(layer: Layer) -> Image.Image:
    image = Image.fromarray(layer.rgb)
    if layer.alpha is not None:
        image.putalpha(Image.fromarray(layer.alpha))
    return image


def _options(kind: Kind, *, lossless: bool) -> dict[str, Any]:
    """JPEG without thinning out its colours: at 95 what is lost is below one level on average."""
    if kind is Kind.JPEG:
        return {"quality": _JPEG_QUALITY, "subsampling": 0}
    if kind is Kind.WEBP:
        return {"lossless": lossless, "quality": 95, "exact": True}
    if kind is Kind.AVIF:
        return {"quality": 95, "subsampling": "4:4:4"}
    if kind is Kind.GIF:
        return {"disposal": 2}
    return {"compression": "tiff_adobe_deflate"} if kind is Kind.TIFF else {}
