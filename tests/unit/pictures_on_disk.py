"""Files for the tests of the commands: photographs, and what people do to them."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tests.unit.test_sscd_layout import chat

Rgb = NDArray[np.uint8]


def file_bytes(rgb: Rgb, form: str = "JPEG", **options: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, form, **options)
    return out.getvalue()


def half(rgb: Rgb) -> Rgb:
    return np.asarray(cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def cropped(rgb: Rgb) -> Rgb:
    """Ten percent of each side, more at the top left."""
    height, width = rgb.shape[:2]
    down, across = height // 10, width // 10
    return rgb[
        down * 7 // 10 : height - down * 3 // 10, across * 7 // 10 : width - across * 3 // 10
    ]


def framed(rgb: Rgb) -> Rgb:
    made = cv2.copyMakeBorder(rgb, 50, 50, 80, 80, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    return np.asarray(made, np.uint8)


EDITS: dict[str, Callable[[Rgb], Rgb]] = {
    "recompressed": lambda rgb: rgb,
    "half": half,
    "mirror": lambda rgb: np.ascontiguousarray(rgb[:, ::-1]),
    "crop": cropped,
    "turn": lambda rgb: np.ascontiguousarray(np.rot90(rgb)),
    "border": framed,
    "chat": lambda rgb: chat(rgb)[0],
}


def run(
    *typed: str | Path, given: bytes = b"", cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """The real command in a process of its own."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HAECHI_")}
    return subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "haechi.cli", *map(str, typed)],
        env=clean | environment,
        input=given,
        capture_output=True,
        cwd=cwd,
        check=False,
        timeout=120,
    )


def records(done: "subprocess.CompletedProcess[bytes]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]
