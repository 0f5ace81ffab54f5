"""Arrays in one file that many processes map into memory: the container of every index snapshot.

A file is a head, a table, and the arrays ("sections"), everything little-endian:

    0   8 bytes   magic
    8   uint32    version of this container
    12  uint32    byte-order mark 0x01020304
    16  uint64    bytes of the table
    24  uint64    bytes of the whole file
    32  uint32    CRC-32 of bytes 0..32 and of the table
    36  28 zeros
    64            table: JSON with `kind`, `meta` and, for every section, its name, dtype, shape,
                  offset and CRC-32
    ...           sections, each at a multiple of 64, zeros between them

The checksums are CRC-32: they find every burst of up to 32 bits and all but one in 4e9 of other
damage, at six times the speed of BLAKE2b, and every process pays them at each start. They are no
defence against a person: whoever may write the file can also write its checksums, and so could a
digest without a key. So nothing in a file is trusted with memory: offsets and shapes are checked
here, and each reader checks the row numbers that it hands to compiled code (`in_range`). A file
is never changed in place, only replaced: whoever has the old one mapped keeps it.
"""

import json
import mmap
import os
import stat
import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from haechi.errors import IndexDamaged, StorageUnavailable

Array = NDArray[Any]

MAGIC = b"HAECHIX\n"
VERSION = 1
ALIGN = 64

_HEAD = struct.Struct("<8sIIQQI28x")
_SUMMED = 32
_ORDER = 0x01020304
_MAX_TABLE = 1 << 20
_DTYPES = frozenset({"|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f4", "<f8"})


class _Section(NamedTuple):
    """One row of the table; offset in bytes from the start of the file."""

    name: str
    dtype: str
    shape: list[int]
    offset: int
    crc: int


def write(
    path: str | os.PathLike[str],
    kind: str,
    meta: Mapping[str, Any],
    sections: Mapping[str, Array],
) -> None:
    """Write `sections` to `path` in one step: a reader sees the old file or the whole new one.

    `kind` names what the file holds and in which version, such as "catalog/1". `meta` is what JSON
    can carry. Arrays of unsigned and signed integers and floats, any shape. The file can be read
    by its owner only. Raises StorageUnavailable.
    """
    target = Path(path)
    arrays = {name: _plain(array) for name, array in sections.items()}
    table, offsets, total = _laid_out(kind, meta, arrays)
    try:
        number, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(number, "wb") as file:
                _write_all(file, table, arrays, offsets, total)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise StorageUnavailable(f"{target} cannot be written: {error}") from error


def read(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """(meta, sections) of the file at `path`; the arrays are read-only views of a shared mapping.

    Every byte is checked. Raises IndexDamaged, naming the file and what is wrong: it is absent,
    no snapshot, of another kind or version, of another length, or some checksum does not fit.
    """
    try:
        mapped = _map(Path(path))
    except OSError as error:
        raise IndexDamaged(path, f"cannot be read: {error.strerror}") from error
    try:
        table = _table(mapped, kind)
        parts = [_Section(**row) for row in table["sections"]]
        arrays = {part.name: _section(mapped, part) for part in parts}
        _nothing_between(mapped, parts, arrays)
        meta = dict(table["meta"])
    except _Refused as refused:
        raise IndexDamaged(path, str(refused)) from None
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise IndexDamaged(path, f"has a table that makes no sense: {error!r}") from error
    return meta, arrays


def in_range(numbers: Array, below: int) -> bool:
    """True if every integer of `numbers` lies in 0..below - 1: safe as a row number."""
    return not numbers.size or (int(numbers.min()) >= 0 and int(numbers.max()) < below)


class _Refused(Exception):
    """Why a file is refused; completes a sentence that begins with its path."""


def _plain(array: Array) -> Array:
    """Contiguous and little-endian."""
    found = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    if found.dtype.str not in _DTYPES:
        msg = f"arrays of {array.dtype} do not go into a snapshot"
        raise TypeError(msg)
    return found


def _bytes_of(array: Array) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8))


