"""Fetching an address for somebody reaches the public Internet and nothing else."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.match_house import Database, running

from haechi.errors import AddressRefused, AddressUnreachable, HaechiError, TooManyBytes
from haechi.match_service.config import Settings
from haechi.match_service.fetching import Fetcher
from haechi.media import Sandbox
from haechi.reach import asking
from haechi.reach.addresses import judge, public, target, unpacked

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

HERE = (ipaddress.ip_network("127.0.0.0/8"),)
WEB = frozenset({80, 443})
type Answer = Callable[[bytes], bytes | Awaitable[bytes]]


# --- what an address is


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",  # noqa: S104
        *("10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1"),
        *("192.88.99.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
        *("255.255.255.255", "168.63.129.16"),
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe"),
        *("64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1"),
        *("2001:db8::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1"),
        *("100::1", "5f00::1", "4000::1"),
    ],
)
def test_no_inner_or_special_address_is_public(text: str) -> None:
    assert not public(unpacked(ipaddress.ip_address(text)))
    with pytest.raises(AddressRefused):
        judge("name.example", 443, ["93.184.215.14", text], allow=(), ports=WEB)


@pytest.mark.parametrize(
    "text",
    ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"],
)
def test_public_addresses_are_public(text: str) -> None:
    assert public(unpacked(ipaddress.ip_address(text)))
    assert judge("name.example", 443, [text], allow=(), ports=WEB) == [text]


def test_ports_and_the_list_of_what_is_allowed() -> None:
    with pytest.raises(AddressRefused):
        judge("a.example", 8080, ["1.1.1.1"], allow=(), ports=WEB)
    assert judge("a.example", 8080, ["127.0.0.1"], allow=HERE, ports=WEB)
    assert judge("a.example", 8080, ["::ffff:127.0.0.1"], allow=HERE, ports=WEB)
    with pytest.raises(AddressRefused):
        judge("a.example", 80, ["127.0.0.1", "10.0.0.1"], allow=HERE, ports=WEB)
    with pytest.raises(AddressRefused):
        judge("a.example", 80, [], allow=HERE, ports=WEB)


@pytest.mark.parametrize(
    "url",
    [
        *("", "a", "//a.example/", "http://", "http:///a", "https://:80/", "http://a.example:/"),
        *("ftp://a.example/", "file:///etc/passwd", "data:image/png;base64,", "gopher://a/"),
        *("http://user@a.example/", "http://user:pass@a.example/", "http://a.example@10.0.0.1/"),
        *("http://a.example:99999/", "http://a.example:x/", "http://[::1/", "http://[v1.a]/"),
        *("http://a.example/ x", "http://a.example/\r\nHost: b", "http://a.example\\@b.example/"),
        *("http://a.example/\0", "http://a.example/\u202e", "http://a b/", "http://a%00b/"),
        *("http://%31%32%37.0.0.1/", "http://-a/", "http://a.example/" + "x" * 2_000),
        "http://\ud800/",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        target(url)


def test_addresses_are_taken_apart_once() -> None:
    one = target("HTTPS://B\u00fccher.Example:8443/\u00e4?q=1#part")
    assert (one.scheme, one.host, one.port) == ("https", "xn--bcher-kva.example", 8443)
    assert (one.path, one.authority) == ("/%C3%A4?q=1", "xn--bcher-kva.example:8443")
    assert target("http://[::1]").authority == "[::1]"
    assert target("http://a.example:80?x").path == "/?x"


# --- real servers


@asynccontextmanager
async def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server here that answers each connection; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            made = answer(await reader.readuntil(b"\r\n\r\n"))
            writer.write(made if isinstance(made, bytes) else await made)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()  # or its socket outlives the test

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def ok(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"Connection: close", b"", body])


def moved(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


class Names:
    """Answers for names, in turn; the last answer stays."""

    def __init__(self, **answers: Sequence[str]) -> None:
        self.answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> list[str]:
        """As haechi.reach.resolved."""
        self.asked.append(host)
        known = self.answers.get(host, [host])
        return [known.pop(0)] if len(known) > 1 else known


def fetcher(names: Names, **changes: object) -> Fetcher:
    changes.setdefault("fetch_allow", HERE)
    return Fetcher(Settings("", b"", fetch=True, **changes), names, 0.2)  # type: ignore[arg-type]


async def get(one: Fetcher, url: str) -> bytes:
    async with one.file(url) as data:
        return data


async def why(one: Fetcher, url: str) -> type[HaechiError]:
    with pytest.raises(HaechiError) as caught:
        await get(one, url)
    return type(caught.value)


async def test_a_file_is_fetched_and_nothing_of_ours_goes_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    seen: list[bytes] = []

    def answer(head: bytes) -> bytes:
        seen.append(head)
        return ok(b"picture", b"Set-Cookie: a=b")

    async with serving(answer) as port:
        one = fetcher(Names(a_example=["127.0.0.1"]))
        for _ in range(2):
            assert await get(one, f"http://a.example:{port}/x%20y?z=1") == b"picture"
    lines = {line.split(b":")[0].lower() for line in seen[1].split(b"\r\n")[1:] if line}
    assert seen[1].startswith(b"GET /x%20y?z=1 HTTP/1.1\r\n")
    assert f"host: a.example:{port}".encode() in seen[1].lower()
    assert lines == {b"host", b"accept", b"accept-encoding", b"user-agent", b"connection"}


async def test_a_name_is_resolved_once_and_the_judged_address_is_what_is_connected_to() -> None:
    async with serving(lambda _: ok(b"outer")) as port:
        names = Names(rebinding_example=["127.0.0.1", "10.0.0.1"])
        assert await get(fetcher(names), f"http://rebinding.example:{port}/") == b"outer"
        assert names.asked == ["rebinding.example"]
        assert await why(fetcher(names), f"http://rebinding.example:{port}/") is AddressRefused


async def test_an_inner_address_is_not_even_connected_to() -> None:
    connected: list[bytes] = []

    def answer(head: bytes) -> bytes:
        connected.append(head)
        return ok(b"secret")

    async with serving(answer) as port:
        strict = fetcher(Names(inner_example=["127.0.0.1"]), fetch_allow=())
        for host in ("inner.example", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"):
            assert await why(strict, f"http://{host}:{port}/") is AddressRefused
            assert await why(strict, f"http://{host}/") is AddressRefused
    assert not connected


async def test_names_that_are_numbers_are_judged_by_what_they_resolve_to() -> None:
    strict = Fetcher(Settings("", b"", fetch=True), resolve_s=0.5)
    for host in ("0x7f.1", "2130706433", "127.1", "0177.0.0.1", "localhost", "0"):
        assert await why(strict, f"http://{host}/") is AddressRefused


async def test_a_name_that_is_inner_and_one_that_is_not_there_are_one_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same words, after the same time: told in how long it is to be slept, not by a clock."""
    slept_until: list[float] = []

    async def sleep(moment_s: float) -> None:
        slept_until.append(moment_s)

    class Clock:
        """One moment for all, so that what is slept until can be compared."""

        async def resolve(self, host: str, _port: int) -> list[str]:
            """Inner, two addresses, none, unknown, or silent for ever."""
            match host.partition(".")[0]:
                case "inner":
                    return ["10.0.0.1"]
                case "both":
                    return ["1.1.1.1", "10.0.0.1"]
                case "none":
                    return []
                case "unknown":
                    raise AddressUnreachable("the name is not known")
            await asyncio.Event().wait()
            return []

    monkeypatch.setattr(asking, "_sleep_until", sleep)
    loop = asyncio.get_running_loop()
    told: list[tuple[str, str]] = []
    one = Fetcher(Settings("", b"", fetch=True), Clock().resolve, 0.3)
    for host in ("inner", "both", "none", "unknown", "silent"):
        began_s = loop.time()
        with pytest.raises(AddressRefused) as caught:
            await get(one, f"http://{host}.example/")
        told.append((str(caught.value), str(caught.value.__cause__)))
        assert began_s <= slept_until[-1] - 0.3 <= loop.time()
    assert len(set(told)) == 1
    assert len(slept_until) == 5


