"""/c: banks, and what is in them."""

import json
import re
import time
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from haechi import fingerprint
from haechi.index import Query
from haechi.match_service import intake
from haechi.match_service.hma import signals, upload
from haechi.match_service.hma.answers import FieldWrong, caller, service_of, yes
from haechi.match_service.hma.banks import Banks, Content, HmaBank
from haechi.match_service.intake import Asked

NAME_LIMIT = 80
NOTE_LIMIT = 255
PAUSE_LIMIT_S = 5 * 365 * 86_400
NUMBER_LIMIT = 2**63

# HMA's form. Banks of other names are kept at the desk.
_NAME = re.compile("[A-Z_][A-Z0-9_]*")
_METADATA: Mapping[str, type] = {"content_id": str, "content_uri": str, "json": dict}


async def list_banks(request: Request) -> Response:
    """GET /c/banks."""
    return JSONResponse([bank.answer() for bank in await (await _banks(request)).all()])


async def create_bank(request: Request) -> Response:
    """POST /c/banks: {"name", "enabled"?, "enabled_ratio"?}; 201."""
    body = await _body(request)
    name = _field(body, "name", str)
    if name is None:
        raise FieldWrong("name", "Field required")
    ratio = _ratio(body)
    made = await (await _banks(request)).create(_new_name(name), 1.0 if ratio is None else ratio)
    if made is None:
        raise HTTPException(403, "Bank already exists")
    return JSONResponse(made.answer(), 201)


async def show_bank(request: Request) -> Response:
    """GET /c/bank/{bank}."""
    return JSONResponse((await _bank(request)).answer())


async def change_bank(request: Request) -> Response:
    """PUT /c/bank/{bank}: {"name"?, "enabled"?, "enabled_ratio"?}."""
    bank, body = await _own_bank(request), await _body(request)
    name = _field(body, "name", str)
    rename = None if name is None else _new_name(name)
    changed = await (await _banks(request)).change(bank.name, rename, _ratio(body))
    if changed is None:
        raise HTTPException(403, "Bank name already exists")
    return JSONResponse(changed.answer())


async def delete_bank(request: Request) -> Response:
    """DELETE /c/bank/{bank}: it matches no more and its name is free; HMA never answers 404."""
    if await (await _banks(request)).get(_name(request)):
        await (await _banks(request)).delete((await _own_bank(request)).name)
    return JSONResponse({"message": "Done"})


async def add_content(request: Request) -> Response:
    """POST /c/bank/{bank}/content: a file, and perhaps `note` and `metadata` beside it.

    With `?url=` the file at that address; note and metadata are then a JSON object.
    """
    bank = await _own_bank(request)
    if url := request.query_params.get("url"):
        return await _add_fetched(request, bank, url)
    if not upload.is_form(request):
        raise HTTPException(400, "Neither `url` nor multipart file upload was received")
    sent = await upload.read(request, fingerprint.member)
    signals.chosen(sent.content_type, request.query_params.get("types"))
    note, metadata = _note(sent.fields.get("note")), _metadata(sent.fields.get("metadata"))
    return await _add(request, bank, sent.asked, sent.signals, note, metadata)


async def _add_fetched(request: Request, bank: HmaBank, url: str) -> Response:
    beside = await _body(request) if intake.is_json(request) else {}
    note = _note(beside.get("note"))
    told = beside.get("metadata")
    metadata = _metadata(None if told is None else json.dumps(told))
    sent = await upload.fetched(request, url, fingerprint.member)
    signals.chosen(sent.content_type, request.query_params.get("types"))
    return await _add(request, bank, sent.asked, sent.signals, note, metadata)


async def add_signal(request: Request) -> Response:
    """POST /c/bank/{bank}/signal: {"pdq": hash, "note"?}."""
    bank, body = await _own_bank(request), await _body(request)
    note = _note(body.pop("note", None))
    values = {name: signals.read(name, text) for name, text in body.items()}
    if not values:
        raise HTTPException(400, "No signals given")
    pdq, md5 = values.get(signals.PDQ), values.get(signals.VIDEO_MD5)
    query = Query(sha256=b"", turns=(), pdq_quality=0, embedding=None, views=())
    asked = Asked(query, None, md5, pdq, signals.VOUCHED_QUALITY if pdq else 0, None, b"")
    told = {name: value.hex() for name, value in values.items()}
    return await _add(request, bank, asked, told, note, None)


async def show_content(request: Request) -> Response:
    """GET /c/bank/{bank}/content/{id}: with `include_signals`, without `include_metadata=false`."""
    content = await _content(request, await _bank(request))
    answer: dict[str, object] = {
        "id": content.id,
        "disable_until_ts": content.disable_until_ts,
        "original_media_uri": None,
        "bank": content.bank.answer(),
    }
    if yes(request, "include_signals") and content.signals:
        answer["signals"] = content.signals
    if yes(request, "include_metadata", otherwise=True) and content.metadata:
        empty = dict.fromkeys(_METADATA)
        answer["metadata"] = {"collab": None, **empty, **content.metadata}
    if content.note:
        answer["note"] = content.note
    return JSONResponse(answer)


