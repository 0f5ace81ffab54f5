"""The OpenAPI 3.1 document, made from the routes themselves and what is told of each below.

A route that is not told of, or that is told of and does not exist, is a failing test.
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from haechi.match_service.described import HMA, OWN, SCHEMAS, Told

type Json = dict[str, Any]

_OPEN: Json = {"security": []}


async def openapi(request: Request) -> Response:
    """GET /openapi.json: this document."""
    return JSONResponse(request.app.state.openapi)


async def hma_openapi(request: Request) -> Response:
    """GET /openapi/openapi.json: the same under the title by which HMA's clients know it."""
    made = request.app.state.openapi
    return JSONResponse(made | {"info": made["info"] | {"title": "Open Media Match API"}})


def document(routes: Iterable[BaseRoute]) -> Json:
    """OpenAPI 3.1 of an application with these routes."""
    paths: Json = {}
    for method, path, route in told_routes(routes):
        told = OWN.get((method, path)) or HMA.get((method, path))
        if told is not None:
            paths.setdefault(path, {})[method.lower()] = _operation(route, method, path, told)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Haechi match service",
            "version": version("haechi"),
            "description": "Is this a picture that somebody had taken down? docs/match-service.md",
        },
        "security": [{"key": []}],
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": SCHEMAS,
        },
        "paths": paths,
    }


def told_routes(routes: Iterable[BaseRoute]) -> Iterable[tuple[str, str, Route]]:
    """Method, path as OpenAPI writes it, and route; HEAD comes with every GET and is not told."""
    for route in routes:
        if isinstance(route, Route):
            path = route.path.replace(":path}", "}").replace(":int}", "}")
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield method, path, route


def _operation(route: Route, method: str, path: str, told: Told) -> Json:
    words = " ".join((route.endpoint.__doc__ or "").strip().split("\n\n")[0].split())
    refused = "HmaRefusal" if (method, path) in HMA else "Refusal"
    made: Json = {
        "summary": words.partition(": ")[2] or words,
        "operationId": f"{method.lower()}_{path.strip('/')}".replace("/", "_").translate(_PLAIN),
        "tags": ["HMA" if (method, path) in HMA else "Haechi"],
        "responses": {
            **{str(code): _answer(schema) for code, schema in told.answers.items()},
            **{str(code): _answer(refused) for code in _refusals(told, method, path)},
        },
    }
    parameters = [
        *_in_path(route.path),
        *(_in_query(name, kind) for name, kind in told.query.items()),
    ]
    if parameters:
        made["parameters"] = parameters
    if told.body:
        content = {kind: {"schema": _schema(schema)} for kind, schema in told.body.items()}
        made["requestBody"] = {"required": True, "content": content}
    return made if told.scope else made | _OPEN


def _refusals(told: Told, method: str, path: str) -> list[int]:
    keyed = {401, 403, 429, 503} if told.scope else set[int]()
    hma = {400, 422} if (method, path) in HMA and (told.body or told.query) else set[int]()
    return sorted({*told.refusals, *keyed, *hma} - set(told.answers))


def _answer(schema: str | None) -> Json:
    if schema is None:
        return {"description": "Done; there is nothing to say."}
    if schema == "text":
        return {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    described = SCHEMAS[schema].get("description", schema)
    return {"description": described, "content": {"application/json": {"schema": _schema(schema)}}}


def _schema(name: str) -> Json:
    if name == "binary":
        return {}
    return {"$ref": f"#/components/schemas/{name}"}


def _in_path(path: str) -> list[Json]:
    """Of the path as the route has it, which says what is a number."""
    parts = [part[1:-1].partition(":") for part in path.split("/") if part.startswith("{")]
    kinds: dict[str, Json] = {"int": {"type": "integer", "minimum": 0}}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": kinds.get(kind, {"type": "string"}),
        }
        for name, _, kind in parts
    ]


def _in_query(name: str, kind: Mapping[str, Any]) -> Json:
    needed = name.endswith("!")
    return {"name": name.rstrip("!"), "in": "query", "required": needed, "schema": dict(kind)}


_PLAIN = str.maketrans("", "", "{}.")
