"""HEIC and HEIF for Pillow, through pi-heif (libheif and libde265)."""

from functools import cache

import pi_heif  # type: ignore[import-untyped]

PLUGIN = "HEIF"


@cache
def register() -> str:
    """Make Pillow know the format, once, and return its name there.

    libheif turns and crops the picture as the file asks. It decodes on one thread, since the
    sandbox has a process for each core, and looks at nothing but the pictures themselves.
    """
    pi_heif.register_heif_opener(
        decode_threads=1, thumbnails=False, depth_images=False, aux_images=False
    )
    return PLUGIN
