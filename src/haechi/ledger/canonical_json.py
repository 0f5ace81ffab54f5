"""One byte string for one value: canonical JSON after RFC 8785, without numbers that round.

Sorted keys (by UTF-16 code unit, as the RFC asks), no spaces, UTF-8, the shortest escapes.
"""

import json
from collections.abc import Iterator

from haechi.errors import LedgerError

# RFC 8785 reads numbers as IEEE doubles, which hold integers exactly up to here.
LARGEST_INT = 2**53 - 1
DEEPEST = 64


def canonical(value: object) -> bytes:
    """Give the canonical bytes of a value made of str, int, bool, None, list and dict.

    Raises LedgerError for a float, a key that is no text, an integer beyond 2**53 - 1, text that
    is not valid Unicode, any other type, or more than 64 levels.
    """
    try:
        return "".join(_parts(value, DEEPEST)).encode()
    except UnicodeEncodeError as error:
        raise LedgerError("text holds half of a surrogate pair") from error


def _parts(value: object, levels: int) -> Iterator[str]:
    if not levels:
        msg = f"more than {DEEPEST} levels"
        raise LedgerError(msg)
    match value:
        case None | True | False:
            yield json.dumps(value)
        case str():
            yield json.dumps(value, ensure_ascii=False)
        case int() if abs(value) <= LARGEST_INT:
            yield str(int(value))
        case list():
            yield from _row("[", (_parts(item, levels - 1) for item in value), "]")
        case dict():
            yield from _row("{", (_member(value, key, levels - 1) for key in _sorted(value)), "}")
        case _:
            msg = f"{type(value).__name__} has no canonical form here"
            raise LedgerError(msg)


def _row(first: str, members: Iterator[Iterator[str]], last: str) -> Iterator[str]:
    yield first
    for number, member in enumerate(members):
        if number:
            yield ","
        yield from member
    yield last


def _member(value: dict[str, object], key: str, levels: int) -> Iterator[str]:
    yield json.dumps(key, ensure_ascii=False) + ":"
    yield from _parts(value[key], levels)


def _sorted(value: dict[object, object]) -> list[str]:
    keys = [key for key in value if isinstance(key, str)]
    if len(keys) < len(value):
        raise LedgerError("a key is not text")
    return sorted(keys, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
