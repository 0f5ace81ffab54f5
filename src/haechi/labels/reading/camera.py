"""What EXIF claims of a camera or an editor, and whether it can be so.

EXIF is copied from file to file with one command, so it never proves a photograph; but what does not
fit is worth a look.
"""

import re
from collections.abc import Iterator

from haechi.labels.mark import Mark, Says
from haechi.labels.reading.haul import Haul
from haechi.labels.text import clean

_TAKING = (
    "ExposureTime",
    "FNumber",
    "ISO",
    "FocalLength",
    "DateTimeOriginal",
    "MakerNote",
    "LensModel",
)
_ENOUGH = 3
_EDITORS = re.compile(
    r"photoshop|lightroom|\bgimp\b|affinity|snapseed|pixelmator|paint\.net|picsart|\bpicasa\b|"
    r"luminar|capture one|darktable|rawtherapee|photopea|canva|meitu|美图|facetune|acdsee|vsco|polarr|"
    r"photoscape|paintshop|krita|inkscape|corel|imagemagick",
    re.IGNORECASE,
)
_MOST_ISO = 10_000_000
_DIFFERENT = 0.02
_TIME = re.compile(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d\Z")


def marks(haul: Haul) -> Iterator[Mark]:
    """At most one for a camera and one for an editor; findings for what cannot be."""
    told = _told(haul)
    make = " ".join(told[key] for key in ("Make", "Model") if told.get(key))
    taking = [key for key in _TAKING if told.get(key)]
    carrier = next((found.carrier for found in haul.fields if found.name.startswith("exif:")), "")
    # ComfyUI and others put their own words where a camera's name belongs.
    if make and not make.lstrip().startswith(("workflow:", "prompt:", "{")):
        if len(taking) >= _ENOUGH:
            yield Mark(
                "exif", carrier, Says.CAMERA, tool=clean(make, longest=120), detail=_detail(told)
            )
        elif not taking:
            haul.find("exif.bare", camera=clean(make, longest=120))
    yield from _editor(haul)
    _impossible(told, haul)
    _size(told, haul)


def _told(haul: Haul) -> dict[str, str]:
    told: dict[str, str] = {}
    for found in haul.fields:
        kind, _, name = found.name.partition(":")
        if kind == "exif":
            told.setdefault(name, found.value)
    return told


def _editor(haul: Haul) -> Iterator[Mark]:
    for name in ("exif:Software", "xmp:xmp:CreatorTool", "text:Software"):
        for found in haul.named(name):
            if _EDITORS.search(found.value[:200]):
                # Editors have generative tools too: their name says neither that AI was used nor not.
                yield Mark(
                    "exif", found.carrier, Says.NOTHING, tool=clean(found.value, longest=120)
                )
                return


def _detail(told: dict[str, str]) -> dict[str, str]:
    wanted = ("Make", "Model", *_TAKING, "Software", "DateTime")
    return {
        key: clean(told[key], longest=120) for key in wanted if told.get(key) and key != "MakerNote"
    }


def _impossible(told: dict[str, str], haul: Haul) -> None:
    for name in ("ExposureTime", "FNumber", "FocalLength"):
        value = _number(told.get(name, ""))
        if value is not None and value < 0:
            haul.find("exif.impossible", tag=name, value=clean(told[name], longest=40))
    iso = _number(told.get("ISO", ""))
    if iso is not None and iso > _MOST_ISO:
        haul.find("exif.impossible", tag="ISO", value=clean(told["ISO"], longest=40))
    for name, most in (("GPSLatitude", 90), ("GPSLongitude", 180)):
        degrees = _number(told.get(name, ""))
        if degrees is not None and degrees > most:
            haul.find("exif.impossible", tag=name, value=clean(told[name], longest=40))
    taken, changed = told.get("DateTimeOriginal", ""), told.get("DateTime", "")
    if _TIME.match(taken) and _TIME.match(changed) and changed < taken:
        haul.find("exif.times", taken=taken, changed=changed)


def _size(told: dict[str, str], haul: Haul) -> None:
    """The size the camera noted, against that of the picture: a crop or a new size changes one."""
    noted = [_number(told.get(name, "")) for name in ("PixelXDimension", "PixelYDimension")]
    sides = sorted(int(side) for side in noted if side)
    real = sorted((haul.width, haul.height))
    if len(sides) < 2 or 0 in real:
        return
    if any(abs(a - b) > _DIFFERENT * max(a, b) for a, b in zip(sides, real, strict=True)):
        haul.find("exif.size", noted=f"{sides[1]} x {sides[0]}", real=f"{real[1]} x {real[0]}")


def _number(text: str) -> float | None:
    try:
        return float(text.split(maxsplit=1)[0])
    except (ValueError, IndexError):
        return None
