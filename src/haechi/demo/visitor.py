"""Somebody at a browser: cookies, hidden fields of the form last seen, and nothing else."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Self

import httpx

from haechi.demo.telling import expect

TIMEOUT_S = 60.0
HIDDEN = re.compile(r"<input\b[^>]*>", re.IGNORECASE)
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')

type Fields = Mapping[str, str | list[str]]
type Files = Sequence[tuple[str, tuple[str, bytes, str]]]


class Visitor:
    """A client of one site in one language. `page` is the text of the page last seen."""

    def __init__(self, base_url: str, language: str) -> None:
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Accept-Language": language},
            follow_redirects=True,
            timeout=TIMEOUT_S,
            trust_env=False,
        )
        self.page = ""
        self.status = 0
        self.path = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def look(self, path: str, *, expected: int = 200) -> str:
        """GET a page. Raises NotAsTold on another status."""
        return self._keep(self._http.get(path), f"GET {path}", expected)

    def send(self, path: str, fields: Fields, files: Files = (), *, expected: int = 200) -> str:
        """Fill in the form last seen and POST it, hidden fields included."""
        data = {**self.hidden(path), **fields}
        answer = self._http.post(path, data=data, files=files or None)
        return self._keep(answer, f"POST {path}", expected)

    def hidden(self, path: str = "") -> dict[str, str]:
        """Hidden fields of the form on the page that goes to `path`, or of the whole page."""
        found = {}
        for tag in HIDDEN.findall(self._form(path)):
            attributes = dict(ATTRIBUTE.findall(tag))
            if attributes.get("type") == "hidden" and "name" in attributes:
                found[attributes["name"]] = html.unescape(attributes.get("value", ""))
        return found

    def text(self) -> str:
        """What a person reads: the page without its tags, spaces evened out."""
        bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", self.page, flags=re.DOTALL)
        return " ".join(html.unescape(bare).split())

    def _form(self, path: str) -> str:
        forms = re.findall(r"<form\b.*?</form>", self.page, re.DOTALL)
        fitting = [form for form in forms if path and f'action="{path}"' in form]
        if fitting:
            return str(fitting[0])
        plain = [form for form in forms if "action=" not in form.split(">", 1)[0]]
        return str(plain[0]) if plain else self.page

    def _keep(self, answer: httpx.Response, what: str, expected: int) -> str:
        self.page, self.status, self.path = answer.text, answer.status_code, answer.url.path
        expect(f"{what}: status", expected=expected, seen=answer.status_code)
        return self.page