def _laid_out(
    kind: str, meta: Mapping[str, Any], arrays: Mapping[str, Array]
) -> tuple[bytes, list[int], int]:
    """The table as bytes, the offset of each array, and the length of the file.

    Offsets are counted from the end of the table while its length is not known yet.
    """
    offsets, at = [], 0
    for array in arrays.values():
        offsets.append(at)
        at = _aligned(at + array.nbytes)
    sums = [zlib.crc32(_bytes_of(array)) for array in arrays.values()]
    start = room = 0
    while True:
        rows = [
            _Section(name, array.dtype.str, list(array.shape), start + offset, crc)._asdict()
            for (name, array), offset, crc in zip(arrays.items(), offsets, sums, strict=True)
        ]
        document = {"kind": kind, "meta": dict(meta), "sections": rows}
        table = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
        if len(table) <= room:
            break
        # Longer numbers make a longer table: room for more of them than there are.
        room = len(table) + 16 * len(rows)
        start = _aligned(_HEAD.size + room)
    padded = table.ljust(room)
    return padded, [start + offset for offset in offsets], start + at


def _write_all(
    file: BinaryIO, table: bytes, arrays: Mapping[str, Array], offsets: list[int], total: int
) -> None:
    head = _HEAD.pack(MAGIC, VERSION, _ORDER, len(table), total, 0)
    crc = zlib.crc32(table, zlib.crc32(head[:_SUMMED]))
    file.write(_HEAD.pack(MAGIC, VERSION, _ORDER, len(table), total, crc))
    file.write(table)
    for array, offset in zip(arrays.values(), offsets, strict=True):
        file.write(bytes(offset - file.tell()))
        file.write(_bytes_of(array))
    file.write(bytes(total - file.tell()))


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _map(path: Path) -> memoryview:
    """The whole file, read-only. Never blocks on what is no file."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode) or not found.st_size:
            return memoryview(b"")
        return memoryview(mmap.mmap(number, found.st_size, access=mmap.ACCESS_READ))
    finally:
        os.close(number)


def _table(mapped: memoryview, kind: str) -> dict[str, Any]:
    if len(mapped) < _HEAD.size or bytes(mapped[: len(MAGIC)]) != MAGIC:
        raise _Refused("is no snapshot of an index")
    _, version, order, length, total, crc = _HEAD.unpack(mapped[: _HEAD.size])
    if order != _ORDER:
        raise _Refused("was written in another byte order")
    if version != VERSION:
        raise _Refused(f"has container version {version}, not {VERSION}")
    if total != len(mapped):
        raise _Refused(f"is {len(mapped)} bytes long, not {total}")
    if length > min(_MAX_TABLE, total - _HEAD.size):
        raise _Refused("has a table that reaches past its end")
    table = bytes(mapped[_HEAD.size : _HEAD.size + length])
    if zlib.crc32(table, zlib.crc32(mapped[:_SUMMED])) != crc:
        raise _Refused("has a damaged table")
    document = json.loads(table)
    if document["kind"] != kind:
        raise _Refused(f"holds {document['kind']!r}, not {kind!r}")
    return dict(document)


def _section(mapped: memoryview, part: _Section) -> Array:
    if part.dtype not in _DTYPES or any(type(side) is not int or side < 0 for side in part.shape):
        raise _Refused(f"has a section {part.name!r} of an impossible form")
    count = 1
    for side in part.shape:
        count *= side
    length = count * np.dtype(part.dtype).itemsize
    if type(part.offset) is not int or part.offset % ALIGN or part.offset < _HEAD.size:
        raise _Refused(f"has a section {part.name!r} at an impossible place")
    if part.offset + length > len(mapped):
        raise _Refused(f"has a section {part.name!r} that reaches past its end")
    content = mapped[part.offset : part.offset + length]
    if zlib.crc32(content) != part.crc:
        raise _Refused(f"has a damaged section {part.name!r}")
    return np.frombuffer(content, dtype=part.dtype).reshape(part.shape)


def _nothing_between(mapped: memoryview, parts: list[_Section], arrays: dict[str, Array]) -> None:
    """Sections neither overlap nor leave anything but zeros between them."""
    if len(arrays) != len(parts):
        raise _Refused("has two sections of one name")
    _, _, _, length, total, _ = _HEAD.unpack(mapped[: _HEAD.size])
    at = _HEAD.size + int(length)
    for start, end in [*_spans(parts, arrays), (int(total), int(total))]:
        if start < at:
            raise _Refused("has sections that overlap")
        if any(mapped[at:start]):
            raise _Refused("has bytes that belong to no section")
        at = end
    if any(mapped[_SUMMED + 4 : _HEAD.size]):
        raise _Refused("has bytes that belong to no section")


def _spans(parts: list[_Section], arrays: dict[str, Array]) -> Iterator[tuple[int, int]]:
    for part in sorted(parts, key=lambda part: part.offset):
        yield part.offset, part.offset + arrays[part.name].nbytes


def _aligned(offset: int) -> int:
    return -(-offset // ALIGN) * ALIGN
