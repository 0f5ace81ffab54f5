"""What the routes of one process share: database, mirror, decoders, gate and counters."""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request

from haechi import media
from haechi.errors import KeyRefused, MatchUnavailable
from haechi.fingerprint import ImageFingerprint, image
from haechi.index import Query
from haechi.match_service import intake, probe
from haechi.match_service.config import Settings
from haechi.match_service.decide import Decision, Found, decide
from haechi.match_service.follow import Follower
from haechi.match_service.gate import Gate
from haechi.match_service.intake import Asked
from haechi.match_service.metrics import Metrics
from haechi.match_service.mirror import Mirror
from haechi.match_service.store import Platform, Store

type Make = Callable[[bytes], ImageFingerprint]

KEY_LIMIT = 200


class Service:
    """One process. `open` before use, `close` after; both may be called once."""

    def __init__(self, settings: Settings, sandbox: media.Sandbox | None = None) -> None:
        """`sandbox` is used if given, and stays open; else one is made and closed here."""
        self.settings = settings
        self._given = sandbox
        self.store = Store(settings)
        self.mirror = Mirror()
        self.follower = Follower(self.mirror, settings)
        self.gate = Gate(settings.concurrency, settings.queue)
        self.metrics = Metrics()
        self.has_model = False

    async def open(self) -> None:
        """Start connections and decoders. Waits until these can work, not for the database."""
        await self.store.open()
        self._threads = ThreadPoolExecutor(self.settings.concurrency + 1, "haechi-match")
        self._sandbox = self._given or media.Sandbox(self.settings.decoders)
        # One job each, at once: every decoder has loaded what it needs before the first picture.
        probes = [
            self._in_thread(self._sandbox.run, probe.has_model, b"")
            for _ in range(self.settings.decoders)
        ]
        answers = await asyncio.gather(*probes, return_exceptions=True)
        self.has_model = all(answer is True for answer in answers)

    async def close(self) -> None:
        """Let go of everything; running decoders are stopped."""
        await self.store.close()
        if self._given is None:
            await asyncio.to_thread(self._sandbox.close)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def platform(self, request: Request) -> int:
        """Id of the platform whose key came with `request`. Raises KeyRefused."""
        return (await self.caller(request)).id

    async def caller(self, request: Request) -> Platform:
        """The platform whose key came with `request`. Raises KeyRefused."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(key) <= KEY_LIMIT:
            raise KeyRefused
        return await self.store.platform(hashlib.sha256(key.strip().encode()).digest())

    async def fingerprint(self, request: Request) -> Asked:
        """Read the picture in `request` and fingerprint it in a child process.

        Raises a MediaError for what cannot be used, MatchBusy when the queue is full, and
        MatchUnavailable when the decoders are too far behind.
        """
        settings = self.settings
        async with self.gate.place():
            data = await intake.read_body(request, settings.limit_bytes, settings.read_s)
            return await self.decoded(data)

    async def decoded(self, data: bytes, make: Make = image) -> Asked:
        """What `make` says of a picture that was read, while its reader holds a place of the gate.

        Raises a MediaError for what cannot be used, and MatchUnavailable when the decoders are too
        far behind.
        """
        try:
            async with asyncio.timeout(self.settings.answer_s):
                made = await self._in_thread(self._sandbox.run, make, data)
        except TimeoutError as error:
            raise MatchUnavailable from error
        return Asked.picture(made)

    async def search(self, query: Query) -> tuple[Decision, list[Found]]:
        """What to do with a picture of this fingerprint, and everything it matches, best first."""
        found = await self.found(query)
        return decide(found), found

    async def found(self, query: Query) -> list[Found]:
        """Everything that a picture of this fingerprint matches, best first."""
        return await self._in_thread(self.mirror.search, query)

    def gauges(self) -> dict[str, int | float]:
        """Numbers about this process, by name."""
        banks = self.mirror.banks.values()
        return {
            "members": len(self.mirror),
            "banks": len(banks),
            "banks_enabled": sum(bank.enabled for bank in banks),
            "seq": self.mirror.seq,
            "waiting": self.gate.waiting,
        }

    async def _in_thread[*Ts, T](self, act: Callable[[*Ts], T], *args: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act, *args)
