"""Fetch a file from an address that a client names, without being a way into the inner network.

A name is resolved once; every address it has is judged (haechi.match_service.addresses); and the
connection is made to an address that was judged, never to the name, so that a name which answers
differently the second time gains nothing. The certificate is still checked against the name. Every
redirect is judged anew. Nothing of this process goes along: no proxy, no cookie, no credential.

A name that must not be fetched from and a name that does not exist are one refusal, given at one
moment: who asks shall not learn which names the inner network has.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache, partial
from socket import SOCK_STREAM, getaddrinfo
from urllib.parse import urljoin

import httpx

from haechi.errors import AddressRefused, AddressUnreachable, TooManyBytes
from haechi.match_service.addresses import Target, judge, target
from haechi.match_service.config import Settings
from haechi.match_service.gate import Gate

type Resolve = Callable[[str, int], Awaitable[list[str]]]

REDIRECTS = 3
CONNECT_S = 3.0
RESOLVE_S = 2.0
"""To resolve a name; one that leads nowhere is refused when this is over, neither before nor after.
A resolver that is at hand answers in a tenth of it."""
TRIED = 2
"""Addresses of one name that are tried, so that one dead one does not end it."""

AT_ONCE, WAITING = 8, 32
"""A place each; a slow server abroad holds one of these and none of the decoders'."""

_MOVED = frozenset({301, 302, 303, 307, 308})
_ACCEPT = {
    "Accept": "image/*,video/*;q=0.9,*/*;q=0.1",
    # Compressed on the way, a kilobyte can become a gigabyte; pictures are compressed already.
    "Accept-Encoding": "identity",
    "User-Agent": "Haechi",
}


@cache
def _resolvers() -> ThreadPoolExecutor:
    """Threads of their own: those that everybody shares must not wait for a slow server of names."""
    return ThreadPoolExecutor(AT_ONCE, "haechi-names")


async def resolved(host: str, port: int) -> list[str]:
    """Every address of `host`, as the machine resolves names. Raises AddressUnreachable."""
    look = partial(getaddrinfo, host, port, type=SOCK_STREAM)
    try:
        found = await asyncio.get_running_loop().run_in_executor(_resolvers(), look)
    except (OSError, UnicodeError) as error:
        raise AddressUnreachable("the name is not known") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Fetcher:
    """Fetches for one process, within the limits of its settings."""

    def __init__(
        self, settings: Settings, resolve: Resolve = resolved, resolve_s: float = RESOLVE_S
    ) -> None:
        """`resolve` gives every address of a name, and is given `resolve_s` for it."""
        self._settings = settings
        self._resolve = resolve
        self._resolve_s = resolve_s
        self._gate = Gate(AT_ONCE, WAITING)

    @property
    def under_way(self) -> int:
        """Files that are being fetched now, or were and are still being looked at."""
        return self._gate.inside

    @asynccontextmanager
    async def file(self, url: str) -> AsyncIterator[bytes]:
        """The file at `url`, by way of at most REDIRECTS redirects.

        Its place is held until the caller is done with it: so many files are in memory at once and
        no more. Raises AddressRefused for what must not be asked, AddressUnreachable for what gives
        nothing usable in time, TooManyBytes, MatchBusy.
        """
        async with self._gate.place():
            try:
                async with asyncio.timeout(self._settings.fetch_s):
                    data = await self._follow(url)
            except TimeoutError as error:
                raise AddressUnreachable("it took too long") from error
            yield data

    async def _follow(self, url: str) -> bytes:
        for _ in range(REDIRECTS + 1):
            wanted = target(url)
            answer = await self._from_somewhere(wanted, await self._judged(wanted))
            if isinstance(answer, bytes):
                return answer
            url = _joined(url, answer)
        raise AddressRefused(f"there are more than {REDIRECTS} redirects")

    async def _judged(self, wanted: Target) -> list[str]:
        settings, loop = self._settings, asyncio.get_running_loop()
        allow, ports = settings.fetch_allow, settings.fetch_ports
        over_at_s = loop.time() + self._resolve_s
        try:
            async with asyncio.timeout_at(over_at_s):
                found = await self._resolve(wanted.host, wanted.port)
            return judge(wanted.host, wanted.port, found, allow=allow, ports=ports)
        except (AddressRefused, AddressUnreachable, TimeoutError):
            await _sleep_until(over_at_s)
        raise AddressRefused("this service does not fetch from there")

    async def _from_somewhere(self, wanted: Target, addresses: list[str]) -> bytes | str:
        """The body, or where a redirect points."""
        for address in addresses[:TRIED]:
            try:
                return await self._ask(wanted, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
            except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError) as error:
                raise AddressUnreachable("it gave no usable answer") from error
        raise AddressUnreachable("nobody answers there")

    async def _ask(self, wanted: Target, address: str) -> bytes | str:
        place = httpx.URL(
            scheme=wanted.scheme, host=address, port=wanted.port, raw_path=wanted.path.encode()
        )
        # A client of its own, so that nothing one server sets is shown to another.
        async with (
            httpx.AsyncClient(
                verify=_trusted(),
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(self._settings.fetch_s, connect=CONNECT_S),
            ) as client,
            client.stream(
                "GET",
                place,
                headers={"Host": wanted.authority, **_ACCEPT},
                extensions={"sni_hostname": wanted.host},
            ) as response,
        ):
            if response.status_code in _MOVED and "location" in response.headers:
                return response.headers["location"]
            return await self._body(response)

    async def _body(self, response: httpx.Response) -> bytes:
        if response.status_code != 200:
            raise AddressUnreachable("it gave no file")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise AddressUnreachable("the file is compressed on the way")
        limit_bytes = self._settings.limit_bytes
        said = response.headers.get("content-length", "")
        if said.isdigit() and int(said) > limit_bytes:
            raise TooManyBytes
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > limit_bytes:
                raise TooManyBytes
        return bytes(body)


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