async def test_the_service_says_one_thing_of_all_that_it_did_not_fetch(
    database: Database, sandbox: Sandbox
) -> None:
    async with running(database, sandbox, fetch=True) as client:
        told = set()
        for host in ("localhost", "haechi.invalid", "169.254.169.254", "127.0.0.1:9"):
            answer = await client.get("/h/hash", params={"url": f"http://{host}/a.jpg"})
            told.add((answer.status_code, answer.text))
    assert told == {(400, '{"message":"Nothing could be fetched from that address."}')}


async def test_every_redirect_is_judged_anew_and_there_are_three_at_most() -> None:
    async with serving(lambda _: ok(b"secret")) as inner:

        def answer(head: bytes) -> bytes:
            path = head.split(b" ")[1]
            if path == b"/in":
                return moved(f"http://inner.example:{inner}/")
            if path == b"/meta":
                return moved("http://169.254.169.254/latest/meta-data/")
            if path == b"/file":
                return moved("file:///etc/passwd")
            left = int(path[1:])
            return moved(f"/{left - 1}") if left else ok(b"there")

        async with serving(answer) as port:
            names = Names(a_example=["127.0.0.1"], inner_example=["127.0.0.2", "10.0.0.1"])
            one, at = fetcher(names), f"http://a.example:{port}"
            names.answers["inner.example"] = ["10.0.0.1"]
            for path in ("in", "meta", "file"):
                assert await why(one, f"{at}/{path}") is AddressRefused
            assert await get(one, f"{at}/3") == b"there"
            assert await why(one, f"{at}/4") is AddressRefused


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50_000 + b"\r\n",
        ok(b"\x1f\x8b", b"Content-Encoding: gzip"),
        b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=range(11),
)
async def test_what_is_no_file_is_unreachable(answer: bytes) -> None:
    async with serving(lambda _: answer) as port:
        refused = await why(fetcher(Names()), f"http://127.0.0.1:{port}/")
    assert refused in (AddressUnreachable, AddressRefused)


