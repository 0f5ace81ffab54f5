"""What the pixels of one picture show: each signal measured, with where, and off where it cannot look.

`measured` gives signals without ratios; haechi.forensics.calibration adds them. It is a top-level
function of bytes, for Sandbox.run.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.errors import MediaError
from haechi.forensics.pixels import copy_move, drawing, jpeg_grid, jpeg_history, spectrum, texture
from haechi.forensics.pixels.parts import MOST, Part, parts
from haechi.forensics.pixels.subject import LEAST_PX, Found, Off, Subject, header
from haechi.forensics.report import Region, Signal, State, Toward
from haechi.media import DEFAULT, Limits, decode, sniff
from haechi.media.jpeg import turn

KIND = "pixels"
SECONDS = 6.5
"""Wall clock after which no further part is begun: a job in the sandbox may take ten."""

_BACK = {6: 8, 8: 6}
"""Orientations (EXIF) whose opposite is another; the others undo themselves."""


@dataclass(frozen=True, slots=True)
class Trait:
    """What is always so of one signal.

    Attributes:
        toward: What it points to.
        limits: What makes it err.
        all_over: True for what is so of the whole picture or not at all. Of others one part may speak.
    """

    toward: Toward | None
    limits: tuple[str, ...]
    all_over: bool = False


TRAITS = {
    "pixels.jpeg_twice": Trait(None, ("limit.resaved",), all_over=True),
    "pixels.jpeg_history": Trait(Toward.ALTERED, ("limit.recompressed", "limit.overlay")),
    "pixels.jpeg_grid": Trait(Toward.ALTERED, ("limit.recompressed", "limit.overlay")),
    "pixels.noise": Trait(Toward.ALTERED, ("limit.denoised", "limit.weak_alone")),
    "pixels.sharpness": Trait(Toward.ALTERED, ("limit.depth_of_field", "limit.weak_alone")),
    "pixels.copy_move": Trait(Toward.ALTERED, ("limit.patterns", "limit.overlay")),
    "pixels.spectrum": Trait(Toward.MADE, ("limit.enlarged", "limit.screen"), all_over=True),
}
"""By id, in the order of the report."""

type Looks = Mapping[str, Found | Off]

_SINGLE: dict[str, Callable[[Subject], Found | Off]] = {
    "pixels.jpeg_grid": jpeg_grid.look,
    "pixels.noise": texture.noise,
    "pixels.sharpness": texture.sharpness,
    "pixels.spectrum": spectrum.look,
}


def measured(
    data: bytes,
    limits: Limits = DEFAULT,
    first: Sequence[Region] = (),
    seconds: float = SECONDS,
) -> tuple[Signal, ...]:
    """One signal for each of TRAITS; a picture that cannot be opened gives one that says why.

    A large picture is examined in parts: those with a region of `first`, such as a face, then from the
    middle outward, MOST of them and as far as `seconds` go. What is left is told by one more signal.
    About 0.5 s a megapixel. Raises NotMedia.
    """
    began = time.monotonic()
    kind = sniff(data)
    try:
        picture = decode(data, limits=limits)
    except MediaError as error:
        return (unopened(error),)
    head = header(data, kind)
    back = _BACK.get(head.orientation, head.orientation)
    rgb = turn(picture.rgb, back)
    height, width = rgb.shape[:2]
    if min(height, width) < LEAST_PX:
        return tuple(_off(name, "off.too_small") for name in TRAITS)
    order = parts(height, width, [drawing.turned(one, back) for one in first])
    whole = _tried(copy_move.look, Subject(copy_move.scaled(rgb), head.quality))
    seen: dict[Part, Looks] = {}
    for part in order[:MOST]:
        if seen and time.monotonic() - began > seconds:
            break
        seen[part] = dict(_looked(Subject(part.of(rgb), head.quality)))
    told = _Told((height, width), head.orientation, order, seen)
    signals = [
        told.whole(name, whole) if name == "pixels.copy_move" else told.signal(name)
        for name in TRAITS
    ]
    return (*signals, *told.rest(with_faces=bool(first)))


def opened(data: bytes, limits: Limits = DEFAULT) -> tuple[NDArray[np.uint8], float | None]:
    """The pixels as they are shown, and the quality of the last JPEG compression, if there was one.

    For Sandbox.run. Raises MediaError.
    """
    rgb = decode(data, limits=limits).rgb
    return np.ascontiguousarray(rgb), header(data, sniff(data)).quality


def unopened(error: MediaError) -> Signal:
    """The signal of a picture whose pixels cannot be had."""
    why = {"why": error.code}
    return Signal("pixels.opened", KIND, State.OFF, "pixels.broken", params=why)


def _looked(seen: Subject) -> Iterator[tuple[str, Found | Off]]:
    twice, history = jpeg_history.look(seen)
    yield "pixels.jpeg_twice", twice
    yield "pixels.jpeg_history", history
    for name, look in _SINGLE.items():
        yield name, _tried(look, seen)


def _tried(look: Callable[[Subject], Found | Off], seen: Subject) -> Found | Off:
    try:
        return look(seen)
    except (cv2.error, ValueError, np.linalg.LinAlgError, FloatingPointError):
        # OpenCV refuses some shapes and values; one signal less is no reason to give none.
        return Off("off.failed")


def _off(name: str, why: str) -> Signal:
    return Signal(name, KIND, State.OFF, f"{name}.off", limits=(why,))


@dataclass(frozen=True, slots=True)
class _Told:
    """What was found in the parts, as signals of the whole.

    Attributes:
        shape: Height and width of the picture as it lies in the file.
        orientation: By which `media.jpeg.turn` brings it upright.
        order: All parts.
        seen: What was found in those that were examined.
    """

    shape: tuple[int, int]
    orientation: int
    order: Sequence[Part]
    seen: Mapping[Part, Looks]

    def signal(self, name: str) -> Signal:
        """Of what was looked for in every part."""
        looks = {part: looks[name] for part, looks in self.seen.items()}
        found = {part: one for part, one in looks.items() if isinstance(one, Found)}
        if not found:
            return _off(name, next(one.why for one in looks.values() if isinstance(one, Off)))
        values = [one.value for one in found.values()]
        if TRAITS[name].all_over:
            speaks = 2 * sum(one.speaks for one in found.values()) > len(found)
            return self._signal(name, float(np.median(values)), (), speaks=speaks)
        strongest = max(found, key=lambda part: found[part].value)
        each = tuple(round(found[part].value, 4) if part in found else None for part in self.order)
        told = self._signal(
            name,
            max(values),
            each if len(each) > 1 else (),
            speaks=found[strongest].speaks,
        )
        return self._drawn(told, found, strongest)

    def whole(self, name: str, found: Found | Off) -> Signal:
        """Of what was looked for in the picture as a whole."""
        if isinstance(found, Off):
            return _off(name, found.why)
        everything = Part(0, 0, *self.shape)
        told = self._signal(name, found.value, (), speaks=found.speaks)
        return self._drawn(told, {everything: found}, everything)

    def rest(self, *, with_faces: bool) -> Iterator[Signal]:
        """What was not examined, if anything."""
        if len(self.seen) == len(self.order):
            return
        whole, seen = (
            sum(part.height * part.width for part in some) / 1e6 for some in (self.order, self.seen)
        )
        yield Signal(
            "pixels.rest",
            KIND,
            State.OFF,
            "pixels.rest.faces" if with_faces else "pixels.rest.middle",
            params={"whole": f"{whole:.0f}", "seen": f"{seen:.0f}"},
            regions=tuple(
                drawing.turned(part.region(*self.shape), self.orientation) for part in self.seen
            ),
        )

    def _signal(
        self, name: str, value: float, each: tuple[float | None, ...], *, speaks: bool
    ) -> Signal:
        return Signal(
            id=name,
            kind=KIND,
            state=State.SPEAKS if speaks else State.SILENT,
            meaning=f"{name}.speaks" if speaks else f"{name}.silent",
            toward=TRAITS[name].toward,
            value=round(value, 4),
            parts=each,
            limits=TRAITS[name].limits,
        )

    def _drawn(self, signal: Signal, found: Mapping[Part, Found], strongest: Part) -> Signal:
        if signal.state is not State.SPEAKS:
            return signal
        canvas = drawing.Canvas(self.shape, self.orientation)
        return replace(
            signal,
            regions=canvas.regions(strongest, found[strongest]),
            heat=canvas.heat(found),
        )
