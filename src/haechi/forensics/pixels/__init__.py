"""What the pixels of one picture show: each signal measured, with where, and off where it cannot look.

`measured` gives signals without ratios; haechi.forensics.calibration adds them. It is a top-level
function of bytes, for Sandbox.run.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from haechi.errors import MediaError
from haechi.forensics.pixels import copy_move, jpeg_grid, jpeg_history, spectrum, texture
from haechi.forensics.pixels.subject import Found, Grey, Mask, Off, Subject, header, subject
from haechi.forensics.report import Region, Signal, State, Toward
from haechi.media import DEFAULT, Limits, decode, sniff
from haechi.media.jpeg import turn

KIND = "pixels"
_HEAT_PX = 192
_MOST_REGIONS = 4


@dataclass(frozen=True, slots=True)
class Trait:
    """What is always so of one signal."""

    toward: Toward | None
    limits: tuple[str, ...]


TRAITS = {
    "pixels.jpeg_twice": Trait(None, ("limit.resaved",)),
    "pixels.jpeg_history": Trait(Toward.ALTERED, ("limit.recompressed", "limit.overlay")),
    "pixels.jpeg_grid": Trait(Toward.ALTERED, ("limit.recompressed", "limit.overlay")),
    "pixels.noise": Trait(Toward.ALTERED, ("limit.denoised", "limit.weak_alone")),
    "pixels.sharpness": Trait(Toward.ALTERED, ("limit.depth_of_field", "limit.weak_alone")),
    "pixels.copy_move": Trait(Toward.ALTERED, ("limit.patterns", "limit.overlay")),
    "pixels.spectrum": Trait(Toward.MADE, ("limit.enlarged", "limit.screen")),
}
"""By id, in the order of the report."""

_SINGLE: dict[str, Callable[[Subject], Found | Off]] = {
    "pixels.jpeg_grid": jpeg_grid.look,
    "pixels.noise": texture.noise,
    "pixels.sharpness": texture.sharpness,
    "pixels.copy_move": copy_move.look,
    "pixels.spectrum": spectrum.look,
}


def measured(data: bytes, limits: Limits = DEFAULT) -> tuple[Signal, ...]:
    """One signal for each of TRAITS; a picture that cannot be opened gives one that says why.

    About 1.3 s for a picture of a megapixel or more. Raises NotMedia.
    """
    kind = sniff(data)
    try:
        picture = decode(data, limits=limits)
    except MediaError as error:
        return (unopened(error),)
    seen = subject(picture, header(data, kind))
    return tuple(_signal(name, found, seen) for name, found in _looked(seen))


def unopened(error: MediaError) -> Signal:
    """The signal of a picture whose pixels cannot be had."""
    why = {"why": error.code}
    return Signal("pixels.opened", KIND, State.OFF, "pixels.broken", params=why)


def _looked(seen: Subject) -> Iterator[tuple[str, Found | Off]]:
    if seen.small:
        yield from ((name, Off("off.too_small")) for name in TRAITS)
        return
    twice, history = jpeg_history.look(seen)
    yield "pixels.jpeg_twice", twice
    yield "pixels.jpeg_history", history
    for name, look in _SINGLE.items():
        try:
            yield name, look(seen)
        except (cv2.error, ValueError, np.linalg.LinAlgError, FloatingPointError):
            # OpenCV refuses some shapes and values; one signal less is no reason to give none.
            yield name, Off("off.failed")


def _signal(name: str, found: Found | Off, seen: Subject) -> Signal:
    trait = TRAITS[name]
    if isinstance(found, Off):
        return Signal(name, KIND, State.OFF, f"{name}.off", limits=(found.why,))
    speaks = found.speaks
    return Signal(
        id=name,
        kind=KIND,
        state=State.SPEAKS if speaks else State.SILENT,
        meaning=f"{name}.speaks" if speaks else f"{name}.silent",
        toward=trait.toward,
        value=round(found.value, 4),
        regions=_regions(found, seen) if speaks else (),
        heat=_heat(found, seen) if speaks else None,
        limits=trait.limits,
    )


def _upright(values: Grey | Mask, seen: Subject) -> Grey:
    """A map of the examined middle as a map of the whole picture, turned as it is shown."""
    x, y, width, height = seen.box
    rows, columns = round(values.shape[0] / height), round(values.shape[1] / width)
    whole = np.zeros((rows, columns), np.float32)
    top, left = round(y * rows), round(x * columns)
    part = values[: rows - top, : columns - left]
    whole[top : top + part.shape[0], left : left + part.shape[1]] = part
    return np.asarray(turn(whole[..., None], seen.orientation)[..., 0], np.float32)


def _regions(found: Found, seen: Subject) -> tuple[Region, ...]:
    if found.region is None or not found.region.any():
        return ()
    mask = np.ascontiguousarray(_upright(found.region, seen) > 0.5).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    largest = sorted(range(1, count), key=lambda one: -int(stats[one, cv2.CC_STAT_AREA]))
    rows, columns = mask.shape
    return tuple(
        Region(
            round(float(stats[one, 0]) / columns, 4),
            round(float(stats[one, 1]) / rows, 4),
            round(float(stats[one, 2]) / columns, 4),
            round(float(stats[one, 3]) / rows, 4),
        )
        for one in largest[:_MOST_REGIONS]
    )


def _heat(found: Found, seen: Subject) -> bytes | None:
    if found.map is None or found.region is None:
        return None
    low, high = (float(value) for value in np.percentile(found.map, (2, 98)))
    level = np.clip((found.map - low) / max(1e-6, high - low), 0, 1)
    shown = np.ascontiguousarray(_upright(level.astype(np.float32), seen))
    scale = min(1.0, _HEAT_PX / max(shown.shape))
    small = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, png = cv2.imencode(".png", np.rint(small * 255).astype(np.uint8))
    return png.tobytes()
