"""Every address of HMA's API that is answered here."""

from starlette.routing import BaseRoute, Route

from haechi.match_service.hma import curation, hashing, matching, types
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
        _get("/c/exchanges", hma(types.no_exchanges)),
        _get("/c/exchanges/apis", hma(types.no_exchanges)),
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


def _get(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["GET"])


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["POST"])


def _put(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["PUT"])


def _delete(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["DELETE"])
