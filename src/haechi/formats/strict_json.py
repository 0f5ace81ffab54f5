"""JSON from strangers: what two readers would understand differently is refused (RFC 8259, section 4)."""

import json
from collections.abc import Callable
from typing import Any, NoReturn


def loads(data: str | bytes, *, parse_float: Callable[[str], Any] = float) -> Any:  # noqa: ANN401 - JSON
    """The value of `data`.

    NaN and Infinity are no JSON, and a name that is given twice is refused: which of the two counts
    would depend on who reads it. Raises ValueError for whatever cannot be read, too deep ones too.
    """
    try:
        return json.loads(
            data, parse_float=parse_float, parse_constant=refuse, object_pairs_hook=_once_each
        )
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def refuse(text: str) -> NoReturn:
    """For numbers that a format does not know."""
    raise ValueError(f"{text} is no number here")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name is given twice")
    return made