async def test_length_and_time_have_an_end() -> None:
    async def slow(_head: bytes) -> bytes:
        await asyncio.sleep(3)  # serving waits for it at the end
        return b""

    one = fetcher(Names(), limit_bytes=1_000, fetch_s=0.3)
    async with serving(lambda _: ok(bytes(1_000))) as port:
        assert await get(one, f"http://127.0.0.1:{port}/") == bytes(1_000)
    async with serving(lambda _: ok(bytes(1_001))) as port:
        assert await why(one, f"http://127.0.0.1:{port}/") is TooManyBytes
    async with serving(lambda _: ok(b"", b"Content-Length: 1001")) as port:
        assert await why(one, f"http://127.0.0.1:{port}/") is TooManyBytes
    async with serving(slow) as port:
        assert await why(one, f"http://127.0.0.1:{port}/") is AddressUnreachable


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    async with serving(lambda _: b"") as port:
        pass
    assert await why(fetcher(Names()), f"http://127.0.0.1:{port}/") is AddressUnreachable


async def test_the_certificate_is_checked_against_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to an address, and yet another name's certificate does not do."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority = own_certificate(tmp_path, "a.example")
    tls.load_cert_chain(authority)
    trusted = ssl.create_default_context(cafile=str(authority))
    monkeypatch.setattr(asking, "_trusted", lambda: trusted)
    async with serving(lambda _: ok(b"sealed"), tls) as port:
        one = fetcher(Names(a_example=["127.0.0.1"], b_example=["127.0.0.1"]))
        assert await get(one, f"https://a.example:{port}/") == b"sealed"
        assert await why(one, f"https://b.example:{port}/") is AddressUnreachable
        assert await why(one, f"https://127.0.0.1:{port}/") is AddressUnreachable


def own_certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + made.public_bytes(pem))
    return file


# --- as HMA's clients ask for it


async def test_hma_clients_hash_look_up_and_add_by_address(
    database: Database, sandbox: Sandbox, photo: bytes
) -> None:
    database.let_curate()
    more = {"fetch": True, "fetch_allow": HERE}
    # What the server says the file is does not count.
    async with (
        serving(lambda _: ok(photo, b"Content-Type: text/plain")) as port,
        running(database, sandbox, **more) as client,  # type: ignore[arg-type]
    ):
        url = f"http://127.0.0.1:{port}/a.jpg"
        by_address = await client.get("/h/hash", params={"url": url})
        by_file = await client.post("/h/hash", files={"photo": photo})
        assert by_address.json() == by_file.json()
        video = await client.get("/h/hash", params={"url": url, "content_type": "video"})
        assert set(video.json()) == {"video_md5"}
        await client.post("/c/banks", json={"name": "B"})
        added = await client.post(
            "/c/bank/B/content",
            params={"url": url},
            json={"note": "n", "metadata": {"content_id": "7"}},
        )
        assert added.json()["signals"] == by_file.json()
        here = f"/c/bank/B/content/{added.json()['id']}"
        shown = (await client.get(here)).json()
        assert (shown["note"], shown["metadata"]["content_id"]) == ("n", "7")
        for _ in range(50):
            found = (await client.get("/m/lookup", params={"url": url})).json()
            if found["pdq"]:
                break
            await asyncio.sleep(0.02)
        assert found["pdq"]["B"][0]["bank_content_id"] == added.json()["id"]
        for wrong in ("http://10.0.0.1/", "ftp://a.example/", "nothing"):
            refused = await client.get("/h/hash", params={"url": wrong})
            assert (refused.status_code, set(refused.json())) == (400, {"message"}), wrong
        odd = await client.get("/h/hash", params={"url": url, "content_type": "song"})
        assert odd.status_code == 400


async def test_nothing_is_fetched_unless_told(database: Database, sandbox: Sandbox) -> None:
    async with running(database, sandbox, fetch_allow=HERE) as client:  # type: ignore[arg-type]
        refused = await client.get("/h/hash", params={"url": "http://127.0.0.1/"})
    assert refused.status_code == 403
