"""Values between this process and a sandbox process: JSON for the shape, raw bytes for the bulk.

Not pickle: the child opens hostile files, and whoever takes it over must not be able to answer
with code. What can be sent is None, bool, int, float, str, bytes, tuples, lists, dicts with text
keys, NumPy arrays of numbers, and the enums and dataclasses of the package `haechi`, which are
looked up by name and built from their fields.
"""

import dataclasses
import json
import sys
from enum import Enum
from typing import Any

import numpy as np

_KEY = "!"
_PACKAGE = "haechi"


def encode(value: object) -> bytes:
    """The bytes of `value`: 8 for the length of the JSON, the JSON, then the bulk.

    Raises TypeError for a value that cannot be sent.
    """
    bulk = _Bulk()
    shape = json.dumps(_fold(value, bulk)).encode()
    return b"".join([len(shape).to_bytes(8, "big"), shape, *bulk.parts])


def decode(message: bytes) -> Any:  # noqa: ANN401 - whatever was sent
    """The value of an encoded message. Raises ValueError for anything else.

    Arrays are views of the message: read-only, and nothing is copied.
    """
    end = 8 + int.from_bytes(message[:8], "big")
    try:
        return _unfold(json.loads(message[8:end]), memoryview(message)[end:])
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        msg = f"not a message: {error}"
        raise ValueError(msg) from error


@dataclasses.dataclass(slots=True)
class _Bulk:
    """Raw bytes that follow the JSON, and how many there are so far."""

    parts: list[bytes] = dataclasses.field(default_factory=list)
    length: int = 0


def _fold(value: object, bulk: _Bulk) -> object:
    if isinstance(value, Enum):
        return {_KEY: "enum", "of": _name(type(value)), "value": _fold(value.value, bulk)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return {_KEY: "bytes", "at": _put(value, bulk)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        place = _put(value.tobytes(), bulk)
        return {_KEY: "array", "at": place, "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, np.generic):
        return _fold(value.item(), bulk)
    if isinstance(value, list):
        return [_fold(item, bulk) for item in value]
    if isinstance(value, tuple):
        return {_KEY: "tuple", "items": [_fold(item, bulk) for item in value]}
    if isinstance(value, dict):
        return {_KEY: "dict", "items": [[str(k), _fold(v, bulk)] for k, v in value.items()]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _fold(getattr(value, f.name), bulk) for f in dataclasses.fields(value)}
        return {_KEY: "data", "of": _name(type(value)), "fields": fields}
    msg = f"{type(value).__name__} cannot be sent to or from a sandbox"
    raise TypeError(msg)


def _put(content: bytes, bulk: _Bulk) -> list[int]:
    start = bulk.length
    bulk.parts.append(content)
    bulk.length += len(content)
    return [start, bulk.length]


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _unfold(shape: Any, bulk: memoryview) -> Any:  # noqa: ANN401 - JSON in, anything out
    if isinstance(shape, list):
        return [_unfold(item, bulk) for item in shape]
    if not isinstance(shape, dict):
        return shape
    match shape[_KEY]:
        case "bytes":
            return bytes(_bulk(shape, bulk))
        case "array":
            flat = np.frombuffer(_bulk(shape, bulk), dtype=np.dtype(str(shape["dtype"])))
            return flat.reshape(shape["shape"])
        case "tuple":
            return tuple(_unfold(item, bulk) for item in shape["items"])
        case "dict":
            return {str(key): _unfold(item, bulk) for key, item in shape["items"]}
        case "enum":
            return _kind(shape["of"], Enum)(_unfold(shape["value"], bulk))
        case "data":
            fields = {name: _unfold(item, bulk) for name, item in shape["fields"].items()}
            return _kind(shape["of"], object)(**fields)
        case other:
            msg = f"not a message: {other}"
            raise ValueError(msg)


def _bulk(shape: dict[str, Any], bulk: memoryview) -> memoryview:
    start, end = shape["at"]
    if not 0 <= start <= end <= len(bulk):
        msg = "not a message: its bulk is cut short"
        raise ValueError(msg)
    return bulk[start:end]


def _kind(name: str, base: type) -> Any:  # noqa: ANN401 - a class to be called
    """An enum or dataclass of this package that is already imported; nothing else can be named."""
    module, _, qualname = str(name).partition(":")
    if module.split(".")[0] != _PACKAGE:
        msg = f"not a message: {name}"
        raise ValueError(msg)
    found = getattr(sys.modules[module], qualname)
    allowed = isinstance(found, type) and issubclass(found, base)
    if not allowed or not (issubclass(found, Enum) or dataclasses.is_dataclass(found)):
        msg = f"not a message: {name}"
        raise ValueError(msg)
    return found
