"""How long a change of a bank takes to be in force in every match process.

`python -m benchmarks.propagation` starts a PostgreSQL and two match services of its own (ports from
PORT on), makes 50 changes as the desk makes them (confirm, withdraw, dispute, release, disable,
enable) and asks both services by HTTP, every few milliseconds, until both answer accordingly. The
time runs from the commit.
"""

import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import httpx

from benchmarks.own_database import installed

CHANGES = 50
PORT = 8510
KEY = "bench-key-of-the-board"
PDQ = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
# baselines: HMA 1.1.7 with its defaults, from adding a hash to its first match.
HMA = "HMA 1.1.7: 54 s in the median at 1 k members, 88 s at 1 M (other machine, its defaults)"


def measure(changes: int = CHANGES, port: int = PORT) -> list[dict[str, object]]:
    """One row for the table: median, with the worst in `bound`."""
    services: list[subprocess.Popen[bytes]] = []
    with installed("worker"):
        try:
            acts = _prepare()
            services += [_serve(port + number) for number in range(2)]
            clients = [_client(port + number) for number in range(2)]
            took_ms = [
                _once(act, outcome, clients) for act, outcome in itertools.islice(acts, changes)
            ]
        finally:
            for service in services:
                service.terminate()
            for service in services:
                service.wait(20)
    return [
        {
            "name": "service.propagation",
            "ours": round(statistics.median(took_ms), 1),
            "peer": None,
            "unit": "ms from commit to both processes",
            "ratio": None,
            "bound": f"worst of {changes}: {max(took_ms):.0f} ms; limit 1,000 ms; {HMA}",
        }
    ]


def _prepare() -> "itertools.cycle[tuple[Callable[[], object], str]]":
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from django.utils import timezone

    from haechi.server.matching import api_keys, banks, listing
    from haechi.server.matching import services as matching
    from haechi.server.matching.models import BankPolicy, MemberStatus

    act = {"actor": "bench", "now": timezone.now()}
    board = matching.register_platform(
        "board", "https://b.example", "https://b.example/h", webhook_secret=b"s" * 32
    )
    scopes = api_keys.FIRST_SCOPES
    api_keys.add(board, KEY, name="first", scopes=scopes, expires_at=None, **act)
    bank = banks.make("bench", BankPolicy.BLOCK, **act)
    new = listing.New("bench", pdq=bytes.fromhex(PDQ), pdq_quality=100)
    [added] = listing.add(bank, [new], status=MemberStatus.PENDING, **act)
    member = banks.numbered(added.member)
    return itertools.cycle(
        [
            (lambda: banks.confirm(member, **act), "block"),
            (lambda: banks.dispute(member, **act), "review"),
            (lambda: banks.release(member, **act), "block"),
            (lambda: banks.change(bank, enabled=False, reason="b", **act), "publish"),
            (lambda: banks.change(bank, enabled=True, reason="b", **act), "block"),
            (lambda: banks.withdraw(member, **act), "publish"),
        ]
    )


def _serve(port: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "haechi.cli", "match-service", "--port", str(port)]
    return subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _client(port: int) -> httpx.Client:
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=10,
        trust_env=False,
    )
    for _ in range(600):
        try:
            if client.get("/ready").status_code == 200:
                return client
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"no match service at port {port}")


def _once(act: Callable[[], object], outcome: str, clients: list[httpx.Client]) -> float:
    act()
    began = time.perf_counter()
    for client in clients:
        while _asked(client) != outcome:
            assert time.perf_counter() - began < 10, f"not {outcome} after 10 s"
            time.sleep(0.002)
    took_ms = 1_000 * (time.perf_counter() - began)
    # The next change must not fall into the wake of this one.
    time.sleep(0.05)
    return took_ms


def _asked(client: httpx.Client) -> object:
    return client.post("/v1/match", json={"pdq": PDQ, "pdq_quality": 100}).json().get("outcome")


if __name__ == "__main__":
    from benchmarks.table import show

    show(measure())
