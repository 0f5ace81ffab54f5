"""The fingerprint of an address: where something is hosted, comparable without being readable.

A platform registers what it hosts and a report names where something was seen. The two are joined
by a keyed digest of the address, so that no table holds a list of readable links. Whoever
compares must hold the same key and call the same two functions.
"""

import hashlib
import hmac
import ipaddress
import re
import unicodedata
from urllib.parse import SplitResult, quote, urlsplit

import idna

from haechi.fingerprint import messengers

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NO_SCHEME = re.compile(r"[^\s/:@?#]+\.[a-z]{2,}(:[0-9]+)?(?=[/?#]|$)", re.IGNORECASE)
_PLAIN_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SAFE = "%/:?@!$&'()*+,;=-._~"


def url_digest(key: bytes, url: str) -> bytes:
    """HMAC-SHA256 of `normalise(url)` under `key`: 32 bytes. Never raises for any text."""
    return hmac.digest(key, normalise(url).encode("utf-8", "surrogatepass"), hashlib.sha256)


def normalise(url: str) -> str:
    """One spelling for every address that names the same place. Idempotent, never raises.

    http and https addresses (RFC 3986, section 6.2): scheme and host in lower case, host as IDNA
    A-label, default port, user name, fragment, trailing slashes and utm_* parameters dropped,
    percent-escapes in one form. http reads as https, and so does an address without a scheme
    ("photos.example/a/1"), since people copy them that way. Rooms, messages and accounts of the
    large messengers have one spelling each (haechi.fingerprint.messengers).

    Anything else, such as "@channel/123" or an address with an impossible host or port, is kept as
    text: trimmed, NFKC, case-folded.
    """
    text = messengers.address_of(unicodedata.normalize("NFKC", url).strip())
    typed = f"https://{text}" if _NO_SCHEME.match(text) else text
    return _web_address(typed) or _folded(text)


def _web_address(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return None
    name = _host(host)
    if name is None:
        return None
    colon = "" if port in (None, 443, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    query = _query(parts)
    path = _escaped(parts.path).rstrip("/")
    return messengers.one_spelling(f"https://{name}{colon}{path}{'?' if query else ''}{query}")


def _host(host: str) -> str | None:
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host).compressed}]"
        except ValueError:
            return None
    host = host.rstrip(".").lower()
    # Host names outside IDNA's rules, such as those with an underscore, are in use all the same.
    if _PLAIN_HOST.fullmatch(host):
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii").rstrip(".")
    except UnicodeError:  # idna.IDNAError is one of these
        return None


def _query(parts: SplitResult) -> str:
    pieces = _escaped(parts.query).split("&")
    return "&".join(piece for piece in pieces if piece and not piece.lower().startswith("utm_"))


def _escaped(text: str) -> str:
    """Percent-escape what needs it and nothing else; escapes in upper case (RFC 3986, 6.2.2)."""
    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    return _ESCAPE.sub(_one_form, quote(text, safe=_SAFE, errors="surrogatepass"))


def _one_form(escape: re.Match[str]) -> str:
    character = chr(int(escape[0][1:], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def _folded(text: str) -> str:
    """NFKC and case folding, twice: folding can leave characters that NFKC changes again."""
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text.casefold())
    return text.strip()
