"""Files for the tests of labels: harmless pictures, sounds and films, and other people's readers."""

import io
import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import c2pa  # type: ignore[import-untyped]
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from haechi.labels.writing import Level, Wanted

Rgb = NDArray[np.uint8]

SERVICE = {"level": Level.IS, "language": "zh-hans", "producer": "service", "produce_id": "n-1"}
PLATFORM = {"level": Level.SUSPECTED, "language": "ko", "producer": "platform", "produce_id": "p-2"}
LABEL = "http://www.tc260.org.cn/ns/AIGC/1.0/"

SOUNDS = {
    "wav": ("wav", "pcm_s16le"),
    "mp3": ("mp3", "libmp3lame"),
    "flac": ("flac", "flac"),
    "ogg": ("ogg", "libopus"),
    "m4a": ("ipod", "aac"),
}


def service(**more: Any) -> Wanted:
    """What a service that made a file asks for."""
    return Wanted(**(SERVICE | more))


def platform(**more: Any) -> Wanted:
    """What a platform asks for, through which the file goes later."""
    return Wanted(**(PLATFORM | more))


def slope(width: int, height: int) -> Rgb:
    """Soft colours with all levels in them."""
    down, across = np.mgrid[0:height, 0:width]
    mixed = (across * 255 // width, down * 255 // height, (across + down) % 256)
    return np.stack(mixed, axis=-1).astype(np.uint8)


def file_of(rgb: Rgb, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, form, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))  # noqa: TID251 - our own


def tone(form: str, seconds: float = 1.0, rate: int = 48_000) -> bytes:
    """A sound with a title among its tags."""
    at = np.arange(round(seconds * rate)) / rate
    return recorded(np.sin(2 * np.pi * 440 * at) * 12_000, form, rate)


def rustle(form: str, seconds: float, rate: int = 48_000) -> bytes:
    """A sound with something in every band."""
    random = np.random.default_rng(5)
    return recorded(random.standard_normal(round(seconds * rate)) * 2_000, form, rate)


def recorded(samples: NDArray[np.float64], form: str, rate: int) -> bytes:
    """A file of these 16-bit samples."""
    out = io.BytesIO()
    muxer, codec = SOUNDS[form]
    wave = samples.astype(np.int16)
    with av.open(out, "w", format=muxer) as container:
        container.metadata["title"] = "A title"
        stream = container.add_stream(codec, rate=rate, layout="mono")
        for start in range(0, len(wave), 960):
            frame = av.AudioFrame.from_ndarray(wave[None, start : start + 960], "s16", "mono")
            frame.rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def heard(data: bytes) -> NDArray[np.float32]:
    """The samples of a sound, mono at 48 kHz."""
    fit = av.AudioResampler("flt", "mono", 48_000)
    with av.open(io.BytesIO(data)) as container:
        frames = [made for frame in container.decode(audio=0) for made in fit.resample(frame)]
        frames += fit.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def tags(data: bytes) -> dict[str, str]:
    """What FFmpeg reads of a film or a sound."""
    with av.open(io.BytesIO(data)) as container:
        first = container.streams[0].metadata
        return {key.upper(): text for key, text in {**first, **container.metadata}.items()}


def claims(data: bytes, media_type: str, anchors: str | None = None) -> tuple[str, dict[str, Any]]:
    """State and manifests, by C2PA's own reader."""
    trust = {} if anchors is None else {"trust": {"trust_anchors": anchors}}
    settings = {"verify": {"verify_trust": True, "ocsp_fetch": False}, **trust}
    with (
        c2pa.Context.from_dict(settings) as context,
        c2pa.Reader(media_type, io.BytesIO(data), context=context) as reader,
    ):
        return reader.get_validation_state(), json.loads(reader.json())


def actions(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Of the newest manifest."""
    manifest = told["manifests"][told["active_manifest"]]
    made = next(one for one in manifest["assertions"] if one["label"].startswith("c2pa.actions"))
    listed: list[dict[str, Any]] = made["data"]["actions"]
    return listed


def exiftool(path: Path, *asked: str) -> list[dict[str, Any]]:
    """Tags of files as exiftool reads them, by group and name; skips where it is not installed."""
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip("exiftool is not installed (libimage-exiftool-perl)")
    typed = [program, "-json", "-G1", "-a", *asked, str(path)]
    done = subprocess.run(typed, capture_output=True, check=True)  # noqa: S603 - our own files
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told
