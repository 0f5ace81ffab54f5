"""The table of edits: what people do to a picture before they publish it again.

Every edit draws its strength, place, colours and words from seeded random numbers within ranges,
so that no two pictures are edited alike and no threshold can be fitted to one strength.
"""

import zlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from haechi.errors import UnknownEdit
from haechi.evaluation import geometry, overlays, plain, screens
from haechi.evaluation.studio import Edit, Rgb, Studio


def chain(*edits: Edit) -> Edit:
    """One after the other."""

    def chained(rgb: Rgb, studio: Studio) -> Rgb:
        for edit in edits:
            rgb = np.ascontiguousarray(edit(rgb, studio))
        return rgb

    return chained


EDITS: Mapping[str, Edit] = MappingProxyType(
    {
        "jpeg": plain.jpeg,
        "webp": plain.webp,
        "messenger": plain.messenger,
        "shrink": plain.shrink,
        "enlarge": plain.enlarge,
        "blur": plain.blur,
        "sharpen": plain.sharpen,
        "noise": plain.noise,
        "grey": plain.grey,
        "colour_filter": plain.colour_filter,
        "light": plain.light,
        "negative": plain.negative,
        "stretch": geometry.stretch,
        "mirror": geometry.mirror,
        "quarter_turn": geometry.quarter_turn,
        "upside_down": geometry.upside_down,
        "turn_5": geometry.turn(3, 7),
        "turn_15": geometry.turn(12, 18),
        "crop_5": geometry.crop(0.04, 0.06),
        "crop_10": geometry.crop(0.09, 0.11),
        "crop_30": geometry.crop(0.28, 0.32),
        "crop_50": geometry.crop(0.48, 0.52),
        "crop_half_sides": geometry.crop(0.73, 0.77),
        "border": geometry.border,
        "letterbox": geometry.letterbox,
        "perspective": geometry.perspective,
        "text_bars": overlays.text_bars,
        "caption": overlays.caption,
        "stickers": overlays.stickers,
        "censor_blocks": overlays.censor_blocks,
        "watermark": overlays.watermark,
        "chat_screenshot": screens.chat_screenshot,
        "post_screenshot": screens.post_screenshot,
        "story_screenshot": screens.story_screenshot,
        "collage_2x1": screens.collage(2, 1),
        "collage_2x2": screens.collage(2, 2),
        "collage_3x3": screens.collage(3, 3),
        "inset": screens.inset,
        "photographed_screen": screens.photographed_screen,
        "crop_mirror_jpeg": chain(geometry.crop(0.2, 0.4), geometry.mirror, plain.jpeg),
        "bars_border_messenger": chain(overlays.text_bars, geometry.border, plain.messenger),
        "turn_filter_jpeg": chain(geometry.turn(2, 8), plain.colour_filter, plain.jpeg),
        "crop_caption_chat": chain(
            geometry.crop(0.1, 0.3), overlays.caption, screens.chat_screenshot
        ),
        "stickers_perspective_jpeg": chain(overlays.stickers, geometry.perspective, plain.jpeg),
    }
)
"""By name; "crop_50" cuts half of the area away, "crop_half_sides" half of each side."""

CROWDED = frozenset({"collage_2x1", "collage_2x2", "collage_3x3", "inset"})
"""Those that need other pictures."""


def make(name: str, rgb: Rgb, others: Sequence[Rgb], seed: int) -> Rgb:
    """`rgb`, uint8 (height, width, 3), after the edit `name`; the same seed makes the same pixels.

    `others` are pictures for the tiles of collages; those in CROWDED need at least one. Raises
    UnknownEdit.
    """
    if name not in EDITS:
        raise UnknownEdit(name)
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return np.ascontiguousarray(EDITS[name](rgb, Studio(random, others)))
