"""One picture: text on it, a watermark in it, labels beside it."""

from dataclasses import replace
from itertools import chain

from haechi.errors import LabelRefused
from haechi.labels.writing import encoding, marked, visible, words, xmp
from haechi.labels.writing.carriers import CARRIERS, Taken
from haechi.labels.writing.marked import Marked
from haechi.labels.writing.pixels import watermarking
from haechi.labels.writing.visible import Drawn, Plate
from haechi.labels.writing.wanted import Wanted
from haechi.media import DEFAULT, Kind, Limits
from haechi.media.layers import Layer, Layers, layers

_LOOKED_AT = 8
"""Frames in which faces are looked for."""


def mark(data: bytes, kind: Kind, wanted: Wanted, limits: Limits = DEFAULT) -> Marked:
    """Everything `wanted` but the signature. Raises MediaError and LabelError."""
    taken = _take(data, kind)
    found = marked.found_in([*xmp.labels(taken.xmp), *taken.labels])
    draws = found is None or wanted.again
    label, source = wanted.after(found), marked.source_of(wanted, found)
    if not draws or not (wanted.visible or wanted.trace_id is not None):
        if kind not in CARRIERS:
            raise LabelRefused(f"{kind.value} holds no metadata; draw a label on it")
        packet = xmp.edited(taken.xmp, label.to_json(), source)
        whole = CARRIERS[kind].put(taken.rest, packet)
        return Marked(whole, kind.mime, kind.mime, label, found, "xmp", source=source)
    picture = layers(data, limits=limits)
    painted, drawn = _painted(picture, replace(wanted, level=label.label))
    packet = xmp.edited(taken.xmp, label.to_json(), source)
    whole, written = _written(picture, painted, taken, packet)
    return Marked(
        whole,
        written.mime,
        kind.mime,
        label,
        found,
        "xmp",
        drawn=drawn,
        watermarked=wanted.trace_id is not None,
        source=source,
    )


def _take(data: bytes, kind: Kind) -> Taken:
    return CARRIERS[kind].take(data) if kind in CARRIERS else Taken(data)


def _painted(picture: Layers, wanted: Wanted) -> tuple[list[Layer], Drawn | None]:
    """Text first, watermark last: it has to live in the pixels that leave the house."""
    done: list[Layer] = []
    drawn: Drawn | None = None
    plates: dict[tuple[int, ...], Plate] = {}
    embed = watermarking(wanted)
    for layer in picture.layers:
        rgb, alpha = layer.rgb, layer.alpha
        if wanted.visible:
            plate = plates.get(rgb.shape) or _plate(picture, rgb.shape, wanted)
            plates[rgb.shape] = plate
            rgb, alpha = visible.draw(plate, rgb, alpha)
            drawn = _weaker(drawn, visible.drawn(plate, rgb))
        if embed is not None:
            rgb = embed(rgb)
        done.append(replace(layer, rgb=rgb, alpha=alpha))
    return done, drawn


def _plate(picture: Layers, shape: tuple[int, ...], wanted: Wanted) -> Plate:
    """One place for all frames of that size, so that the label of an animation stands still."""
    alike = [layer.rgb for layer in picture.layers if layer.rgb.shape == shape]
    step = max(1, len(alike) // _LOOKED_AT)
    where = list(chain.from_iterable(visible.find_faces(rgb) for rgb in alike[::step]))
    height, width = shape[:2]
    return visible.plate(words.visible(wanted), wanted.language, width, height, where)


def _weaker(first: Drawn | None, second: Drawn) -> Drawn:
    return second if first is None or second.contrast < first.contrast else first


def _written(
    picture: Layers, painted: list[Layer], taken: Taken, packet: bytes
) -> tuple[bytes, Kind]:
    if picture.kind is Kind.AVIF:  # its packet cannot be put in afterwards
        return encoding.encode(picture, painted, xmp=packet)
    whole, kind = encoding.encode(picture, painted)
    if kind is picture.kind:
        whole = CARRIERS[kind].carry(taken.rest, whole)
    return CARRIERS[kind].put(whole, packet), kind
