"""What the routes of one process share: database, mirror, decoders, gate, keys and counters."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from starlette.requests import Request

from haechi import media
from haechi.errors import (
    DecoderCrashed,
    DecodeTimeout,
    KeyRefused,
    MatchBusy,
    MatchUnavailable,
    RateLimited,
    ScopeMissing,
)
from haechi.fingerprint import ImageFingerprint, image
from haechi.index import Query
from haechi.match_service import intake, probe
from haechi.match_service.config import Settings
from haechi.match_service.decide import Decision, Matches, decide
from haechi.match_service.fetching import Fetcher
from haechi.match_service.follow import Follower
from haechi.match_service.gate import Gate, Room
from haechi.match_service.intake import Asked
from haechi.match_service.keys import Caller, Keys, Scope
from haechi.match_service.metrics import Metrics
from haechi.match_service.mirror import Mirror
from haechi.match_service.pace import Pace, neighbourhood
from haechi.match_service.store import Store

type Make = Callable[[bytes], ImageFingerprint]

PICTURE_COSTS = 20.0
"""Requests by hash that one picture counts as at a key's pace; so far apart are their costs."""

LOOK_S = 0.02

ROUND_S, BEHIND_S = 0.05, 1.0

INLINE_S = 0.005
"""A search that takes the processor longer is not done between other requests but beside them."""

_ANY = Query(sha256=b"", turns=(bytes(32),), pdq_quality=100, embedding=None, views=())

_NEWEST = """
SELECT greatest((SELECT max(seq) FROM matching_member), (SELECT max(seq) FROM matching_bank), 0)
"""


