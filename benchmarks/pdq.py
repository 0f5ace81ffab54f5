"""From the bytes of a picture to PDQ, beside python-threatexchange and a bare decode."""

import cv2
import numpy as np
from skimage import data

from benchmarks.rows import Row, in_turns, row
from haechi import fingerprint
from haechi.fingerprint import pdq
from haechi.fingerprint.hashes import still
from haechi.media import Sandbox, decode

ROUNDS = 40


def measure() -> list[Row]:
    """One megapixel of photograph as JPEG at quality 90, one core."""
    cv2.setNumThreads(1)
    file = jpeg_1mp()
    pixels = decode(file).rgb

    def ours(_: int) -> object:
        return still(file)

    def bare(_: int) -> object:
        return cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)

    mine, decoded = in_turns([ours, bare], ROUNDS)
    rows = [_beside_threatexchange(file, mine)]
    rows.append(
        row(
            "pdq.over_decode",
            mine * 1e3,
            decoded * 1e3,
            "ms",
            "peer: OpenCV's libjpeg-turbo decode of the same bytes to RGB",
        )
    )
    one, eight = in_turns([lambda _: pdq.compute(pixels), lambda _: pdq.dihedral(pixels)], ROUNDS)
    rows.append(
        row("pdq.eight_turns", eight * 1e3, one * 1e3, "ms", "peer: one hash of the same pixels")
    )
    return [*rows, _sandboxed(file)]


def jpeg_1mp() -> bytes:
    """A photograph, 1152 x 896."""
    rgb = cv2.resize(data.astronaut(), (1152, 896), interpolation=cv2.INTER_CUBIC)
    done, file = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    return file.tobytes()


def _beside_threatexchange(file: bytes, ours: float) -> Row:
    name = "pdq.jpeg_1mp"
    bound = "decoding the luminance; peer: threatexchange PdqSignal.hash_from_bytes"
    try:
        from threatexchange.signal_type.pdq.signal import PdqSignal
    except ImportError:
        return row(name, ours * 1e3, None, "ms", "peer threatexchange is not installed")
    mine, peer = in_turns(
        [lambda _: still(file), lambda _: PdqSignal.hash_from_bytes(file)],
        ROUNDS,
    )
    return row(name, mine * 1e3, peer * 1e3, "ms", bound)


def _sandboxed(file: bytes) -> Row:
    """What it costs that a decoder may crash: the same work in a child process."""
    with Sandbox(1) as sandbox:
        inside, outside = in_turns(
            [
                lambda _: sandbox.run(fingerprint.hashes, file),
                lambda _: fingerprint.hashes(file),
            ],
            ROUNDS,
        )
    bound = "peer: the same work in this process; the difference is two copies through a pipe"
    return row("media.sandbox", inside * 1e3, outside * 1e3, "ms", bound)


if __name__ == "__main__":
    from benchmarks.table import show

    show(measure())
