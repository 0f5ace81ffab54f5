"""From a request to a question: read within limits, and trust nothing that was sent."""

import asyncio
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from starlette.requests import Request

from haechi.errors import BodyTooSlow, InvalidDocument, TooManyBytes
from haechi.fingerprint import ImageFingerprint, frames
from haechi.fingerprint.address import normalise
from haechi.formats import strict_json
from haechi.index import Query
from haechi.match_service.mirror import join_views

JSON_LIMIT_BYTES = 64_000
_HEX_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")
LABEL_LIMIT = 120
ID_LIMIT = 200
TEXT_LIMIT = 2_000


@dataclass(frozen=True)
class Asked:
    """What is asked about: the query, and the fingerprint as it is stored and answered."""

    query: Query
    sha256: bytes | None
    md5: bytes | None
    pdq: bytes | None
    pdq_quality: int
    embedding: bytes | None
    views: bytes
    frames: bytes = b""

    @classmethod
    def picture(cls, made: ImageFingerprint) -> "Asked":
        """From a picture that was decoded here."""
        return cls(
            query=Query.of(made),
            sha256=made.digests.sha256,
            md5=made.digests.md5,
            pdq=made.pdq.bits,
            pdq_quality=made.pdq.quality,
            embedding=made.embedding,
            views=join_views(made.views),
            frames=frames.pack(made.frames),
        )

    @classmethod
    def hashes(cls, body: Mapping[str, object]) -> "Asked":
        """From {"sha256": 64 hex or null, "pdq": 64 hex or null, "pdq_quality": 0..100}.

        One of the two hashes must be there, and the quality with a PDQ. A hash has no turned
        versions, so a mirrored copy is found only from the picture itself.
        Raises InvalidDocument.
        """
        sha256, pdq = _digest(body, "sha256"), _digest(body, "pdq")
        if sha256 is None and pdq is None:
            raise InvalidDocument("there is neither sha256 nor pdq")
        quality = 0 if pdq is None else _quality(body)
        query = Query(
            sha256=sha256 or b"",
            turns=() if pdq is None else (pdq,),
            pdq_quality=quality,
            embedding=None,
            views=(),
        )
        return cls(query, sha256, None, pdq, quality, None, b"")

    def columns(self) -> dict[str, object]:
        """Named as the columns of matching_check."""
        return {
            "sha256": self.sha256,
            "md5": self.md5,
            "pdq": self.pdq,
            "pdq_quality": self.pdq_quality,
            "embedding": self.embedding,
            "views": self.views,
            "frames": self.frames,
        }

    def answer(self) -> dict[str, object]:
        """As JSON for the platform. The embedding itself stays here."""
        return {
            "sha256": self.sha256.hex() if self.sha256 else None,
            "md5": self.md5.hex() if self.md5 else None,
            "pdq": self.pdq.hex() if self.pdq else None,
            "pdq_quality": self.pdq_quality,
            "embedding": self.embedding is not None,
        }


async def read_body(
    request: Request,
    limit_bytes: int,
    limit_s: float,
    take: Callable[[int], None] = lambda _length: None,
) -> bytes:
    """The body. Raises TooManyBytes, as soon as it is known, BodyTooSlow, and what `take` raises.

    `take` is told the length of each piece that is kept.

    What is too long is read to its end, up to twice the limit, and thrown away: a client that is
    still sending would otherwise see a broken connection in place of the answer.
    """
    body = bytearray()
    seen = 0
    try:
        async with asyncio.timeout(limit_s):
            async for chunk in request.stream():
                seen += len(chunk)
                if seen <= limit_bytes:
                    take(len(chunk))
                    body += chunk
                elif seen > 2 * limit_bytes:
                    break
                else:
                    body.clear()
    except TimeoutError as error:
        raise BodyTooSlow from error
    if seen > limit_bytes:
        raise TooManyBytes
    return bytes(body)


async def read_json(
    request: Request, limit_s: float, limit_bytes: int = JSON_LIMIT_BYTES
) -> dict[str, object]:
    """The body as a JSON object. Raises InvalidDocument, TooManyBytes, BodyTooSlow.

    NaN and Infinity are no JSON, and a name that is given twice is refused: which of the two counts
    would depend on who reads it.
    """
    body = await read_body(request, limit_bytes, limit_s)
    try:
        parsed = strict_json.loads(body)
    except ValueError as error:
        raise InvalidDocument("the body is not JSON") from error
    if not isinstance(parsed, dict):
        raise InvalidDocument("the body is not a JSON object")
    return parsed


def fingerprints(request: Request) -> str:
    """The parameter `fingerprints`: "all", or "pdq" alone. Raises InvalidDocument."""
    value = request.query_params.get("fingerprints", "all")
    if value not in ("all", "pdq"):
        raise _wrong("fingerprints", "must be all or pdq")
    return value


def is_json(request: Request) -> bool:
    """True when the body is said to be JSON; anything else is taken for a picture."""
    kind = request.headers.get("content-type", "")
    return kind.split(";")[0].strip().lower() == "application/json"


def label(request: Request) -> str:
    """The header Haechi-Label, percent-decoded UTF-8, at most 120 characters."""
    text = unquote(request.headers.get("haechi-label", ""), errors="replace").strip()
    return printable(text, "Haechi-Label", LABEL_LIMIT)


def text(body: Mapping[str, object], name: str, limit: int = TEXT_LIMIT) -> str:
    """A needed string of `body`. Raises InvalidDocument, naming it."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _wrong(name, "must be a string that is not empty")
    return printable(value, name, limit)


def content_id(value: str) -> str:
    """A content id of a platform: 1 to 200 printable characters. Raises InvalidDocument."""
    if not value.strip():
        raise _wrong("content_id", "must not be empty")
    return printable(value, "content_id", ID_LIMIT)


def own_address(url: str, base_url: str) -> str:
    """`url`, if it is on the host and port of `base_url`; http and https count as one.

    Whoever could register the addresses of others would have their notices sent to himself.
    Raises InvalidDocument.
    """
    place = _place(url)
    if not place or place != _place(base_url):
        raise _wrong("url", "is not on the host of this platform")
    return url


def number(body: Mapping[str, object], name: str) -> int:
    """A needed id of `body`: a whole number above 0 that fits 64 bits. Raises InvalidDocument."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
        raise _wrong(name, "must be a whole number above 0")
    return value


def printable(value: str, name: str, limit: int) -> str:
    """`value`, or InvalidDocument: PostgreSQL stores neither NUL nor lone surrogates, and logs are read by people."""
    if len(value) > limit:
        raise _wrong(name, f"is longer than {limit} characters")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise _wrong(name, "holds control characters")
    return value


def _place(url: str) -> str:
    """Host and port as address.normalise writes them, or nothing."""
    try:
        return urlsplit(normalise(url)).netloc
    except ValueError:
        return ""


def _wrong(name: str, why: str) -> InvalidDocument:
    return InvalidDocument(f"{name} {why}")


def _digest(body: Mapping[str, object], name: str) -> bytes | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _HEX_DIGEST.fullmatch(value):
        raise _wrong(name, "must be 64 hex digits")
    return bytes.fromhex(value)


def _quality(body: Mapping[str, object]) -> int:
    value = body.get("pdq_quality")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100:
        raise InvalidDocument("pdq_quality must be a whole number from 0 to 100")
    return value