class Service:
    """One process. `open` before use, `close` after; both may be called once."""

    def __init__(self, settings: Settings, sandbox: media.Sandbox | None = None) -> None:
        """`sandbox` is used if given, and stays open; else one is made and closed here."""
        self.settings = settings
        self._given = sandbox
        self.store = Store(settings)
        self.mirror = Mirror(settings.policy)
        self.follower = Follower(self.mirror, settings)
        self.gate = Gate(settings.concurrency, settings.queue)
        self.room = Room(settings.concurrency * settings.limit_bytes, settings.bodies)
        self.keys = Keys(self.store.rows)
        self.pace = Pace(settings.key_per_s, settings.key_burst)
        self.strangers = Pace(settings.address_per_s, settings.address_burst)
        self.fetcher = Fetcher(settings)
        self.metrics = Metrics(several=settings.several)
        self.has_model = False
        # The first search after a change may build the index anew, which takes as long as hundreds
        # of searches: it is done in a thread, and so are all others until one was quick again.
        self._settled = -1
        self._round_s = math.inf

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

    async def loaded(self) -> None:
        """Wait for the banks, so that a process that is to replace another one can answer at once.

        Not where the database is away, and not for ever: /ready and /v1/match say 503 then.
        """
        deadline = time.monotonic() + self.settings.load_s
        follower = self.follower
        # Three things end it, and none of them is an event.
        while not (follower.fresh or follower.away or time.monotonic() > deadline):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        await self.found(_ANY)

    async def keep_time(self) -> None:
        """Until cancelled, note that the event loop comes round (see `known`)."""
        while True:
            self._round_s = time.monotonic()
            await asyncio.sleep(ROUND_S)

    async def close(self) -> None:
        """Let go of everything; running decoders are stopped."""
        await self.store.close()
        if self._given is None:
            await asyncio.to_thread(self._sandbox.close)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def caller(self, request: Request, scope: Scope, cost: float = 1.0) -> Caller:
        """Who asks, if its key has `scope`; counted at its pace. Raises ScopeMissing, and as `known`."""
        caller = await self.known(request, cost)
        if scope not in caller.scopes:
            raise ScopeMissing(scope)
        return caller

    async def known(self, request: Request, cost: float = 1.0) -> Caller:
        """Whose key came with `request`, counted as `cost` requests of it.

        An address from which too many requests without a good key came is refused before its key
        is looked at. Raises RateLimited, KeyRefused; MatchUnavailable. MatchBusy where the event
        loop has not come round for BEHIND_S: ten thousand requests at once would otherwise keep
        this process from following the banks, and then nobody is answered.
        """
        if time.monotonic() - self._round_s > BEHIND_S:
            raise MatchBusy
        if self.strangers and (wait_s := self.strangers.wait_s(_client(request))):
            raise RateLimited(wait_s)
        try:
            caller = await self.keys.caller(_authorization(request))
        except KeyRefused:
            self.strangers.charge(_client(request))
            raise
        self.charge(caller, cost)
        return caller

    def charge(self, caller: Caller, cost: float) -> None:
        """Count `cost` requests of this key. Raises RateLimited, and then counts none."""
        if wait_s := self.pace.take(caller.key, cost):
            raise RateLimited(wait_s)

    async def fingerprint(self, request: Request, make: Make = image) -> Asked:
        """Read the picture in `request` and fingerprint it in a child process.

        Raises a MediaError for what cannot be used, MatchBusy when the queue is full, and
        MatchUnavailable when the decoders are too far behind.
        """
        settings = self.settings
        with self.room.share() as take:
            data = await intake.read_body(request, settings.limit_bytes, settings.read_s, take)
            async with self.gate.place():
                return await self.decoded(data, make)

    async def decoded(self, data: bytes, make: Make = image) -> Asked:
        """What `make` says of a picture that was read, while the caller holds a place of the gate.

        Raises a MediaError for what cannot be used, and MatchUnavailable when the decoders are too
        far behind.
        """
        try:
            async with asyncio.timeout(self.settings.answer_s):
                made = await self._in_thread(self._sandbox.run, make, data)
        except TimeoutError as error:
            raise MatchUnavailable from error
        except (DecoderCrashed, DecodeTimeout) as error:
            self.metrics.lost_decoder(error.code)
            raise
        return Asked.picture(made)

    async def search(self, query: Query) -> tuple[Decision, Matches]:
        """What to do with a picture of this fingerprint, and everything it matches, best first."""
        found = await self.found(query)
        return decide(found), found

    async def found(self, query: Query) -> Matches:
        """Everything that a picture of this fingerprint matches, best first."""
        seq, quick = self.mirror.seq, _quick(query)
        if quick and seq == self._settled:
            found, took_s = self._timed(query)
        else:
            found, took_s = await self._in_thread(self._timed, query)
        if took_s > INLINE_S:
            self._settled = -1
        elif quick:
            self._settled = seq
        return found

    def _timed(self, query: Query) -> tuple[Matches, float]:
        """What matches, and the processor's seconds it took.

        Not those of a clock: on a busy machine each search seems slow by it, and would be handed to
        a thread, which costs more than the search and makes the machine busier.
        """
        started_s = time.thread_time()
        return self.mirror.search(query), time.thread_time() - started_s

    async def found_many(self, queries: Sequence[Query]) -> list[Matches]:
        """`found` of each, beside the other requests and not before them."""
        return await self._in_thread(lambda: [self.mirror.search(query) for query in queries])

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

    async def measures(self) -> dict[str, float]:
        """Numbers for those who watch over this process, by name.

        `seq_lag` is how many changes of the banks are not in force here yet, and is missing where
        the database does not say.
        """
        age_s = self.follower.age_s
        made: dict[str, float] = {
            **self.gauges(),
            "ready": float(self.follower.fresh),
            "members_by_md5": self.mirror.by_md5,
            "decoding": self.gate.inside,
            "arriving": self.room.bodies,
            "bytes_held": self.room.bytes,
            "fetching": self.fetcher.under_way,
            "checks_waiting": self.store.checks_waiting,
        }
        if age_s is not None:
            made["age_seconds"] = age_s
        with suppress(MatchUnavailable):
            [(newest,)] = await self.store.rows(_NEWEST)
            made["seq_lag"] = max(0, newest - self.mirror.seq)
        return made

    async def _in_thread[*Ts, T](self, act: Callable[[*Ts], T], *args: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act, *args)


def _client(request: Request) -> str:
    return neighbourhood(request.client.host) if request.client else ""


def _authorization(request: Request) -> str:
    """The header, as `request.headers` has it: that decodes and compares every one by its name."""
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            return str(value, "latin-1")
    return ""


def _quick(query: Query) -> bool:
    """True where a thread would cost more than the search: one hash, a tenth of a millisecond."""
    return len(query.turns) <= 1 and query.embedding is None and not query.views
