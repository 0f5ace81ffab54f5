"""GET /api/openapi.json: every JSON endpoint of the public process, as OpenAPI 3.1."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version

from django.http import HttpRequest, JsonResponse

from haechi.server.api import actions_told, generations, labelling, notices, pages_told
from haechi.server.api.door import open_to_all
from haechi.server.api.told import ANY_OBJECT, TEXT, Json, Told, an_object, ref

SCHEMAS: Mapping[str, Json] = {
    "Refusal": an_object(
        {"error": an_object({"code": TEXT, "message": TEXT}, {"detail": TEXT})},
    )
    | {"description": "Why not: a stable code, and words for people."},
    "Document": ANY_OBJECT | {"description": "An OpenAPI document."},
    **actions_told.SCHEMAS,
    **generations.SCHEMAS,
    **labelling.SCHEMAS,
    **pages_told.SCHEMAS,
    **notices.SCHEMAS,
}
TOLD: Mapping[tuple[str, str], Told] = {
    ("GET", "/api/openapi.json"): Told("This document.", {200: "Document"}),
    **actions_told.TOLD,
    **generations.TOLD,
    **labelling.TOLD,
    **pages_told.TOLD,
    **notices.TOLD,
}


@open_to_all("api_open")
def openapi(_request: HttpRequest) -> JsonResponse:
    """The document; the same for everybody."""
    return JsonResponse(document())


@cache
def document() -> Json:
    """OpenAPI 3.1 of all that is told of."""
    paths: Json = {}
    for (method, path), told in TOLD.items():
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, told)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Haechi",
            "version": version("haechi"),
            "description": "For platforms, hotlines and other Haechis: docs/platforms.md. The match"
            " service has a document of its own, at /openapi.json of its address.",
        },
        "security": [{"key": []}],
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": dict(SCHEMAS),
        },
        "paths": paths,
    }


def _operation(method: str, path: str, told: Told) -> Json:
    keyed = {401, 403, 429} if told.scope else set[int]()
    refused = {*told.refusals, *keyed, *({429, 503} if path.startswith("/api/") else ())}
    made: Json = {
        "summary": told.words,
        "operationId": re.sub(r"[^a-z0-9]+", "_", f"{method}_{path}".lower()).strip("_"),
        "responses": {
            str(status): _answer(name, _gives(told, status), page=status in told.pages)
            for status, name in (
                dict.fromkeys(sorted(refused), told.refusal) | dict(told.answers)
            ).items()
        },
    }
    if parameters := [*_in_path(path, told), *_parameters(told)]:
        made["parameters"] = parameters
    if told.body:
        kind = "application/octet-stream" if told.body == "binary" else "application/json"
        content = {kind: {"schema": {} if told.body == "binary" else ref(told.body)}}
        made["requestBody"] = {"required": True, "content": content}
    return made if told.scope else made | {"security": []}


def _gives(told: Told, status: int) -> tuple[str, ...]:
    return told.gives if status in told.answers else ("application/json",)


def _answer(name: str, gives: Iterable[str], *, page: bool) -> Json:
    content: Json = {kind: {"schema": ref(name)} for kind in gives}
    if page:
        content["text/html"] = {"schema": TEXT}
    return {"description": SCHEMAS[name].get("description", name), "content": content}


def _in_path(path: str, told: Told) -> Iterable[Json]:
    for name in re.findall(r"{([a-z_]+)}", path):
        schema = told.path.get(name, TEXT)
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _parameters(told: Told) -> Iterable[Json]:
    for place, named in (("query", told.query), ("header", told.headers)):
        for name, schema in named.items():
            yield {
                "name": name.rstrip("!"),
                "in": place,
                "required": name.endswith("!"),
                "schema": schema,
            }
