"""A load generator of one process: keep-alive where the server allows it, raw bytes, no client library.

Reads one JSON object from standard input and prints one:
in: {"host", "port", "requests": [base64, ...], "clients", "seconds", "per_s": number or null}
out: {"per_s", "seconds", "p50_ms", "p99_ms", "bad", "cpu_us"}

Without `per_s` each client sends its next request when the last was answered. With it, requests
start at fixed times whatever the server does, and a request that had to wait for a free client is
counted from the time it was due: a server that stalls pays for all who came meanwhile.
"""

import asyncio
import base64
import json
import random
import sys
import time
from collections.abc import Callable


class Client:
    """One connection, opened again when the server closes it, as gunicorn's sync workers do."""

    def __init__(self, host: str, port: int) -> None:
        self._where = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> bool:
        """Send and read the whole answer; True for a 200."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._where)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        start = head.find(b"content-length: ") + 16
        length = int(head[start : head.index(b"\r", start)]) if start > 15 else 0
        if length:
            await reader.readexactly(length)
        if b"connection: close" in head:
            writer.close()
            self._streams = None
        if not (good := head.startswith(b"http/1.1 200")):
            print(head[:300], file=sys.stderr)
        return good


async def closed(asked: dict, took_s: list[float], count: Callable[[bool], None]) -> None:  # type: ignore[type-arg]
    until = time.perf_counter() + asked["seconds"]

    async def one() -> None:
        client = Client(asked["host"], asked["port"])
        requests, at = asked["requests"], random.randrange(len(asked["requests"]))  # noqa: S311
        while (started := time.perf_counter()) < until:
            at = (at + 1) % len(requests)
            count(await client.ask(requests[at]))
            took_s.append(time.perf_counter() - started)

    await asyncio.gather(*(one() for _ in range(asked["clients"])))


async def paced(asked: dict, took_s: list[float], count: Callable[[bool], None]) -> None:  # type: ignore[type-arg]
    started, step_s = time.perf_counter(), 1 / asked["per_s"]
    due = iter(
        started + number * step_s for number in range(int(asked["per_s"] * asked["seconds"]))
    )

    async def one() -> None:
        client = Client(asked["host"], asked["port"])
        for moment in due:
            if (early_s := moment - time.perf_counter()) > 0:
                await asyncio.sleep(early_s)
            count(await client.ask(random.choice(asked["requests"])))  # noqa: S311
            took_s.append(time.perf_counter() - moment)

    await asyncio.gather(*(one() for _ in range(asked["clients"])))


async def run(asked: dict) -> dict[str, float]:  # type: ignore[type-arg]
    asked["requests"] = [base64.b64decode(one) for one in asked["requests"]]
    took_s: list[float] = []
    bad = 0

    def count(good: bool) -> None:  # noqa: FBT001
        nonlocal bad
        bad += not good

    started, cpu = time.perf_counter(), time.process_time()
    await (paced if asked.get("per_s") else closed)(asked, took_s, count)
    elapsed_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    took_s.sort()
    return {
        "per_s": len(took_s) / elapsed_s,
        "seconds": elapsed_s,
        "p50_ms": took_s[len(took_s) // 2] * 1e3,
        "p99_ms": took_s[int(len(took_s) * 0.99)] * 1e3,
        "bad": bad,
        "cpu_us": cpu_s / len(took_s) * 1e6,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
