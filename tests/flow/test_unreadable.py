"""A head that Django cannot read is answered, not crashed on."""

import io
from typing import Any

import pytest

from haechi.server.config.wsgi_public import app


@pytest.mark.django_db
def test_a_strange_charset_in_the_head_gets_400() -> None:
    """RFC 2231 parameters with an unknown codec raise before any middleware."""
    seen: list[str] = []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/report",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": "multipart/form-data; boundary=b; charset*=undefined''x",
        "CONTENT_LENGTH": "0",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
    }
    body = b"".join(app(environ, lambda status, _headers: seen.append(status)))
    assert seen == ["400 Bad Request"]
    assert body
