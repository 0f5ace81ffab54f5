"""The board, top to bottom: look, upload, be told why not, obey an order to remove.

What somebody needs who wants to do the same on a platform of their own is in board.py (ask before
publishing, hold when nobody answers) and obey.py (signed orders).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

import httpx
from examples.board import pages
from examples.board.ask import Unusable
from examples.board.board import Board
from examples.board.obey import BODY_LIMIT_BYTES, Disobeyed, obey
from examples.board.settings import Settings
from examples.board.store import Post
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haechi.errors import NotMedia, TooManyBytes
from haechi.media import sniff

TEXT_LIMIT = {"caption": 200, "account": 60, "label": 120}
HEADERS = {
    b"content-security-policy": b"default-src 'none'; img-src 'self'; style-src 'self';"
    b" form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-cache",
}


# --- pages


async def index(request: Request) -> Response:
    """GET /: the newest pictures."""
    return HTMLResponse(pages.index(_board(request).store.latest()))


async def upload_form(_request: Request) -> Response:
    """GET /upload: the form."""
    return HTMLResponse(pages.upload())


async def upload(request: Request) -> Response:
    """POST /upload: to the post, or a page that says why not."""
    try:
        post = await _take(request)
    except Unusable as error:
        return HTMLResponse(pages.upload(f"{error.words} ({error.code})"), error.status)
    if post.state == "published":
        return RedirectResponse(f"/post/{post.id}", 303)
    return HTMLResponse(pages.post(post), 409 if post.state == "refused" else 202)


async def show(request: Request) -> Response:
    """GET /post/{id}: the picture, or what became of it."""
    post = _post(request)
    return HTMLResponse(pages.post(post), {"removed": 410, "restricted": 451}.get(post.state, 200))


async def picture(request: Request) -> Response:
    """GET /picture/{id}: only of published posts."""
    post = _post(request)
    if post.state == "removed":
        raise HTTPException(410)
    data = _board(request).store.picture(post) if post.state == "published" else None
    if data is None:
        raise HTTPException(404)
    return Response(data, media_type=post.mime)


# --- JSON


async def create(request: Request) -> Response:
    """POST /api/posts: 201 published, 202 held, 409 refused, another 4xx for a file that is none."""
    try:
        post = await _take(request)
    except Unusable as error:
        return _error(error.status, error.code, error.words)
    status = {"published": 201, "held": 202}.get(post.state, 409)
    return JSONResponse(_json(request, post), status)


async def listing(request: Request) -> Response:
    """GET /api/posts: what is published, the newest first."""
    posts = _board(request).store.latest()
    return JSONResponse({"posts": [_json(request, post) for post in posts]})


async def order(request: Request) -> Response:
    """POST /haechi/webhook: an order of Haechi."""
    board = _board(request)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            return _error(413, "format.invalid", "The body is too long.")
    try:
        answer = obey(
            board.store, board.settings.webhook_secret, request.headers, bytes(body), board.clock()
        )
    except Disobeyed as error:
        return _error(error.status, error.code, error.words)
    return JSONResponse(answer)


async def health(_request: Request) -> Response:
    """GET /health: the process answers."""
    return JSONResponse({"status": "ok"})


async def _take(request: Request) -> Post:
    """Read the form, keep the picture out of sight, and ask. Raises Unusable."""
    board = _board(request)
    async with request.form(max_files=1, max_fields=8) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.size:
            raise Unusable(400, "board.no_file", "Choose a picture first.")
        if file.size > board.settings.limit_bytes:
            raise Unusable(413, TooManyBytes.code, "This file is too large.")
        data = await file.read()
        label = _short(file.filename or "", "label")
        caption, account = (_short(form.get(name), name) for name in ("caption", "account"))
    try:
        mime = sniff(data[:4096]).mime
    except NotMedia as error:
        raise Unusable(415, error.code, "This is not a picture in a format we know.") from error
    post = board.store.hold(
        data,
        caption=caption,
        account=account or "anonymous",
        label=label,
        mime=mime,
        now=board.clock(),
    )
    return await board.settle(post)


def _short(value: object, name: str) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(sign for sign in text if sign.isprintable()).strip()[: TEXT_LIMIT[name]]


def _json(request: Request, post: Post) -> dict[str, object]:
    return {
        "id": post.id,
        "url": f"{_board(request).settings.url}/post/{post.id}",
        "state": post.state,
        "caption": post.caption,
        "account": post.account,
        **({} if post.state == "published" else {"reason": post.why}),
    }


def _error(status: int, code: str, words: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": words}}, status)


def _post(request: Request) -> Post:
    post = _board(request).store.find(request.path_params["id"])
    if post is None:
        raise HTTPException(404)
    return post


def _board(request: Request) -> Board:
    return cast("Board", request.app.state.board)


async def _plain_error(request: Request, error: Exception) -> Response:
    status = cast("HTTPException", error).status_code
    words = {404: "There is nothing here.", 410: "This picture was removed."}
    text = words.get(status, "This request cannot be answered.")
    if request.url.path.startswith(("/api/", "/haechi/")):
        return _error(status, f"http.{status}", text)
    return HTMLResponse(pages.message("Nothing to see", text), status)


class SafeHeaders:
    """Adds HEADERS to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS.items()]
            await send(message)

        await self._app(scope, receive, with_headers)


def create_app(
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """The board as an ASGI application. `transport` and `clock` are replaced in tests."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        board = app.state.board = Board(settings, transport, clock)
        retrying = asyncio.create_task(board.retry())
        fetching = asyncio.create_task(board.orders.run(board.store, board.clock))
        try:
            yield
        finally:
            for task in (retrying, fetching):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await board.orders.close()
            await board.gatekeeper.close()
            board.store.close()

    return Starlette(
        routes=[
            Route("/", index),
            Route("/upload", upload_form, methods=["GET"]),
            Route("/upload", upload, methods=["POST"]),
            Route("/post/{id}", show),
            Route("/picture/{id}", picture),
            Route("/api/posts", create, methods=["POST"]),
            Route("/api/posts", listing, methods=["GET"]),
            Route("/haechi/webhook", order, methods=["POST"]),
            Route("/health", health),
            Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
        ],
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={HTTPException: _plain_error},
        lifespan=lifespan,
        # Twice the limit and more: a file that is a little too long gets an answer in plain words.
        max_body_size=settings.limit_bytes * 5 // 2,
    )
