"""Blobs in a bucket, over HTTP, with a server of S3 in a process of its own.

The server is moto's, which installs here; HAECHI_TEST_S3 names another, such as
`http://127.0.0.1:18080`, whose credentials are in the environment (docs/vault.md).
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from haechi.blobs import Store
from haechi.blobs.s3 import PART_BYTES, S3Store
from haechi.errors import BlobError, BlobMissing, StorageUnavailable

pytestmark = pytest.mark.timeout(240)
STARTS_WITHIN_S = 60
NAME = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if told := os.environ.get("HAECHI_TEST_S3"):
        yield told
        return
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(  # noqa: S603  # a server of ours
        program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(address)
        yield address
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", os.environ.get("AWS_ACCESS_KEY_ID", "test"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", os.environ.get("AWS_SECRET_ACCESS_KEY", "test"))
    name = f"haechi-{uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=server, region_name="us-east-1").create_bucket(Bucket=name)
    return name


@pytest.fixture
def store(server: str, bucket: str) -> S3Store:
    return S3Store(f"s3://{bucket}/exhibits", endpoint=server)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str) -> None:
    end = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310  # our own server
        except OSError:
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.1)
        else:
            return


def put(store: Store, data: bytes) -> str:
    with store.new() as writer:
        writer.write(data)
        return writer.commit()


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, 2 * PART_BYTES + 5])
def test_what_is_committed_is_there_and_whole(store: S3Store, size: int) -> None:
    data = (bytes(range(256)) * (size // 256 + 1))[:size]

    name = put(store, data)

    with store.open(name) as blob:
        assert blob.read(10) + blob.read() == data
    assert (store.size(name), store.exists(name), list(store.names())) == (size, True, [name])
    assert list(store.unfinished()) == []
    store.delete(name)
    assert not store.exists(name)
    with pytest.raises(BlobMissing):
        store.delete(name)


def test_nothing_has_a_name_before_commit(store: S3Store) -> None:
    """B14: an upload that died on the way is no blob, and is found."""
    writer = store.new()
    writer.write(bytes(PART_BYTES + 1))

    assert list(store.names()) == []
    [(token, _begun)] = list(store.unfinished())
    store.drop_unfinished(token)
    store.drop_unfinished(token)
    with pytest.raises(StorageUnavailable):
        writer.commit()
    assert (list(store.names()), list(store.unfinished())) == ([], [])


def test_leaving_the_block_discards_and_a_closed_writer_refuses(store: S3Store) -> None:
    with store.new() as writer:
        writer.write(bytes(PART_BYTES + 1))

    assert (list(store.names()), list(store.unfinished())) == ([], [])
    with pytest.raises(BlobError):
        writer.write(b"more")


def test_a_local_part_is_adopted_once(store: S3Store, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"sealed" * 100)

    store.adopt(part, NAME)
    store.adopt(part, NAME)

    assert (part.exists(), store.size(NAME)) == (False, 600)
    with pytest.raises(BlobMissing):
        store.adopt(part, "f" * 32)


@pytest.mark.parametrize("name", ["", "..", "a/b", NAME.upper(), NAME + "0"])
def test_a_name_that_is_no_name_reaches_nothing(store: S3Store, name: str) -> None:
    for act in (store.open, store.size, store.delete):
        with pytest.raises(BlobMissing):
            act(name)


def test_two_prefixes_of_a_bucket_do_not_see_each_other(
    server: str, bucket: str, store: S3Store
) -> None:
    other = S3Store(f"s3://{bucket}/other", endpoint=server)
    name = put(store, b"sealed")

    assert list(other.names()) == []
    with pytest.raises(BlobMissing):
        other.open(name)


def test_a_bucket_that_is_not_there_is_storage_that_is_away(server: str, bucket: str) -> None:
    away = S3Store("s3://haechi-not-there", endpoint=server)

    with pytest.raises((StorageUnavailable, BlobMissing)):
        put(away, b"sealed")


def test_a_service_that_is_away_is_told_and_nothing_of_it_quoted(bucket: str) -> None:
    away = S3Store(f"s3://{bucket}", endpoint=f"http://127.0.0.1:{_free_port()}")

    with pytest.raises(StorageUnavailable) as told:
        put(away, b"sealed")

    assert "127.0.0.1" not in str(told.value)


def test_a_service_that_never_answers_is_given_up(bucket: str) -> None:
    """It takes the connection and says nothing; three tries of a second each."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        store = S3Store(f"s3://{bucket}", endpoint=endpoint, timeouts_s=(1, 1))
        with pytest.raises(StorageUnavailable, match="Timeout"):
            store.size(NAME)


def test_an_address_of_another_form_is_refused() -> None:
    for address in ("http://bucket", "s3://", "bucket"):
        with pytest.raises(BlobError):
            S3Store(address)
