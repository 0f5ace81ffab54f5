"""Tiny ONNX models, written byte by byte: real files that ONNX Runtime runs, without its tools.

The wire format of protocol buffers, and of onnx.proto3 the few fields that are needed.
"""

import struct
from collections.abc import Sequence

_FLOAT = 1


def mean_model(
    *, gain: float = 20.0, zero: float = 0.5, classes: int = 1, zero_from: str | None = None
) -> bytes:
    """A picture's mean as its score, and the mean of its channels as a map.

    (1, 3, h, w) -> "score" (1, classes): the last is gain * (mean - zero), the others 0; and
    -> "map" (1, 1, h, w). `zero_from` is a file that ONNX Runtime should read `zero` from.
    """
    weights = [0.0] * (classes - 1) + [gain]
    nodes = [
        _node("ReduceMean", ["x"], ["m"], _ints("axes", [1, 2, 3]), _int("keepdims", 0)),
        _node("Sub", ["m", "zero"], ["d"]),
        _node("Unsqueeze", ["d"], ["u"], _ints("axes", [1])),
        _node("MatMul", ["u", "w"], ["score"]),
        _node("ReduceMean", ["x"], ["map"], _ints("axes", [1]), _int("keepdims", 1)),
    ]
    tensors = [_tensor("w", [1, classes], weights)]
    if zero_from is None:
        tensors.append(_tensor("zero", [1], [zero]))
    else:
        entry = _field(1, b"location") + _field(2, zero_from.encode())
        told = _field(1, 1) + _field(2, _FLOAT) + _field(8, b"zero")
        tensors.append(told + _field(13, entry) + _field(14, 1))
    return _model(nodes, tensors, [_value("x", ["n", 3, "h", "w"])], ["score", "map"])


def endless_model() -> bytes:
    """Multiplies matrices of 1,500 x 1,500 a thousand times: minutes."""
    nodes = [
        _node("ReduceMean", ["x"], ["one"], _int("keepdims", 0)),
        _node("Expand", ["one", "big"], ["m0"]),
    ]
    nodes += [_node("MatMul", [f"m{n}", "m0"], [f"m{n + 1}"]) for n in range(1000)]
    nodes.append(_node("ReduceMean", ["m1000"], ["score"], _int("keepdims", 0)))
    sizes = _tensor_ints("big", [1500, 1500])
    return _model(nodes, [sizes], [_value("x", ["n", 3, "h", "w"])], ["score"])


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    made = bytearray()
    while number >= 0x80:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number])


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _int(name: str, value: int) -> bytes:
    return _field(1, name.encode()) + _field(3, value) + _field(20, 2)


def _ints(name: str, values: Sequence[int]) -> bytes:
    return _field(1, name.encode()) + b"".join(_field(8, one) for one in values) + _field(20, 7)


def _node(kind: str, inputs: Sequence[str], outputs: Sequence[str], *attributes: bytes) -> bytes:
    parts = [_field(1, one.encode()) for one in inputs] + [
        _field(2, one.encode()) for one in outputs
    ]
    return b"".join([*parts, _field(4, kind.encode()), *(_field(5, one) for one in attributes)])


def _tensor(name: str, sides: Sequence[int], values: Sequence[float]) -> bytes:
    raw = struct.pack(f"<{len(values)}f", *values)
    told = b"".join(_field(1, side) for side in sides) + _field(2, _FLOAT)
    return told + _field(8, name.encode()) + _field(9, raw)


def _tensor_ints(name: str, values: Sequence[int]) -> bytes:
    raw = struct.pack(f"<{len(values)}q", *values)
    return _field(1, len(values)) + _field(2, 7) + _field(8, name.encode()) + _field(9, raw)


def _value(name: str, sides: Sequence[int | str] | None) -> bytes:
    shape = b""
    if sides is not None:
        dims = [
            _field(1, _field(1, one) if isinstance(one, int) else _field(2, one.encode()))
            for one in sides
        ]
        shape = _field(2, b"".join(dims))
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, _FLOAT) + shape))


def _model(
    nodes: Sequence[bytes],
    tensors: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Sequence[str],
) -> bytes:
    graph = b"".join(
        [
            *(_field(1, one) for one in nodes),
            _field(2, b"made"),
            *(_field(5, one) for one in tensors),
            *(_field(11, one) for one in inputs),
            *(_field(12, _value(one, None)) for one in outputs),
        ]
    )
    return _field(1, 7) + _field(7, graph) + _field(8, _field(2, 11))