async def change_content(request: Request) -> Response:
    """PUT /c/bank/{bank}/content/{id}: {"disable_until_ts"?, "note"?}."""
    bank, body = await _own_bank(request), await _body(request)
    content = await _content(request, bank)
    note = _note(body["note"]) if "note" in body else None
    if "disable_until_ts" in body:
        until_ts = _until(body["disable_until_ts"], now_s=time.time())
        await (await _banks(request)).pause(bank.name, content.id, until_ts)
    if note is not None:
        await (await _banks(request)).write_note(bank.name, content.id, note)
    content = await _content(request, bank)
    return JSONResponse(
        {
            "id": content.id,
            "disable_until_ts": content.disable_until_ts,
            "collab_metadata": {},
            "original_media_uri": None,
            "bank": content.bank.answer(),
            "user_metadata": content.metadata,
            "note": content.note or None,
        }
    )


async def withdraw_content(request: Request) -> Response:
    """DELETE /c/bank/{bank}/content/{id}: it matches no more; 0 if it is not in that bank."""
    bank, number = await _own_bank(request), request.path_params["content_id"]
    known = number < NUMBER_LIMIT
    deleted = await (await _banks(request)).withdraw(bank.name, number) if known else 0
    return JSONResponse({"deleted": deleted})


async def _add(
    request: Request,
    bank: HmaBank,
    asked: Asked,
    told: Mapping[str, str],
    note: str,
    metadata: Mapping[str, object] | None,
) -> Response:
    source = f"hma-api:{(await caller(request)).name}"
    number = await (await _banks(request)).add(
        bank.name, asked, source=source, note=note, metadata=metadata
    )
    if number is None:
        raise _no_bank(bank.name)
    # 200, where HMA's description says 201: this is what HMA does.
    return JSONResponse({"id": number, "signals": told})


async def _banks(request: Request) -> Banks:
    asked_by = await caller(request)
    actor = f"platform:{asked_by.id}" if asked_by.id else "stranger"
    return Banks(service_of(request).store, actor)


async def _bank(request: Request) -> HmaBank:
    name = _name(request)
    bank = await (await _banks(request)).get(name)
    if bank is None:
        raise _no_bank(name)
    return bank


def _name(request: Request) -> str:
    return intake.printable(request.path_params["bank"], "bank", intake.TEXT_LIMIT)


async def _own_bank(request: Request) -> HmaBank:
    """A bank that this API may change."""
    bank = await _bank(request)
    if not _NAME.fullmatch(bank.name):
        raise HTTPException(403, f"bank '{bank.name}' is kept at the desk, and only read here")
    return bank


async def _content(request: Request, bank: HmaBank) -> Content:
    number = request.path_params["content_id"]
    content = (
        await (await _banks(request)).content(bank.name, number) if number < NUMBER_LIMIT else None
    )
    if content is None:
        raise HTTPException(404, f"content '{number}' not found")
    return content


def _no_bank(name: str) -> HTTPException:
    return HTTPException(404, f"bank '{name}' not found")


async def _body(request: Request) -> dict[str, object]:
    return await intake.read_json(request, service_of(request).settings.read_s)


def _field[T](body: Mapping[str, object], name: str, kind: type[T]) -> T | None:
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise FieldWrong(name, f"Input should be a valid {kind.__name__}")
    return value


def _ratio(body: Mapping[str, object]) -> float | None:
    """The share of questions to answer; `enabled` counts where no `enabled_ratio` is given."""
    ratio = body.get("enabled_ratio")
    if ratio is None:
        enabled = _field(body, "enabled", bool)
        return None if enabled is None else float(enabled)
    if isinstance(ratio, bool) or not isinstance(ratio, int | float):
        raise FieldWrong("enabled_ratio", "Input should be a valid number")
    if not 0 <= ratio <= 1:
        raise HTTPException(400, "enabled_ratio must be from 0 to 1")
    return float(ratio)


def _new_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise HTTPException(400, "Bank names must be UPPER_WITH_UNDERSCORE")
    if len(name) > NAME_LIMIT:
        raise HTTPException(400, f"Bank names have at most {NAME_LIMIT} characters")
    return name


def _note(value: object) -> str:
    if not value:
        return ""
    if not isinstance(value, str):
        raise HTTPException(400, "note should be a string")
    return intake.printable(value, "note", NOTE_LIMIT)


def _metadata(text: str | None) -> dict[str, object] | None:
    """What the client keeps beside its content; PostgreSQL takes neither NUL nor NaN."""
    if text is None:
        return None
    try:
        given = json.loads(text)
        plain = json.dumps(given, allow_nan=False, ensure_ascii=False)
        plain.encode()
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "metadata form field must be valid JSON") from error
    if not isinstance(given, dict):
        raise HTTPException(400, "metadata should be a json object")
    given.pop("collab", None)
    for name, value in given.items():
        if value is not None and not isinstance(value, _METADATA.get(name, ())):
            raise HTTPException(400, f"Invalid metadata: {name}")
    if "\\u0000" in plain or set(given) - set(_METADATA):
        raise HTTPException(400, "Invalid metadata")
    return {name: value for name, value in given.items() if value is not None} or None


def _until(value: object, *, now_s: float) -> int:
    try:
        until_ts = int(value) if isinstance(value, str | int | float) else -1
    except (ValueError, OverflowError) as error:
        raise HTTPException(400, "Invalid int") from error
    if until_ts < 0:
        raise HTTPException(400, "disable_until_ts must be a non-negative integer")
    if until_ts > now_s + PAUSE_LIMIT_S:
        raise HTTPException(400, "disable_until_ts must be less than 5 years in the future")
    return until_ts
