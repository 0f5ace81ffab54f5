"""One byte string for one value: canonical JSON after RFC 8785, without numbers that round.

Sorted keys (by UTF-16 code unit, as the RFC asks), no spaces, UTF-8, the shortest escapes.
"""

from collections.abc import Callable
from json.encoder import encode_basestring

from haechi.errors import LedgerError

# RFC 8785 reads numbers as IEEE doubles, which hold integers exactly up to here.
LARGEST_INT = 2**53 - 1
DEEPEST = 64
quoted: Callable[[str], str] = encode_basestring
"""Text as JSON has it, between quotation marks."""


def canonical(value: object) -> bytes:
    """Give the canonical bytes of a value made of str, int, bool, None, list and dict.

    Raises LedgerError for a float, a key that is no text, an integer beyond 2**53 - 1, text that
    is not valid Unicode, any other type, or more than 64 levels.
    """
    return encoded(canonical_text(value))


def encoded(text: str) -> bytes:
    """Text as UTF-8. Raises LedgerError where it is not valid Unicode."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise LedgerError("text holds half of a surrogate pair") from error


def canonical_text(value: object, levels: int = DEEPEST) -> str:
    """The same before it is encoded, with at most so many levels."""
    if not levels:
        msg = f"more than {DEEPEST} levels"
        raise LedgerError(msg)
    if isinstance(value, str):
        return quoted(value)
    if value is None or value is True or value is False:
        return _CONSTANTS[value]
    if isinstance(value, int) and -LARGEST_INT <= value <= LARGEST_INT:
        return str(int(value))
    if isinstance(value, list):
        return f"[{','.join([canonical_text(item, levels - 1) for item in value])}]"
    if isinstance(value, dict):
        return f"{{{','.join([_member(key, value[key], levels - 1) for key in _sorted(value)])}}}"
    msg = f"{type(value).__name__} has no canonical form here"
    raise LedgerError(msg)


_CONSTANTS = {None: "null", True: "true", False: "false"}


def _member(key: str, value: object, levels: int) -> str:
    return f"{quoted(key)}:{canonical_text(value, levels)}"


def _sorted(value: dict[object, object]) -> list[str]:
    keys = [key for key in value if isinstance(key, str)]
    if len(keys) < len(value):
        raise LedgerError("a key is not text")
    # UTF-16 orders ASCII as Python does; only beyond U+FFFF do the two differ.
    if all(map(str.isascii, keys)):
        return sorted(keys)
    return sorted(keys, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
