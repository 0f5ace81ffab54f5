"""One GET to an address that somebody else names.

A name is resolved once; every address it has is judged (haechi.reach.addresses); and the connection
is made to an address that was judged, never to the name, so that a name which answers differently
the second time gains nothing. The certificate is still checked against the name. Every redirect is
judged anew. Nothing of this process goes along: no proxy, no cookie, no credential.

A name that must not be asked and a name that does not exist are one refusal, given at one moment:
who asks shall not learn which names the inner network has.
"""

import asyncio
import ssl
import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from socket import SOCK_STREAM, getaddrinfo
from urllib.parse import urljoin

import httpx

from haechi.errors import AddressRefused, AddressUnreachable, TooManyBytes
from haechi.reach.addresses import Network, Target, judge, target

type Resolve = Callable[[str, int], Awaitable[list[str]]]

REDIRECTS = 3
CONNECT_S = 3.0
RESOLVE_S = 2.0
"""To resolve a name; one that leads nowhere is refused when this is over, neither before nor after.
A resolver that is at hand answers in a tenth of it."""
TRIED = 2
"""Addresses of one name that are tried, so that one dead one does not end it."""
RESOLVERS = 8

_MOVED = frozenset({301, 302, 303, 307, 308})
_USUAL: Mapping[str, str] = {
    # Compressed on the way, a kilobyte can become a gigabyte; pictures are compressed already.
    "Accept-Encoding": "identity",
    "User-Agent": "Haechi",
}


@dataclass(frozen=True)
class Limits:
    """Where may be asked, and for how much and how long.

    allow       networks that may be asked although they are inner ones, at any port
    ports       those that may be asked elsewhere
    length      bytes of a body, as it is and as it becomes
    seconds     for all of it, redirects too
    inflate     a body that comes compressed all the same is opened, up to `length`
    """

    length: int
    seconds: float
    allow: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({80, 443})
    inflate: bool = False


@dataclass(frozen=True)
class Reply:
    """What was answered in the end.

    url      the last address, after redirects
    headers  in their order, as text
    """

    url: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    @property
    def kind(self) -> str:
        """The media type it says it is, such as "text/html"; "" where it does not say."""
        named = next((value for name, value in self.headers if name.lower() == "content-type"), "")
        return named.partition(";")[0].strip().lower()


@cache
def _resolvers() -> ThreadPoolExecutor:
    """Threads of their own: those that everybody shares must not wait for a slow server of names."""
    return ThreadPoolExecutor(RESOLVERS, "haechi-names")


async def resolved(host: str, port: int) -> list[str]:
    """Every address of `host`, as the machine resolves names. Raises AddressUnreachable."""
    look = partial(getaddrinfo, host, port, type=SOCK_STREAM)
    try:
        found = await asyncio.get_running_loop().run_in_executor(_resolvers(), look)
    except (OSError, UnicodeError) as error:
        raise AddressUnreachable("the name is not known") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Asker:
    """Asks within its limits."""

    def __init__(
        self, limits: Limits, resolve: Resolve = resolved, resolve_s: float = RESOLVE_S
    ) -> None:
        """`resolve` gives every address of a name, and is given `resolve_s` for it."""
        self._limits = limits
        self._resolve = resolve
        self._resolve_s = resolve_s

    async def get(self, url: str, *, accept: str, statuses: Collection[int] | None = None) -> Reply:
        """What `url` answers, by way of at most REDIRECTS redirects.

        statuses   with another than these, nothing is read and AddressUnreachable raised
        Raises AddressRefused for what must not be asked, AddressUnreachable for what gives nothing
        usable in time, TooManyBytes.
        """
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._follow(url, accept, statuses)
        except TimeoutError as error:
            raise AddressUnreachable("it took too long") from error

    async def _follow(self, url: str, accept: str, statuses: Collection[int] | None) -> Reply:
        for _ in range(REDIRECTS + 1):
            wanted = target(url)
            addresses = await self._judged(wanted)
            answer = await self._from_somewhere(url, wanted, addresses, accept, statuses)
            if isinstance(answer, Reply):
                return answer
            url = _joined(url, answer)
        raise AddressRefused(f"there are more than {REDIRECTS} redirects")

    async def _judged(self, wanted: Target) -> list[str]:
        limits, loop = self._limits, asyncio.get_running_loop()
        over_at_s = loop.time() + self._resolve_s
        try:
            async with asyncio.timeout_at(over_at_s):
                found = await self._resolve(wanted.host, wanted.port)
            return judge(wanted.host, wanted.port, found, allow=limits.allow, ports=limits.ports)
        except (AddressRefused, AddressUnreachable, TimeoutError):
            await _sleep_until(over_at_s)
        raise AddressRefused("this service does not fetch from there")

    async def _from_somewhere(
        self,
        url: str,
        wanted: Target,
        addresses: list[str],
        accept: str,
        statuses: Collection[int] | None,
    ) -> Reply | str:
        """What it answers, or where a redirect points."""
        for address in addresses[:TRIED]:
            try:
                return await self._ask(url, wanted, address, accept, statuses)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
            except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError) as error:
                raise AddressUnreachable("it gave no usable answer") from error
        raise AddressUnreachable("nobody answers there")

    async def _ask(
        self,
        url: str,
        wanted: Target,
        address: str,
        accept: str,
        statuses: Collection[int] | None,
    ) -> Reply | str:
        place = httpx.URL(
            scheme=wanted.scheme, host=address, port=wanted.port, raw_path=wanted.path.encode()
        )
        # A client of its own, so that nothing one server sets is shown to another.
        async with (
            httpx.AsyncClient(
                verify=_trusted(),
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(self._limits.seconds, connect=CONNECT_S),
            ) as client,
            client.stream(
                "GET",
                place,
                headers={"Host": wanted.authority, "Accept": accept, **_USUAL},
                extensions={"sni_hostname": wanted.host},
            ) as response,
        ):
            if response.status_code in _MOVED and "location" in response.headers:
                return response.headers["location"]
            if statuses is not None and response.status_code not in statuses:
                raise AddressUnreachable("it gave no file")
            body = await self._body(response)
            return Reply(
                url,
                response.status_code,
                response.reason_phrase,
                tuple(response.headers.multi_items()),
                body,
            )

    async def _body(self, response: httpx.Response) -> bytes:
        encoding = response.headers.get("content-encoding", "identity").lower()
        if encoding != "identity" and not self._limits.inflate:
            raise AddressUnreachable("the file is compressed on the way")
        said = response.headers.get("content-length", "")
        if said.isdigit() and int(said) > self._limits.length:
            raise TooManyBytes
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._limits.length:
                raise TooManyBytes
        return bytes(body) if encoding == "identity" else self._inflated(bytes(body), encoding)

    def _inflated(self, body: bytes, encoding: str) -> bytes:
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise AddressUnreachable("it is compressed in a way that is not opened here")
        opener = zlib.decompressobj(wbits=47)
        try:
            opened = opener.decompress(body, self._limits.length + 1)
        except zlib.error as error:
            raise AddressUnreachable("what is compressed is damaged") from error
        if len(opened) > self._limits.length:
            raise TooManyBytes
        return opened


async def _sleep_until(moment_s: float) -> None:
    await asyncio.sleep(max(0.0, moment_s - asyncio.get_running_loop().time()))


def _joined(url: str, there: str) -> str:
    try:
        return urljoin(url, there)
    except ValueError as error:
        raise AddressRefused("the address is of no known form") from error


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that httpx trusts, read once: that takes 20 ms."""
    return httpx.create_ssl_context(trust_env=False)
