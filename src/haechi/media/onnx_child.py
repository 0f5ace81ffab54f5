"""What runs in the process of a model: load it once, run it on numbers.

Top-level functions of bytes, as `haechi.media.child` calls them; the process has no secrets and
cannot grow past its limit. It lies here, below what uses it, so that such a process loads little.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haechi.errors import ModelFailed, ModelRefused

MOST_NUMBERS = 50_000_000
"""Of one output; a map of a large picture has a tenth of that."""

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}
# A tensor that names a file to be read from: the entry "location" of its external data, however its
# tag and length are written.
_ELSEWHERE = re.compile(rb"(?:\x0a|\x8a\x80*\x00)(?:\x08|\x88\x80*\x00)location")
_sessions: dict[str, Any] = {}


def load(_data: bytes, path: str, sha256: str) -> dict[str, list[str]]:
    """Load the ONNX file; its inputs and outputs by name. Raises ModelRefused.

    The file is read once and loaded from memory, so that what was checked is what runs; and parts
    of a model that lie in other files are not looked for.
    """
    try:
        import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415 - optional, slow to import
    except ImportError as error:
        raise ModelRefused("onnxruntime is not installed; `pip install haechi[models]`") from error
    content = Path(path).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise ModelRefused(f"the file has the SHA-256 {digest}, not {sha256}")
    if _ELSEWHERE.search(content):
        raise ModelRefused("a part of the model lies in another file; export it as one file")
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime raises classes of its own, all below Exception
        raise ModelRefused(f"ONNX Runtime cannot load it: {error}"[:300]) from error
    _sessions.clear()
    _sessions[sha256] = session
    return {
        "inputs": [one.name for one in session.get_inputs()],
        "types": [one.type for one in session.get_inputs()],
        "outputs": [one.name for one in session.get_outputs()],
    }


def run(
    _data: bytes,
    sha256: str,
    name: str | None,
    numbers: NDArray[Any],
    wanted: Mapping[str, str | None],
) -> dict[str, NDArray[np.float32]]:
    """The outputs `wanted`, by what they are wanted for. Raises ModelRefused or ModelFailed."""
    session = _sessions[sha256]
    inputs = {one.name: one.type for one in session.get_inputs()}
    outputs = [one.name for one in session.get_outputs()]
    entry = name or next(iter(inputs))
    if entry not in inputs or (name is None and len(inputs) > 1):
        raise ModelRefused(f"the card must name one of the inputs {', '.join(inputs)}"[:300])
    names = {use: output or outputs[0] for use, output in wanted.items()}
    for output in names.values():
        if output not in outputs:
            raise ModelRefused(
                f"no output is called {output}; there are {', '.join(outputs)}"[:300]
            )
    feed = numbers.astype(_TYPES.get(inputs[entry], np.float32))
    try:
        found = session.run(list(names.values()), {entry: feed})
    except Exception as error:  # as above
        raise ModelFailed(f"the run failed: {error}"[:300]) from error
    if any(np.asarray(one).size > MOST_NUMBERS for one in found):
        raise ModelFailed("an output is larger than any answer may be")
    return {use: np.asarray(one, np.float32) for use, one in zip(names, found, strict=True)}
