"""The OpenAPI document says what the service does: every route, every code, every form."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from tests.unit.match_house import DIGEST_KEY, Database, running

from haechi import fingerprint
from haechi.match_service.app import create_app
from haechi.match_service.config import Settings
from haechi.match_service.describe import told_routes
from haechi.match_service.described import HMA, OWN, SCHEMAS
from haechi.media import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

PDQ = {"pdq": "0f" * 32, "pdq_quality": 80}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = create_app(Settings("", DIGEST_KEY, hma=True)).state.openapi
    return made


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_every_route_is_told_of_and_nothing_else_is(document: dict[str, Any]) -> None:
    app = create_app(Settings("", DIGEST_KEY, hma=True))
    routed = {(method, path) for method, path, _ in told_routes(app.routes)}
    assert routed == set(OWN) | set(HMA) == {(m, p) for m, p, _ in operations(document)}
    alone = create_app(Settings("", DIGEST_KEY)).state.openapi
    assert {(m, p) for m, p, _ in operations(alone)} == set(OWN)


def test_every_address_of_hmas_own_description_is_there(document: dict[str, Any]) -> None:
    hma = {
        ("GET", "/"), ("DELETE", "/c/bank/{}"), ("GET", "/c/bank/{}"), ("PUT", "/c/bank/{}"),
        ("POST", "/c/bank/{}/content"), ("DELETE", "/c/bank/{}/content/{}"),
        ("GET", "/c/bank/{}/content/{}"), ("PUT", "/c/bank/{}/content/{}"),
        ("POST", "/c/bank/{}/signal"), ("GET", "/c/banks"), ("POST", "/c/banks"),
        ("GET", "/c/content_type"), ("DELETE", "/c/exchange/{}"), ("GET", "/c/exchange/{}"),
        ("PUT", "/c/exchange/{}"), ("GET", "/c/exchange/{}/status"), ("GET", "/c/exchanges"),
        ("POST", "/c/exchanges"), ("GET", "/c/exchanges/api/{}/schema"),
        ("GET", "/c/exchanges/apis"), ("GET", "/c/signal_type"), ("GET", "/c/signal_type/index"),
        ("PUT", "/c/signal_type/{}"), ("GET", "/h/hash"), ("POST", "/h/hash"),
        ("POST", "/m/compare"), ("GET", "/m/index/status"), ("GET", "/m/lookup"),
        ("POST", "/m/lookup"), ("GET", "/m/raw_lookup"), ("GET", "/status"),
        ("GET", "/status/live"),
    }  # fmt: skip

    def nameless(path: str) -> str:
        return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))

    assert hma <= {(method, nameless(path)) for method, path, _ in operations(document)}


def test_the_document_is_well_formed(document: dict[str, Any]) -> None:
    json.dumps(document, allow_nan=False)
    assert document["openapi"] == "3.1.0"
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    used = {text.partition('"')[0] for text in json.dumps(document).split("schemas/")[1:]}
    assert used == set(SCHEMAS)
    for method, path, operation in operations(document):
        assert operation["summary"], (method, path)
        told = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert told == {part[1:-1] for part in path.split("/") if part.startswith("{")}


class Told:
    """Sends requests and checks that each answer is one the document tells of."""

    def __init__(self, client: httpx.AsyncClient, document: dict[str, Any]) -> None:
        self.client, self.document = client, document
        self.seen: set[tuple[str, str, int]] = set()

    async def __call__(self, method: str, path: str, at: str = "", **more: Any) -> Any:
        """The answer; fails where the document tells of none like it."""
        operation = self.document["paths"][path][method.lower()]
        answer = await self.client.request(method, at or path, **more)
        told = operation["responses"].get(str(answer.status_code))
        assert told is not None, (method, path, answer.status_code, answer.text)
        self.seen.add((method, path, answer.status_code))
        schema = told.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return answer.text
        whole = {**schema, "components": self.document["components"]}
        jsonschema.Draft202012Validator(whole).validate(answer.json())
        return answer.json()


async def test_answers_are_of_the_form_and_code_the_document_tells(
    database: Database,
    sandbox: Sandbox,
    photo: bytes,
    fingerprinted: fingerprint.ImageFingerprint,
    document: dict[str, Any],
) -> None:
    database.let_curate()
    database.member(database.bank(), fingerprinted)
    known = {"pdq": fingerprinted.pdq.hex, "pdq_quality": 100}
    nobody = {"Authorization": ""}
    async with running(database, sandbox) as client:
        told = Told(client, document)
        check = (await told("POST", "/v1/match", content=photo))["check"]
        await told("POST", "/v1/match", json=known)
        await told("POST", "/v1/match", "/v1/match?fingerprints=none", json=known)
        await told("POST", "/v1/match", content=b"x")
        await told("POST", "/v1/match", content=photo[:2_000])
        await told("POST", "/v1/match", content=photo, headers=nobody)
        await told("POST", "/v1/match/batch", json={"items": [PDQ, {}, known]})
        await told("POST", "/v1/match/batch", json={})
        content = "/v1/content/{content_id}"
        body = {"url": "http://board.test/1", "account": "a", "fingerprint_of": check}
        for each in (body, body | {"fingerprint_of": 10**9}, {}):
            await told("PUT", content, "/v1/content/a/b", json=each)
        for name in ("a/b", "c"):
            await told("DELETE", content, f"/v1/content/{name}")
        for path in ("/v1/status", "/health", "/ready", "/metrics", "/openapi.json"):
            await told("GET", path)
        await told("GET", "/v1/status", headers=nobody | {"Authorization": "Bearer x"})
        await told("GET", "/metrics", headers=nobody)
        await hma_answers(told, photo, fingerprinted)
    assert len(told.seen) >= 60


async def hma_answers(
    told: Told, photo: bytes, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    file, hashed = {"files": {"photo": photo}}, fingerprinted.pdq.hex
    asked = f"?signal_type=pdq&signal={hashed}"
    await told("GET", "/h/hash")
    await told("GET", "/h/hash", "/h/hash?url=http://a.example/")
    await told("POST", "/h/hash", **file)
    await told("POST", "/h/hash")
    for more in ("", "&include_distance=1"):
        await told("GET", "/m/raw_lookup", f"/m/raw_lookup{asked}{more}")
    await told("GET", "/m/raw_lookup")
    await told("GET", "/m/lookup", f"/m/lookup{asked}")
    await told("GET", "/m/lookup")
    await told("POST", "/m/lookup", **file)
    await told("POST", "/m/compare", json={"pdq": [hashed, hashed]})
    await told("POST", "/m/compare", json={"pdq": "x"})
    await told("POST", "/c/banks", json={"name": "B"})
    await told("POST", "/c/banks", json={"name": "B"})
    await told("POST", "/c/banks", json={})
    bank, content = "/c/bank/{bank}", "/c/bank/{bank}/content/{content_id}"
    added = await told("POST", f"{bank}/content", "/c/bank/B/content", **file)
    await told("POST", f"{bank}/content", "/c/bank/B/content")
    await told("POST", f"{bank}/signal", "/c/bank/B/signal", json={"pdq": "0" * 64})
    await told("POST", f"{bank}/signal", "/c/bank/B/signal", json={"pdq": "0"})
    for name in (f"B/content/{added['id']}", "B/content/999", "C/content/1"):
        await told("GET", content, f"/c/bank/{name}?include_signals=1")
        await told("PUT", content, f"/c/bank/{name}", json={"note": "n"})
        await told("DELETE", content, f"/c/bank/{name}")
    for name in ("B", "C"):
        await told("GET", bank, f"/c/bank/{name}")
        await told("PUT", bank, f"/c/bank/{name}", json={"enabled": False})
        await told("DELETE", bank, f"/c/bank/{name}")
    for path in ("/c/banks", "/c/content_type", "/c/signal_type", "/c/signal_type/index"):
        await told("GET", path)
    for ratio in ({"enabled_ratio": 1}, {"enabled_ratio": 0}, {}):
        await told("PUT", "/c/signal_type/{name}", "/c/signal_type/pdq", json=ratio)
    await told("PUT", "/c/signal_type/{name}", "/c/signal_type/x", json={})
    for path in ("/c/exchanges", "/c/exchanges/apis", "/m/index/status", "/status", "/status/live"):
        await told("GET", path)
    await told("GET", "/")
    await told("GET", "/openapi/openapi.json")
    for body in ({}, {"bank": "b"}, {"bank": "B", "api_json": 1}, {"bank": "B", "api": "x"}):
        await told("POST", "/c/exchanges", json=body)
    for method in ("GET", "PUT", "DELETE"):
        await told(method, "/c/exchange/{name}", "/c/exchange/X")
    await told("GET", "/c/exchange/{name}/status", "/c/exchange/X/status")
    for method in ("GET", "POST"):
        await told(method, "/c/exchanges/api/{name}", "/c/exchanges/api/x")
    await told("GET", "/c/exchanges/api/{name}/schema", "/c/exchanges/api/x/schema")
