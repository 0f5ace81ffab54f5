"""Blobs in a local folder: complete or absent, whatever happens."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi.blobs import LocalStore
from haechi.blobs.local import MARKER
from haechi.errors import BlobError, BlobMissing, StorageUnavailable

NAME = "0123456789abcdef" * 2


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "blobs", new_name=iter([NAME, "f" * 32, "e" * 32]).__next__)


def put(store: LocalStore, data: bytes) -> str:
    with store.new() as writer:
        writer.write(data)
        return writer.commit()


def files(store: LocalStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file() and path.name != MARKER]


def test_what_is_committed_is_there_and_whole(store: LocalStore) -> None:
    name = put(store, b"sealed bytes")
    with store.open(name) as blob:
        assert blob.read() == b"sealed bytes"
    assert (name, store.size(name), store.exists(name)) == (NAME, 12, True)
    assert files(store) == [store.root / "01" / "23" / NAME]


def test_names_are_listed_in_order_and_go_with_the_blob(store: LocalStore) -> None:
    names = [put(store, b"x") for _ in range(3)]
    assert list(store.names()) == sorted(names)
    store.delete(names[0])
    assert list(store.names()) == sorted(names[1:])
    assert not store.exists(names[0])


def test_names_come_from_the_random_source(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "blobs")
    names = {put(store, b"") for _ in range(20)}
    assert len(names) == 20
    assert all(len(bytes.fromhex(name)) == 16 for name in names)


def test_only_the_owner_may_read(store: LocalStore) -> None:
    put(store, b"x")
    modes = {path.stat().st_mode & 0o077 for path in [store.root, *store.root.rglob("*")]}
    assert modes == {0}


def test_a_blob_has_no_name_before_commit(store: LocalStore) -> None:
    writer = store.new()
    writer.write(b"half")
    assert writer.size == 4
    assert list(store.names()) == []
    assert not store.exists(NAME)
    writer.discard()
    writer.discard()
    assert files(store) == []


def test_leaving_the_block_discards(store: LocalStore) -> None:
    with pytest.raises(ZeroDivisionError), store.new() as writer:
        writer.write(bytes(1 // 0))
    assert files(store) == []


def test_discard_after_commit_does_nothing(store: LocalStore) -> None:
    writer = store.new()
    name = writer.commit()
    writer.discard()
    assert store.size(name) == 0


@pytest.mark.parametrize("act", ["write", "commit"])
def test_a_closed_writer_refuses(store: LocalStore, act: str) -> None:
    writer = store.new()
    writer.commit()
    with pytest.raises(BlobError):
        writer.write(b"x") if act == "write" else writer.commit()


@pytest.mark.parametrize("kill_at", ["before", "after"])
def test_killed_at_any_instant_there_is_all_or_nothing(tmp_path: Path, kill_at: str) -> None:
    """B14: SIGKILL right before commit leaves no blob, right after it a whole one."""
    script = f"""
import os, pathlib, signal
from haechi.blobs import LocalStore
writer = LocalStore(pathlib.Path({str(tmp_path / "blobs")!r})).new()
writer.write(b"x" * 300000)
if {kill_at == "before"}: os.kill(os.getpid(), signal.SIGKILL)
writer.commit()
os.kill(os.getpid(), signal.SIGKILL)
"""
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own script
        [sys.executable, "-c", script], check=False, env={**os.environ, "PYTHONPATH": str(source)}
    )
    assert done.returncode == -signal.SIGKILL
    store = LocalStore(tmp_path / "blobs")
    assert len(files(store)) == 1
    assert [store.size(name) for name in store.names()] == [300_000] * (kill_at == "after")


def test_everything_is_synced_before_the_name_is_given(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        synced.append((str(path.relative_to(store.root)), (store.root / "01/23" / NAME).exists()))
        real(handle)

    writer = store.new()
    monkeypatch.setattr(os, "fsync", fsync)
    writer.write(b"x")
    writer.commit()
    assert synced == [
        (f"01/23/.{NAME}", False),
        ("01/23", True),
        ("01", True),
        (".", True),
    ]


@pytest.mark.parametrize("failing_call", [1, 2, 3, 4])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_failed_sync_leaves_nothing(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, failing_call: int, number: int
) -> None:
    calls = 0

    def fsync(handle: int) -> None:
        nonlocal calls
        del handle
        calls += 1
        if calls == failing_call:
            raise OSError(number, os.strerror(number))

    writer = store.new()
    writer.write(b"x")
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageUnavailable, match=os.strerror(number)):
        writer.commit()
    assert files(store) == []
    with pytest.raises(BlobError):
        writer.commit()


@pytest.fixture
def small_files() -> Iterator[None]:
    """The system itself refuses files above 64 KiB, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)


