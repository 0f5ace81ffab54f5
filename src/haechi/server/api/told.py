"""What the OpenAPI document says of one method of one address, and words to say it with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

type Json = dict[str, Any]

TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer"}
YES_NO: Json = {"type": "boolean"}
MOMENT: Json = {"type": "string", "format": "date-time"}
ANY_OBJECT: Json = {"type": "object"}


@dataclass(frozen=True)
class Told:
    """One method of one address.

    words      what it is for, in one sentence
    answers    status to the name of a schema
    refusals   further status codes; those of keys, limits and the database come by themselves
    refusal    schema of what it says no with
    scope      what its key must be for; "" where no key is asked for
    query, headers, path   parameters; a name with ! is needed. In `path`, what is no plain text
    pages      of these, the answer may also be a page for people
    body       schema of the JSON it takes; "binary" for any bytes, "" for nothing
    gives      media types of its answers; refusals are JSON always
    """

    words: str
    answers: Mapping[int, str]
    refusals: tuple[int, ...] = ()
    refusal: str = "Refusal"
    scope: str = ""
    query: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, Json] = field(default_factory=dict)
    path: Mapping[str, Json] = field(default_factory=dict)
    pages: tuple[int, ...] = ()
    body: str = ""
    gives: tuple[str, ...] = ("application/json",)


def an_object(needed: Mapping[str, Json], more: Mapping[str, Json] | None = None) -> Json:
    """An object with these properties, the first of which are needed."""
    made: Json = {"type": "object", "properties": {**needed, **(more or {})}}
    return made | {"required": list(needed)} if needed else made


def maybe(schema: Json) -> Json:
    """That, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def a_list(of: Json) -> Json:
    """A list of those."""
    return {"type": "array", "items": of}


def ref(name: str) -> Json:
    """The schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}
