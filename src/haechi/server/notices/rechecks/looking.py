"""One look at one place: ask it, and its pictures, and say what was seen.

Whatever a server does, a look ends in time and in words: what could not be looked at is unreachable,
and that never counts as gone.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from haechi.errors import HaechiError
from haechi.index import Verdict
from haechi.reach import Asker, Limits, Network, Reply, resolved
from haechi.reach.asking import Resolve
from haechi.server.notices.rechecks import page
from haechi.server.notices.rechecks.models import Basis, Seen

PAGE_BYTES = 4_000_000
PICTURE_BYTES = 20_000_000
ROBOTS_BYTES = 500_000
PAGE_S, PICTURE_S, ALL_S = 20.0, 15.0, 90.0
ACCEPT_PAGE = "text/html,image/*;q=0.9,*/*;q=0.5"
ACCEPT_PICTURE = "image/*"
AGENT = "Haechi"
GONE = frozenset({404, 410, 451})

type Compare = Callable[[bytes], Verdict | None]


@dataclass(frozen=True)
class Look:
    """What one look found; `reply` is the page, where there was one."""

    seen: Seen
    basis: Basis
    status: int | None = None
    url: str = ""
    why: str = ""
    reply: Reply | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Looker:
    """How places are looked at.

    compare   a picture with the report's: the verdict, or None for no picture at all
    before    a look has seen the picture here before: only then its absence says something
    """

    compare: Compare
    before: bool = False
    allow: tuple[Network, ...] = ()
    robots: bool = True
    resolve: Resolve = resolved

    def look(self, url: str) -> Look:
        """Look at `url` now. Never raises for what is out there."""
        try:
            return asyncio.run(self._within(url))
        except TimeoutError:
            return Look(Seen.UNREACHABLE, Basis.NONE, why="it took too long")
        except HaechiError as error:
            return Look(Seen.UNREACHABLE, Basis.NONE, why=str(error))

    async def _within(self, url: str) -> Look:
        async with asyncio.timeout(ALL_S):
            if self.robots and not await self._allowed(url):
                return Look(Seen.UNREACHABLE, Basis.ROBOTS)
            reply = await self._asker(PAGE_BYTES, PAGE_S).get(url, accept=ACCEPT_PAGE)
            return await self._judged(url, reply)

    async def _judged(self, url: str, reply: Reply) -> Look:
        def said(seen: Seen, basis: Basis) -> Look:
            return Look(seen, basis, reply.status, reply.url, reply=reply)

        if reply.status == 401 or page.led_to_login(url, reply.url):
            return said(Seen.LOGIN, Basis.STATUS)
        if reply.status in GONE:
            return said(Seen.GONE, Basis.STATUS)
        if reply.status == 403:
            return said(Seen.BLOCKED, Basis.STATUS)
        if reply.status != 200:
            return said(Seen.UNREACHABLE, Basis.STATUS)
        direct = None if _is_page(reply) else self.compare(reply.body)
        # Another picture than the report's says something only where the report's was seen here.
        if direct is not None and (self.before or direct != Verdict.NO_MATCH):
            return said(_seen(direct), Basis.PICTURE)
        pictures, password = page.read(reply.body, reply.url)
        found = [] if not _is_page(reply) else await self._compared(pictures)
        if met := [verdict for verdict in found if verdict != Verdict.NO_MATCH]:
            best = Seen.THERE if any(_seen(one) == Seen.THERE for one in met) else Seen.EDITED
            return said(best, Basis.PICTURE)
        if password:
            return said(Seen.LOGIN, Basis.PAGE)
        # A page whose pictures a machine cannot read says nothing by not showing them.
        if self.before and len(found) == len(pictures) and _is_page(reply):
            return said(Seen.GONE, Basis.PICTURE)
        return said(Seen.THERE, Basis.PAGE)

    async def _compared(self, pictures: Sequence[str]) -> list[Verdict]:
        """Verdicts of those that could be read, until one is the same picture."""
        found: list[Verdict] = []
        asker = self._asker(PICTURE_BYTES, PICTURE_S)
        for url in pictures:
            try:
                reply = await asker.get(url, accept=ACCEPT_PICTURE, statuses=(200,))
            except HaechiError:
                continue
            verdict = self.compare(reply.body)
            if verdict is not None:
                found.append(verdict)
                if _seen(verdict) == Seen.THERE:
                    break
        return found

    async def _allowed(self, url: str) -> bool:
        """What the site's robots.txt says; without one, yes."""
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc}/robots.txt"
        try:
            reply = await self._asker(ROBOTS_BYTES, PAGE_S).get(
                place, accept="text/plain", statuses=(200,)
            )
        except HaechiError:
            return True
        rules = RobotFileParser()
        rules.parse(reply.body.decode("utf-8", "replace").splitlines())
        return rules.can_fetch(AGENT, url)

    def _asker(self, length: int, seconds: float) -> Asker:
        limits = Limits(length=length, seconds=seconds, allow=self.allow, inflate=True)
        return Asker(limits, self.resolve)


def _is_page(reply: Reply) -> bool:
    return reply.kind in ("text/html", "application/xhtml+xml", "")


def _seen(verdict: Verdict) -> Seen:
    if verdict == Verdict.NO_MATCH:
        return Seen.GONE
    return Seen.EDITED if verdict == Verdict.EDITED_COPY else Seen.THERE