@pytest.mark.usefixtures("small_files")
def test_a_disk_that_refuses_is_told_and_leaves_nothing(store: LocalStore) -> None:
    with store.new() as writer, pytest.raises(StorageUnavailable):
        writer.write(bytes(200_000))
    assert files(store) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EMFILE])
@pytest.mark.parametrize(
    "act",
    [lambda store: store.new(), lambda store: store.open(NAME)],
    ids=["new", "open"],
)
def test_what_the_system_refuses_is_storage_unavailable(
    store: LocalStore,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    act: Callable[[LocalStore], object],
) -> None:
    folder = store.root / "01" / "23"
    folder.mkdir(parents=True)
    (folder / NAME).touch()

    def refuse(*_args: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageUnavailable):
        act(store)


def test_a_root_that_is_no_folder_or_gone_is_storage_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable):
        LocalStore(tmp_path / "file" / "below")
    store = LocalStore(tmp_path / "gone")
    shutil.rmtree(tmp_path / "gone")
    for act in (store.open, store.size, store.exists, store.delete):
        with pytest.raises(StorageUnavailable):
            act(NAME)
    with pytest.raises(StorageUnavailable):
        list(store.names())
    with pytest.raises(StorageUnavailable):
        store.new()


@pytest.mark.parametrize("act", ["open", "size", "delete"])
def test_no_blob_of_that_name(store: LocalStore, act: str) -> None:
    with pytest.raises(BlobMissing):
        getattr(store, act)(NAME)


BAD_NAMES = [
    "",
    ".",
    "..",
    "../" * 10 + "etc/passwd",
    "/etc/passwd",
    NAME.upper(),
    NAME[:-1],
    NAME + "0",
    NAME + "\n",
    NAME[:-1] + "g",
    "." + NAME[1:],
    NAME[:-1] + "\0",
    "\uff10" * 32,
    "\u0660" * 32,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_no_name_reaches_nothing(store: LocalStore, name: str) -> None:
    """B16: whatever it is, it is no blob."""
    put(store, b"x")
    (store.root / "01" / "23" / f"{NAME}0").touch()
    (store.root / "01" / "23" / f".{NAME[1:]}").touch()
    for act in (store.open, store.size, store.delete):
        with pytest.raises(BlobMissing):
            act(name)
    assert not store.exists(name)


@given(name=st.text(max_size=40).filter(lambda text: text != NAME))
@settings(max_examples=100, deadline=None)
def test_no_text_but_a_name_is_ever_a_blob(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = LocalStore(tmp_path_factory.getbasetemp() / "any", new_name=lambda: NAME)
    if not store.exists(NAME):
        put(store, b"x")
    with pytest.raises(BlobMissing):
        store.open(name)


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_was_put_in_place_of_a_blob_is_none(
    store: LocalStore, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "secret").write_bytes(b"not yours")
    path = store.root / "01" / "23" / NAME
    path.parent.mkdir(parents=True)
    {
        "link": lambda: path.symlink_to(tmp_path / "secret"),
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
    }[kind]()
    assert not store.exists(NAME)
    assert list(store.names()) == []
    with pytest.raises(BlobMissing):
        store.open(NAME)


def test_other_things_in_the_folder_are_not_listed(store: LocalStore) -> None:
    name = put(store, b"x")
    (store.root / "lost+found").mkdir()
    (store.root / "README").touch()
    (store.root / "01" / "notes").touch()
    (store.root / "01" / "23" / ("." + "a" * 32)).touch()
    (store.root / "01" / "23" / ("a" * 32)).touch()
    assert list(store.names()) == [name]


def test_an_unmounted_disk_is_away_and_misses_nothing(store: LocalStore, tmp_path: Path) -> None:
    """The empty folder in its place: no blob is missing, none is written, none counts as deleted."""
    name = put(store, b"x")
    store.root.rename(tmp_path / "disk")
    store.root.mkdir()
    for act in (store.open, store.size, store.exists, store.delete):
        with pytest.raises(StorageUnavailable):
            act(name)
    with pytest.raises(StorageUnavailable):
        list(store.names())
    with pytest.raises(StorageUnavailable):
        LocalStore(store.root)
    store.root.rmdir()
    (tmp_path / "disk").rename(store.root)
    assert LocalStore(store.root).exists(name)


def test_a_folder_from_before_the_marker_goes_on(store: LocalStore) -> None:
    name = put(store, b"x")
    (store.root / MARKER).unlink()
    assert LocalStore(store.root).exists(name)
    assert (store.root / MARKER).exists()


def test_an_empty_folder_is_taken_into_use_where_nothing_was_stored(tmp_path: Path) -> None:
    assert put(LocalStore(tmp_path, unused=lambda: True), b"x")
    assert (tmp_path / MARKER).exists()
