"""A file in a multipart form, read within limits and never written to disk."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from haechi import fingerprint, media
from haechi.errors import TooManyBytes
from haechi.index import Query
from haechi.match_service import intake
from haechi.match_service.config import Settings
from haechi.match_service.decoded import by_pdq
from haechi.match_service.hma import signals
from haechi.match_service.hma.answers import NO_FETCHING, given, service_of
from haechi.match_service.intake import JSON_LIMIT_BYTES, Asked
from haechi.match_service.service import Make

FIELDS_LIMIT = 8


@dataclass(frozen=True)
class Upload:
    """One file as HMA's clients send it. `content_type` is the name of its field."""

    content_type: str
    asked: Asked
    fields: Mapping[str, str]

    @property
    def signals(self) -> dict[str, str]:
        """Its hashes as HMA names and writes them."""
        return signals.of(self.content_type, self.asked)


class _InMemory(MultiPartParser):
    # Above any limit of ours: a picture that somebody wants gone is not left in a temporary file.
    spool_max_size = 2**40


def is_form(request: Request) -> bool:
    """True when the body is said to be a multipart form."""
    kind = request.headers.get("content-type", "")
    return kind.split(";")[0].strip().lower() == "multipart/form-data"


async def read(request: Request, make: Make = by_pdq) -> Upload:
    """The one file of the request, a photo as `make` fingerprints it, and the other fields.

    Raises HTTPException 400 as HMA does, a MediaError for what cannot be used, MatchBusy,
    BodyTooSlow.
    """
    if not is_form(request):
        raise HTTPException(400, "Missing multipart/form-data file upload")
    service = service_of(request)
    with service.room.share() as take:
        content_type, data, fields = await _parts(request, service.settings, take)
        if content_type != signals.PHOTO:
            return Upload(content_type, await asyncio.to_thread(_as_a_whole, data), fields)
        async with service.gate.place():
            return Upload(content_type, await service.decoded(data, make), fields)


async def fetched(request: Request, url: str, make: Make = by_pdq) -> Upload:
    """The file at `url`, where the settings let this service fetch (haechi.match_service.fetching).

    What it is, is told from its content, unless the parameter `content_type` says it. Raises
    HTTPException 403 where nothing is fetched, AddressRefused, AddressUnreachable, and as `read`.
    """
    service = service_of(request)
    if not service.settings.fetch:
        raise HTTPException(403, NO_FETCHING)
    async with service.fetcher.file(url) as data:
        content_type = given(request).get("content_type") or _told(data)
        if content_type not in signals.CONTENT_TYPES:
            raise HTTPException(400, f"no such content_type: '{content_type}'")
        if content_type != signals.PHOTO:
            return Upload(content_type, await asyncio.to_thread(_as_a_whole, data), {})
        async with service.gate.place():
            return Upload(content_type, await service.decoded(data, make), {})


def _told(data: bytes) -> str:
    return signals.VIDEO if media.sniff(data).is_video else signals.PHOTO


async def _parts(
    request: Request, settings: Settings, take: Callable[[int], None]
) -> tuple[str, bytes, Mapping[str, str]]:
    limit_bytes = settings.limit_bytes + FIELDS_LIMIT * JSON_LIMIT_BYTES
    body = await intake.read_body(request, limit_bytes, settings.read_s, take)
    parser = _InMemory(
        request.headers,
        _at_once(body),
        max_files=2,
        max_fields=FIELDS_LIMIT,
        max_part_size=JSON_LIMIT_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    try:
        content_type, data = await _one_file(form)
    finally:
        await form.close()
    if len(data) > settings.limit_bytes:
        raise TooManyBytes
    fields = {name: part for name, part in form.multi_items() if isinstance(part, str)}
    return content_type, data, fields


async def _one_file(form: FormData) -> tuple[str, bytes]:
    files = [(name, part) for name, part in form.multi_items() if isinstance(part, UploadFile)]
    if not files:
        raise HTTPException(400, "Missing multipart/form-data file upload")
    if len(files) > 1:
        raise HTTPException(400, "Only one file allowed per request")
    [(content_type, file)] = files
    if content_type not in signals.CONTENT_TYPES:
        raise HTTPException(400, "no such content_type: name the field photo or video")
    return content_type, await file.read()


async def _at_once(body: bytes) -> AsyncGenerator[bytes]:
    """The parser works piece by piece, and a large one costs it no more than a small one."""
    yield body


def _as_a_whole(data: bytes) -> Asked:
    """A file by its digests alone. Raises NotMedia."""
    media.sniff(data)
    made = fingerprint.digests([data])
    query = Query(sha256=made.sha256, turns=(), pdq_quality=0, embedding=None, views=())
    return Asked(query, made.sha256, made.md5, None, 0, None, b"")
