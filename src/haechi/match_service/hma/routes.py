"""Every address of HMA's API that is answered here."""

from starlette.routing import BaseRoute, Route

from haechi.match_service.hma import curation, exchanges, hashing, matching, types
from haechi.match_service.hma.answers import Endpoint, curating, hma


def routes() -> list[BaseRoute]:
    """For the application of the match service; they rely on its `state.service`."""
    return [
        _get("/h/hash", hma(hashing.hash_address)),
        _post("/h/hash", hma(hashing.hash_file)),
        _get("/m/raw_lookup", hma(matching.raw_lookup)),
        _get("/m/lookup", hma(matching.lookup_signal)),
        _post("/m/lookup", hma(matching.lookup_file)),
        _post("/m/compare", hma(matching.compare)),
        _get("/m/index/status", hma(matching.index_status)),
        *_curation(),
        _get("/c/content_type", hma(types.content_types)),
        _get("/c/signal_type", hma(types.signal_types)),
        _get("/c/signal_type/index", hma(types.signal_type_index)),
        _put("/c/signal_type/{name}", curating(types.change_signal_type)),
        *_exchanges(),
        # Health checks carry no keys.
        _get("/status", types.hma_status),
        _get("/status/live", types.hma_alive),
        _get("/", types.home),
    ]


def _curation() -> list[BaseRoute]:
    bank, content = "/c/bank/{bank}", "/c/bank/{bank}/content/{content_id:int}"
    return [
        _get("/c/banks", hma(curation.list_banks)),
        _post("/c/banks", curating(curation.create_bank)),
        _get(bank, hma(curation.show_bank)),
        _put(bank, curating(curation.change_bank)),
        _delete(bank, curating(curation.delete_bank)),
        _post(f"{bank}/content", curating(curation.add_content)),
        _post(f"{bank}/signal", curating(curation.add_signal)),
        _get(content, hma(curation.show_content)),
        _put(content, curating(curation.change_content)),
        _delete(content, curating(curation.withdraw_content)),
    ]


def _exchanges() -> list[BaseRoute]:
    one, kind = "/c/exchange/{name}", "/c/exchanges/api/{name}"
    return [
        _get("/c/exchanges", hma(exchanges.list_none)),
        _post("/c/exchanges", curating(exchanges.create)),
        _get("/c/exchanges/apis", hma(exchanges.list_none)),
        _get(kind, hma(exchanges.no_such_kind)),
        _post(kind, curating(exchanges.no_such_kind)),
        _get(f"{kind}/schema", hma(exchanges.no_schema)),
        _get(one, hma(exchanges.no_such)),
        _put(one, curating(exchanges.no_such)),
        _delete(one, curating(exchanges.delete)),
        _get(f"{one}/status", hma(exchanges.no_such)),
    ]


def _get(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["GET"])


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["POST"])


def _put(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["PUT"])


def _delete(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["DELETE"])
