"""A page as it was answered, as a WARC file (ISO 28500) with its digests, for whoever proves it later."""

import hashlib
from datetime import datetime
from io import BytesIO

from warcio.statusandheaders import StatusAndHeaders  # type: ignore[import-untyped]
from warcio.warcwriter import WARCWriter  # type: ignore[import-untyped]

from haechi.reach import Reply

# The body is kept as it was opened, so these would not be true of it.
_NOT_KEPT = frozenset({"content-encoding", "transfer-encoding", "content-length"})


class _InMemory(WARCWriter):  # type: ignore[misc]  # untyped
    """A writer that puts nothing on a disk on its way (B12)."""

    _create_temp_file = staticmethod(BytesIO)


def of(reply: Reply, *, at: datetime) -> tuple[bytes, bytes]:
    """The file, and its SHA-256."""
    out = BytesIO()
    writer = _InMemory(out, gzip=True)
    headers = [(name, value) for name, value in reply.headers if name.lower() not in _NOT_KEPT]
    headers.append(("Content-Length", str(len(reply.body))))
    status = StatusAndHeaders(f"{reply.status} {reply.reason}", headers, protocol="HTTP/1.1")
    date = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    record = writer.create_warc_record(
        reply.url,
        "response",
        payload=BytesIO(reply.body),
        length=len(reply.body),
        http_headers=status,
        warc_headers_dict={"WARC-Date": date},
    )
    writer.write_record(record)
    made = out.getvalue()
    return made, hashlib.sha256(made).digest()
