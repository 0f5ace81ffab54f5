"""Asking Haechi's match service: may this picture be published, and: it is now published here."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from examples.board.settings import Settings

# What the service says about the file itself. Anything else means that it could not answer.
_ABOUT_THE_FILE = frozenset({413, 415, 422})


class CannotAsk(Exception):
    """No verdict now: the service is away, busy, or does not know our key. Hold the picture."""


class Unusable(Exception):
    """The file is no picture that can be checked, so it cannot be published either."""

    def __init__(self, status: int, code: str, words: str) -> None:
        """`status` and `code` are those of the match service."""
        super().__init__(code)
        self.status, self.code, self.words = status, code, words


class CheckForgotten(Exception):
    """The service no longer has the fingerprint of that check; ask again."""


@dataclass(frozen=True)
class Verdict:
    """outcome: publish, review or block. check: name it when the picture goes online."""

    outcome: str
    check: int
    code: str
    words: str
    appeal_url: str | None


class Gatekeeper:
    """The two calls a platform makes."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None) -> None:
        self._http = httpx.AsyncClient(
            base_url=settings.match_url,
            headers={"Authorization": f"Bearer {settings.match_key}"},
            timeout=httpx.Timeout(40, connect=3),
            transport=transport,
            trust_env=False,
        )

    async def match(self, picture: bytes, label: str) -> Verdict:
        """POST /v1/match. Raises Unusable or CannotAsk."""
        body = await self._send(
            "POST",
            "/v1/match",
            content=picture,
            headers={
                "Content-Type": "application/octet-stream",
                "Haechi-Label": quote(label.encode("utf-8", "replace")),
            },
        )
        try:
            reason = body["reason"]
            return Verdict(
                outcome=str(body["outcome"]),
                check=int(body["check"]),
                code=str(reason["code"]),
                words=str(reason["words"]),
                appeal_url=body["appeal_url"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CannotAsk from error

    async def published(self, content_id: str, *, url: str, account: str, check: int) -> None:
        """PUT /v1/content: a later report finds this picture. Raises CannotAsk, CheckForgotten."""
        body = {"url": url, "account": account, "fingerprint_of": check}
        await self._send("PUT", f"/v1/content/{quote(content_id)}", json=body)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _send(self, method: str, path: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            response = await self._http.request(method, path, **request)
            body = response.json()
            if response.is_success:
                return dict(body)
            code, words = str(body["error"]["code"]), str(body["error"]["message"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise CannotAsk from error
        if response.status_code in _ABOUT_THE_FILE:
            raise Unusable(response.status_code, code, words)
        if code == "matching.check_unknown":
            raise CheckForgotten
        raise CannotAsk(code)
