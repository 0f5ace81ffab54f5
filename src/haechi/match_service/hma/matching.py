"""/m: which content of which bank a hash or a file meets."""

import random
import time
from collections.abc import Iterable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from haechi import fingerprint
from haechi.errors import MatchUnavailable
from haechi.index import DEFAULT, Query, Verdict
from haechi.match_service import intake
from haechi.match_service.decide import Found
from haechi.match_service.decoded import by_pdq
from haechi.match_service.hma import signals, upload
from haechi.match_service.hma.answers import given, names, needed, service_of, yes
from haechi.match_service.hma.signals import PDQ, SIGNAL_TYPES, SSCD, VIDEO_MD5
from haechi.match_service.service import Service

type ByBank = dict[str, list[dict[str, object]]]

# What HMA writes where a match has no distance.
NO_DISTANCE = "-"


async def raw_lookup(request: Request) -> Response:
    """GET /m/raw_lookup: the content that a hash meets, whatever share its bank answers."""
    found = await _meets(request, needed(request, "signal_type"), needed(request, "signal"))
    wanted = names(request, "banks")
    found = [one for one in found if wanted is None or one.bank.name in wanted]
    if yes(request, "include_distance"):
        return JSONResponse({"matches": [_match(one, _bits(one)) for one in found]})
    return JSONResponse({"matches": [one.member for one in found]})


async def lookup_signal(request: Request) -> Response:
    """GET /m/lookup: by bank, the content that a hash meets."""
    asked = given(request)
    if asked.get("url"):
        return await _answer_file(request, asked["url"])
    if not asked.get("signal") or not asked.get("signal_type"):
        raise HTTPException(400, "Either url or both signal and signal_type are required")
    found = await _meets(request, asked["signal_type"], asked["signal"])
    return JSONResponse(_by_bank(request, ((one, _bits(one)) for one in found)))


async def lookup_file(request: Request) -> Response:
    """POST /m/lookup: by signal type and bank, the content that a file meets.

    `types=pdq,sscd` adds copies that only the embedding tells; HMA knows no such type.
    """
    return await _answer_file(request, None)


async def _answer_file(request: Request, url: str | None) -> Response:
    """Of the file in the request, or of the one at `url`."""
    service = _ready(request)
    more = frozenset({SSCD}) if service.has_model else frozenset[str]()
    wanted = given(request).get("types")
    make = fingerprint.image if SSCD in more and SSCD in (wanted or "") else by_pdq
    if url is None:
        sent = await upload.read(request, make)
    else:
        sent = await upload.fetched(request, url, make)
    types = signals.chosen(sent.content_type, wanted, more)
    if sent.content_type == signals.VIDEO:
        videos = service.mirror.search_md5(sent.asked.md5 or b"")
        return JSONResponse({VIDEO_MD5: _by_bank(request, ((one, NO_DISTANCE) for one in videos))})
    found = await service.found(sent.asked.query)
    near = {
        PDQ: [(one, _bits(one)) for one in found if _by_bits(one)],
        SSCD: [(one, f"{1 - s:.4f}") for one in found if (s := one.hit.similarity) is not None],
    }
    return JSONResponse({name: _by_bank(request, near[name]) for name in types})


async def compare(request: Request) -> Response:
    """POST /m/compare: {"pdq": [hash, hash]} to {"pdq": [whether they match, {"distance": bits}]}."""
    body = await intake.read_json(request, service_of(request).settings.read_s)
    return JSONResponse({name: _compared(name, pair) for name, pair in body.items()})


async def index_status(request: Request) -> Response:
    """GET /m/index/status: what is loaded in this process."""
    service = service_of(request)
    only = given(request).get("signal_type")
    if only is not None and only not in SIGNAL_TYPES:
        raise HTTPException(400, f"No such signal type '{only}'")
    age_s = service.follower.age_s
    size = _sizes(service)
    return JSONResponse(
        {
            name: {
                "present": age_s is not None,
                "built_to": -1 if age_s is None else int(time.time() - age_s),
                "size": 0 if age_s is None else size[name],
            }
            for name in SIGNAL_TYPES
            if only in (None, name)
        }
    )


def _sizes(service: Service) -> Mapping[str, int]:
    by_md5 = service.mirror.by_md5
    return {PDQ: len(service.mirror) - by_md5, VIDEO_MD5: by_md5}


async def _meets(request: Request, signal_type: str, text: str) -> list[Found]:
    service = _ready(request)
    value = signals.read(signal_type, text)
    if signal_type == VIDEO_MD5:
        return service.mirror.search_md5(value)
    return await service.found(
        Query(
            sha256=b"",
            turns=(value,),
            pdq_quality=signals.VOUCHED_QUALITY,
            embedding=None,
            views=(),
        )
    )


def _ready(request: Request) -> Service:
    service = service_of(request)
    if not service.follower.fresh:
        raise MatchUnavailable
    return service


def _by_bank(request: Request, found: Iterable[tuple[Found, str]]) -> ByBank:
    """HMA's answer: a bank of ratio 0.3 answers three questions of ten, told apart by `seed`."""
    wanted = names(request, "banks")
    least = 0.0 if yes(request, "bypass_coinflip") else _drawn(given(request).get("seed"))
    answer: ByBank = {}
    for one, distance in found:
        if one.bank.ratio >= least and (wanted is None or one.bank.name in wanted):
            answer.setdefault(one.bank.name, []).append(_match(one, distance))
    return answer


def _drawn(seed: str | None) -> float:
    # The same draw as HMA makes of the same seed; nothing is secret about it.
    return random.random() if seed is None else random.Random(seed).random()  # noqa: S311


def _match(one: Found, distance: str) -> dict[str, object]:
    return {"bank_content_id": one.member, "distance": distance}


def _by_bits(one: Found) -> bool:
    return one.hit.distance_bits is not None or one.hit.verdict is Verdict.IDENTICAL_FILE


def _bits(one: Found) -> str:
    if one.hit.found_by == "md5":
        return NO_DISTANCE
    return str(one.hit.distance_bits or 0)


def _compared(signal_type: str, pair: object) -> list[object]:
    if not isinstance(pair, list):
        raise HTTPException(400, f"Comparison hashes for {signal_type} was not a list")
    if len(pair) != 2:
        raise HTTPException(400, "Comparison hash list length must be exactly 2")
    left, right = (signals.read(signal_type, text) for text in pair)
    if signal_type == VIDEO_MD5:
        return [left == right, {}]
    distance = (int.from_bytes(left) ^ int.from_bytes(right)).bit_count()
    return [distance <= DEFAULT.pdq_edited_bits, {"distance": distance}]
