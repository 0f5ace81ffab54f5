"""A snapshot comes back as it was written, or is refused by name: whatever happened to the file."""

import json
import os
import stat
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.errors import IndexDamaged, StorageUnavailable
from haechi.index import snapshot

KIND = "things/1"
SECTIONS = {
    "keys": np.arange(7, dtype=np.int64) - 3,
    "hashes": np.arange(12, dtype=np.uint64).reshape(3, 4) << np.uint64(50),
    "none": np.empty((0, 512), dtype=np.int8),
    "bytes": np.frombuffer(b"\x01haechi", dtype=np.uint8),
    "floats": np.array([[0.5, -1.0]], dtype=np.float32),
}
META = {"seq": 2**60, "words": ["해치", "ok"]}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "one.index"
    snapshot.write(path, KIND, META, SECTIONS)
    return path.read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "some.index"


def refused(place: Path, content: bytes) -> str:
    place.write_bytes(content)
    with pytest.raises(IndexDamaged) as error:
        snapshot.read(place, KIND)
    assert str(error.value).startswith(str(place))
    return error.value.why


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "one.index"
    snapshot.write(path, KIND, META, SECTIONS)
    meta, found = snapshot.read(path, KIND)
    assert meta == META
    assert list(found) == list(SECTIONS)
    for name, array in SECTIONS.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tolist() == array.tolist()
        assert not found[name].flags.writeable
        assert found[name].ctypes.data % 64 == 0 or not array.size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["one.index"]  # noqa: PTH208 - hidden ones too


@given(st.dictionaries(st.text(max_size=5), st.integers(0, 2000), max_size=6), st.integers())
def test_any_number_of_sections_of_any_length(place: Path, lengths: Any, number: int) -> None:
    made = {name: np.arange(length, dtype=np.uint8) for name, length in lengths.items()}
    snapshot.write(place, KIND, {"number": number}, made)
    meta, found = snapshot.read(place, KIND)
    assert meta == {"number": number}
    assert {name: array.tolist() for name, array in found.items()} == {
        name: array.tolist() for name, array in made.items()
    }


def test_every_flipped_bit_is_noticed(whole: bytes, place: Path) -> None:
    """All bits of the head, the table and the small sections, with the zeros between."""
    for at in range(len(whole)):
        bit = 1 << (at * 5 % 8)
        refused(place, whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])


@given(data=st.data())
def test_flipped_bits_anywhere(whole: bytes, place: Path, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for at, bit in data.draw(
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 7)), min_size=1)
    ):
        damaged[at] ^= 1 << bit
    if damaged != whole:
        refused(place, bytes(damaged))


def test_every_cut_is_noticed(whole: bytes, place: Path) -> None:
    for length in range(len(whole)):
        refused(place, whole[:length])
    refused(place, whole + b"\0")


@given(st.binary(max_size=300))
def test_foreign_files_are_refused(place: Path, content: bytes) -> None:
    refused(place, content)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(IndexDamaged):
            snapshot.read(path, KIND)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(IndexDamaged, match="is no snapshot"):
        snapshot.read(tmp_path / "pipe", KIND)


def forged(whole: bytes, change: Callable[[dict[str, Any]], None], **head: int) -> bytes:
    """A file whose table was changed and whose checksums fit again: made by a person."""
    magic, version, order, length, total, _ = struct.unpack("<8sIIQQI28x", whole[:64])
    document = json.loads(whole[64 : 64 + length])
    change(document)
    table = json.dumps(document, separators=(",", ":")).encode()
    assert len(table) <= length
    table = table.ljust(length)
    version, order = head.get("version", version), head.get("order", order)
    total = head.get("total", total)
    front = struct.pack("<8sIIQQI28x", magic, version, order, len(table), total, 0)
    crc = zlib.crc32(table, zlib.crc32(front[:32]))
    return (
        struct.pack("<8sIIQQI28x", magic, version, order, len(table), total, crc)
        + table
        + whole[64 + length :]
    )


def section(number: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["sections"][number].update(changes)


FORGERIES: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (section(0, offset=1 << 40), "reaches past"),
    (
        lambda document: section(3, **{**document["sections"][0], "name": "bytes"})(document),
        "overlap",
    ),
    (section(0, offset=-64), "impossible place"),
    (section(0, offset=1), "impossible place"),
    (section(0, offset=1.0), "impossible place"),
    (section(0, shape=[1 << 62, 8]), "reaches past"),
    (section(0, shape=[-7]), "impossible form"),
    (section(0, shape=[True]), "impossible form"),
    (section(0, shape=[6]), "damaged section"),
    (section(0, shape=[7, 1] + [1] * 9), ""),
    (section(0, dtype="|O"), "impossible form"),
    (section(0, dtype="<u4"), "damaged section"),
    (section(0, name="none"), "two sections"),
    (section(0, name=[]), "no sense"),
    (section(0, more=1), "no sense"),
    (lambda document: document["sections"].pop(), "no section"),
    (lambda document: document["sections"].append(1), "no sense"),
    (lambda document: document.pop("meta"), "no sense"),
    (lambda document: document.update(meta=1), "no sense"),
    (lambda document: document.update(kind="things/2"), "holds 'things/2', not 'things/1'"),
    (lambda document: document.update(kind=None), "holds None"),
]


@pytest.mark.parametrize(("change", "why"), FORGERIES, ids=range(len(FORGERIES)))
def test_a_forged_table_reaches_no_memory(
    whole: bytes, place: Path, change: Callable[[dict[str, Any]], None], why: str
) -> None:
    content = forged(whole, change)
    if why:
        assert why in refused(place, content)
    else:
        place.write_bytes(content)
        assert snapshot.read(place, KIND)[1]["keys"].size == 7


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ({"version": 2}, "container version 2, not 1"),
        ({"version": 0}, "container version 0, not 1"),
        ({"order": 0x04030201}, "byte order"),
        ({"total": 1 << 50}, "bytes long"),
    ],
)
def test_other_versions_are_refused(
    whole: bytes, place: Path, head: dict[str, int], why: str
) -> None:
    assert why in refused(place, forged(whole, lambda _: None, **head))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "one.index"
    snapshot.write(path, KIND, META, SECTIONS)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        snapshot.write(path, KIND, {}, {"x": np.array(["a"])})
    with pytest.raises(StorageUnavailable):
        snapshot.write(tmp_path / "absent" / "one.index", KIND, {}, {})
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_replaced_file_stays_with_those_who_have_it_open(tmp_path: Path) -> None:
    path = tmp_path / "one.index"
    snapshot.write(path, KIND, META, SECTIONS)
    _, old = snapshot.read(path, KIND)
    snapshot.write(path, KIND, META, {"keys": np.zeros(9, dtype=np.int64)})
    assert old["keys"].tolist() == SECTIONS["keys"].tolist()
    assert snapshot.read(path, KIND)[1]["keys"].tolist() == [0] * 9


@given(st.lists(st.integers(-3, 12), max_size=5), st.integers(0, 12))
def test_in_range(numbers: list[int], below: int) -> None:
    array = np.array(numbers, dtype=np.int64)
    assert snapshot.in_range(array, below) == all(0 <= number < below for number in numbers)
