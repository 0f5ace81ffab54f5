"""The service as real processes under Granian: replaced and ended without losing a request."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.unit.match_house import DIGEST_KEY, KEY, Database, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(120)]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HEADERS = f"Host: a\r\nAuthorization: Bearer {KEY}\r\n".encode()
LOOKUP = f"/m/lookup?signal_type=pdq&signal={'0f' * 32}".encode()


@asynccontextmanager
async def processes(
    database: Database, folder: Path, *options: str
) -> AsyncIterator[tuple[int, subprocess.Popen[bytes]]]:
    """`haechi match-service`, once it answers; its port and its first process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        **os.environ,
        "HAECHI_SECRET_KEY": "x",
        "HAECHI_DATABASE_URL": database.url,
        "HAECHI_DIGEST_KEY": DIGEST_KEY.hex(),
        "HAECHI_HOME": str(folder),
        "HAECHI_HMA": "1",
        "HAECHI_MATCH_DECODERS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with subprocess.Popen(  # noqa: ASYNC220, S603
        [sys.executable, "-m", "haechi.cli", "match-service", "--port", str(port), *options],
        env=environ,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as first:
        try:
            async with asyncio.timeout(60):
                while not (await answer(port, b"GET", b"/ready")).startswith(b"HTTP/1.1 200"):
                    assert first.poll() is None, first.stderr and first.stderr.read()
                    await asyncio.sleep(0.1)
            yield port, first
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(first.pid, signal.SIGKILL)


async def answer(port: int, method: bytes, path: bytes) -> bytes:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return b""
    writer.write(method + b" " + path + b" HTTP/1.1\r\n" + HEADERS + b"Connection: close\r\n\r\n")
    try:
        return await asyncio.wait_for(reader.read(), 60)
    except OSError:
        return b""
    finally:
        writer.close()


async def slow_upload(
    port: int, photo: bytes, seconds: float, begun: asyncio.Event | None = None
) -> bytes:
    """A picture that arrives over `seconds`; the first line of the answer.

    `begun` is set once a process has read the head and asks for the body (RFC 9110, 100-continue).
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    length = b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(photo)
    writer.write(b"POST /v1/match?fingerprints=pdq HTTP/1.1\r\n" + HEADERS + length)
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60) == CONTINUE
    if begun is not None:
        begun.set()
    step = len(photo) // 10 + 1
    for start in range(0, len(photo), step):
        await asyncio.sleep(seconds / 10)
        writer.write(photo[start : start + step])
        await writer.drain()
    line = await asyncio.wait_for(reader.readline(), 60)
    writer.close()
    return line


def children(process: int) -> set[int]:
    """The processes that serve; decoders are children of these."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return {int(number) for number in text.split()}


async def test_no_request_is_lost_while_every_process_is_replaced_and_when_it_ends(
    database: Database, tmp_path: Path, photo: bytes
) -> None:
    async with processes(database, tmp_path, "--workers", "2", "--reload-wait", "1") as (
        port,
        first,
    ):
        before, asking = children(first.pid), True
        answers: list[bytes] = []

        async def ask() -> None:
            # A process that ends may close a connection before it has read anything of it; nothing
            # was done then, and clients ask again.
            while asking:
                if said := (await answer(port, b"GET", LOOKUP))[:15]:
                    answers.append(said)

        askers = [asyncio.create_task(ask()) for _ in range(2)]
        begun = asyncio.Event()
        upload = asyncio.create_task(slow_upload(port, photo, 2.0, begun))
        await begun.wait()
        first.send_signal(signal.SIGHUP)

        async def replaced() -> bool:
            now = children(first.pid)
            return not now & before and len(now) == len(before)

        await until(replaced)
        seen = len(answers)

        async def asked_on() -> bool:
            return len(answers) >= seen + 20

        await until(asked_on)
        asking = False
        await asyncio.gather(*askers)
        assert set(answers) == {b"HTTP/1.1 200 OK"}
        assert (await upload).startswith(b"HTTP/1.1 200")

        begun = asyncio.Event()
        upload = asyncio.create_task(slow_upload(port, photo, 2.0, begun))
        await begun.wait()
        first.send_signal(signal.SIGTERM)
        assert (await upload).startswith(b"HTTP/1.1 200")
        assert await asyncio.to_thread(first.wait, 120) == 0
        assert first.stderr is not None
        said = first.stderr.read().decode()
    assert "replacing each process" in said
    assert "stopped; what was under way has been answered" in said
    assert database.number("SELECT count(*) FROM matching_check") == 2
    assert await answer(port, b"GET", b"/health") == b""


async def test_connections_are_spread_over_all_processes(
    database: Database, tmp_path: Path
) -> None:
    """Each answers some of 64 connections that are open together, also after all were replaced."""
    async with processes(database, tmp_path, "--workers", "2", "--reload-wait", "1") as (
        port,
        first,
    ):

        async def answering() -> set[bytes]:
            texts = await asyncio.gather(*(answer(port, b"GET", b"/metrics") for _ in range(64)))
            return {text.partition(b'process="')[2].partition(b'"')[0] for text in texts}

        async def both(known: set[int]) -> bool:
            return await answering() == {b"%d" % number for number in known}

        before = children(first.pid)
        await until(lambda: both(before))
        first.send_signal(signal.SIGHUP)

        async def replaced() -> bool:
            now = children(first.pid)
            return len(now) == len(before) and not now & before

        await until(replaced)
        await until(lambda: both(children(first.pid)))
