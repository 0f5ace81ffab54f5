"""What an HTML page says of itself, read without running anything of it. Pure."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

MOST_PICTURES = 12
MOST_CHARACTERS = 4_000_000
_META = frozenset({"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "og:video"})
_LOGIN = re.compile(r"/(login|log-in|signin|sign-in|accounts?/login|auth)\b", re.IGNORECASE)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.password = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "input" and said.get("type", "").lower() == "password":
            self.password = True
        self.found += _named(tag, said)


def _named(tag: str, said: Mapping[str, str]) -> list[str]:
    if tag in ("img", "source", "video"):
        first = said.get("srcset", "").split(",")[-1].strip().split(" ")[0]
        return [said.get("src", ""), said.get("data-src", ""), said.get("poster", ""), first]
    if tag == "meta" and (said.get("property") or said.get("name", "")).lower() in _META:
        return [said.get("content", "")]
    if tag == "link" and said.get("rel", "").lower() == "image_src":
        return [said.get("href", "")]
    return []


def read(html: bytes, url: str) -> tuple[list[str], bool]:
    """Addresses of the page's pictures, each once, as far as they are few; and if it asks for a password."""
    reader = _Reader()
    reader.feed(html[:MOST_CHARACTERS].decode("utf-8", "replace"))
    joined = (_joined(url, one.strip()) for one in reader.found if one.strip())
    return list(dict.fromkeys(one for one in joined if one))[:MOST_PICTURES], reader.password


def led_to_login(asked: str, answered: str) -> bool:
    """True where the question ended at a login page that it was not about."""
    return bool(_LOGIN.search(urlsplit(answered).path)) and not _LOGIN.search(urlsplit(asked).path)


def _joined(url: str, there: str) -> str:
    try:
        found = urljoin(url, there)
    except ValueError:
        return ""
    return found if found.startswith(("http://", "https://")) else ""
